// Streams of events, without a network.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "foundation/io/wait.h"
#include "server/api/api_test_kit.h"

namespace bascule::api {
namespace {

/// The far end of a stream: takes what is said, and goes when the test says so.
class Listener final : public http::ReplySink {
  public:
    struct Heard {
        std::string text;
        std::string wanted;
        std::optional<io::Completion<>> waiter;  ///< told once `wanted` was heard
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
        auto told = heard_->with([&](Heard& heard) {
            heard.text += text;
            return heard.text.contains(heard.wanted) ? std::exchange(heard.waiter, std::nullopt)
                                                     : std::nullopt;
        });
        if (told) {
            (*told)({});
        }
    }
    std::shared_ptr<Guarded<Heard>> heard_;
};

/// A stream whose filter nothing fits writes no event in all its life.
TEST(StreamApiTest, AStreamWithNothingToSayBeatsAndIsForgottenWithItsPeer) {
    TestApi api;
    const auto heard = std::make_shared<Guarded<Listener::Heard>>();
    api.dispatch(api.owner, http::Method::get, "/v1/stream?type=rare.thing",
                 http::Reply(std::make_shared<Listener>(heard)));
    const auto await = [&](std::string wanted) {
        return io::wait_for<>([&](io::Completion<> done) {
            const bool there = heard->with([&](Listener::Heard& now) {
                if (now.text.contains(wanted)) {
                    return true;
                }
                now.wanted = std::move(wanted);
                now.waiter = std::move(done);
                return false;
            });
            if (there) {
                done({});
            }
        });
    };
    EXPECT_THAT(await("\n:\n\n:\n\n"), Succeeds()) << "a beat, and another one";
    auto gone = heard->with([](auto& now) { return std::exchange(now.when_gone, nullptr); });
    ASSERT_TRUE(gone);
    gone();
    EXPECT_THAT(await("end"), Succeeds())
        << "the stream is destroyed, though it never wrote in vain";
}

/// Goal: who may no longer read reads no more, also what was begun before.
TEST(StreamApiTest, AStreamEndsWithItsToken) {
    TestApi api;
    const std::string token = api.token(auth::Role::operator_);
    const auto heard = std::make_shared<Guarded<Listener::Heard>>();
    api.dispatch(token, http::Method::get, "/v1/stream",
                 http::Reply(std::make_shared<Listener>(heard)));
    const std::string id = api.get(token, "/v1/me").at("/tokenId");
    ASSERT_EQ(api.ask(api.owner, http::Method::delete_, "/v1/tokens/" + id).status, 200);
    ASSERT_EQ(
        api.post(api.owner, "/v1/events",
                 R"({"eventType":"lamp.switched","source":"kitchen","userId":"robin","data":{}})")
            .status,
        200);
    EXPECT_THAT(io::wait_for<>([&](io::Completion<> done) {
                    const bool there = heard->with([&](Listener::Heard& now) {
                        if (now.text.ends_with("end")) {
                            return true;
                        }
                        now.wanted = "end";
                        now.waiter = std::move(done);
                        return false;
                    });
                    if (there) {
                        done({});
                    }
                }),
                Succeeds());
    heard->with([](const Listener::Heard& now) {
        EXPECT_FALSE(now.text.contains("lamp.switched")) << now.text;
    });
}

}  // namespace
}  // namespace bascule::api
