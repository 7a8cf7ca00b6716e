// Streams of events, without a network.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

#include "server/api/api_test_kit.h"

namespace bascule::api {
namespace {

/// The far end of a stream: takes what is said, and goes when the test says so.
class Listener final : public http::ReplySink {
  public:
    struct Heard {
        std::string text;
        std::move_only_function<void()> when_gone;
    };
    explicit Listener(std::shared_ptr<Guarded<Heard>> heard) : heard_(std::move(heard)) {}

    void send(http::Response) override {}
    void begin_stream(http::Response head) override { append(head.body); }
    Taken write(std::string& bytes) override {
        append(std::exchange(bytes, {}));
        return Taken::yes;
    }
    void when_writable(std::move_only_function<void()> task) override { task(); }
    void when_gone(std::move_only_function<void()> task) override {
        heard_->with([&](Heard& heard) { heard.when_gone = std::move(task); });
    }
    void end_stream() override { append("end"); }

  private:
    void append(const std::string& text) {
        heard_->with([&](Heard& heard) { heard.text += text; });
    }
    std::shared_ptr<Guarded<Heard>> heard_;
};

/// A stream whose filter nothing fits writes no event in all its life.
TEST(StreamApiTest, AStreamWithNothingToSayBeatsAndIsForgottenWithItsPeer) {
    TestApi api;
    const auto heard = std::make_shared<Guarded<Listener::Heard>>();
    api.dispatch(api.owner, http::Method::get, "/v1/stream?type=rare.thing",
                 http::Reply(std::make_shared<Listener>(heard)));
    const auto has = [&](std::string_view text) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (std::chrono::steady_clock::now() < until) {
            if (heard->with([&](const auto& now) { return now.text.contains(text); })) {
                return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return false;
    };
    EXPECT_TRUE(has("\n:\n\n:\n\n")) << "a beat, and another one";
    auto gone = heard->with([](auto& now) { return std::exchange(now.when_gone, nullptr); });
    ASSERT_TRUE(gone);
    gone();
    EXPECT_TRUE(has("end")) << "the stream is destroyed, though it never wrote in vain";
}

}  // namespace
}  // namespace bascule::api
