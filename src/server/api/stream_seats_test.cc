#include "server/api/stream_seats.h"

#include <gmock/gmock.h>

#include <vector>

#include "server/api/api_test_kit.h"

namespace bascule::api {
namespace {

using testing::HasSubstr;

TEST(StreamSeatsTest, EachTokenHasItsOwnAndGetsThemBack) {
    const auto seats = std::make_shared<StreamSeats>();
    std::vector<std::shared_ptr<const void>> taken;
    for (std::size_t i = 0; i < StreamSeats::per_token_max; ++i) {
        taken.push_back(seats->take("a"));
        ASSERT_NE(taken.back(), nullptr) << i;
    }
    EXPECT_EQ(seats->take("a"), nullptr);
    EXPECT_NE(seats->take("b"), nullptr);
    taken.pop_back();
    EXPECT_NE(seats->take("a"), nullptr);
}

TEST(StreamSeatsTest, ASeatMayOutliveThem) {
    auto seats = std::make_shared<StreamSeats>();
    const auto seat = seats->take("a");
    seats.reset();
    EXPECT_NE(seat, nullptr);
}

/// The far end of a stream that stays until it is let go.
class StayingSink final : public http::ReplySink {
  public:
    struct Heard {
        int status = 0;
        std::string body;
        std::move_only_function<void()> when_gone;
    };
    explicit StayingSink(std::shared_ptr<Guarded<Heard>> heard) : heard_(std::move(heard)) {}

    void send(http::Response response) override { begin_stream(std::move(response)); }
    void begin_stream(http::Response head) override {
        heard_->with([&](Heard& heard) {
            heard.status = head.status;
            heard.body = head.body;
        });
    }
    Taken write(std::string& bytes) override {
        bytes.clear();
        return Taken::yes;
    }
    void when_writable(std::move_only_function<void()> task) override { task(); }
    void when_gone(std::move_only_function<void()> task) override {
        heard_->with([&](Heard& heard) { heard.when_gone = std::move(task); });
    }
    void end_stream() override {}

  private:
    std::shared_ptr<Guarded<Heard>> heard_;
};

TEST(StreamSeatsTest, OneStreamTooManyIsToldSo) {
    TestApi api;
    const std::string other = api.token(auth::Role::operator_);
    const auto open = [&](const std::string& token) {
        auto heard = std::make_shared<Guarded<StayingSink::Heard>>();
        api.dispatch(token, http::Method::get, "/v1/stream",
                     http::Reply(std::make_shared<StayingSink>(heard)));
        return heard;
    };
    const auto status = [](const auto& heard) {
        return heard->with([](const auto& now) { return now.status; });
    };
    const auto first = open(api.owner);
    for (std::size_t i = 1; i < StreamSeats::per_token_max; ++i) {
        ASSERT_EQ(status(open(api.owner)), 200) << i;
    }
    const auto refused = open(api.owner);
    EXPECT_EQ(status(refused), 429);
    EXPECT_THAT(refused->with([](const auto& now) { return now.body; }), HasSubstr("100 streams"));
    EXPECT_EQ(status(open(other)), 200);

    first->with([](auto& now) { return std::exchange(now.when_gone, nullptr); })();
    const SystemClock clock;
    const SteadyTime end = clock.steady() + std::chrono::seconds(10);
    int again = 0;
    while (again != 200 && clock.steady() < end) {  // a round of the stream may be under way
        again = status(open(api.owner));
    }
    EXPECT_EQ(again, 200);
}

}  // namespace
}  // namespace bascule::api
