#include "server/http/server.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <future>
#include <optional>
#include <thread>
#include <vector>

#include "foundation/base/clock.h"
#include "foundation/base/guarded.h"
#include "foundation/base/testing.h"
#include "server/http/network_thread.h"
#include "server/http/test_peer.h"

namespace bascule::http {
namespace {

using testing::HasSubstr;

std::string post(std::string_view path, std::string_view body) {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

constexpr std::string_view get_slow = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";

/// A server whose handlers say back what they were told, or hand their Reply to the test.
class ServerTest : public testing::Test {
  protected:
    ServerTest() { start({}); }
    ~ServerTest() override {
        held_.with([](auto& held) { held.clear(); });
    }

    void start(Server::Options options) {
        server_.reset();
        Router router;
        router.add(Method::post, "/echo", [](Request request, Reply reply) {
            reply.send(text_response(200, std::move(request.body)));
        });
        router.add(Method::get, "/query", [](Request request, Reply reply) {
            std::string seen;
            for (const auto& [name, value] : request.query) {
                seen += name + "=" + value + ";";
            }
            reply.send(text_response(200, seen));
        });
        router.add(Method::get, "/last", [](Request request, Reply reply) {
            reply.send(text_response(
                200, request.peer + " " +
                         std::string(request.headers.value_or("last-event-id", "none"))));
        });
        router.add(Method::get, "/slow", [this](Request, Reply reply) { hold(std::move(reply)); });
        router.add(
            Method::post, "/closed",
            [](Request request, Reply reply) {
                reply.send(text_response(200, std::move(request.body)));
            },
            [](const Request& request) -> std::optional<Response> {
                return request.headers.find("Key") ? std::nullopt
                                                   : std::optional(text_response(401, ""));
            });
        router.add(Method::get, "/forgotten", [](Request, Reply) {});
        router.add(Method::get, "/split", [](Request, Reply reply) {
            Response response{.status = 204};
            response.headers.add("X-Text", "a\r\nX-Evil: yes");
            reply.send(std::move(response));
        });
        auto created = Server::create(options, std::move(router));
        ASSERT_THAT(created, Succeeds());
        server_ = std::move(*created);
    }

    void hold(Reply reply) {
        held_.with([&](auto& held) { held.push_back(std::move(reply)); });
    }

    /// Waits for a handler to hand over its Reply.
    std::optional<Reply> held() {
        for (int i = 0; i < 2000; ++i) {
            std::optional<Reply> found;
            held_.with([&](auto& held) {
                if (!held.empty()) {
                    found.emplace(std::move(held.back()));
                    held.pop_back();
                }
            });
            if (found) {
                return found;
            }
            std::this_thread::sleep_for(5ms);
        }
        return std::nullopt;
    }

    Guarded<std::vector<Reply>> held_;
    std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
    TestPeer peer(server_->port());
    for (const std::string body : {"one", "", "three"}) {
        const Response response = peer.ask(post("/echo", body));
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, body);
        EXPECT_EQ(response.headers.value_or("X-Request-Id", "").size(), 36u);
        EXPECT_THAT(std::string(response.headers.value_or("Date", "")), HasSubstr(" GMT"));
    }
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
    TestPeer peer(server_->port());
    std::string all;
    for (int i = 0; i < 50; ++i) {
        all += post("/echo", std::to_string(i));
    }
    peer.send(std::string(get_slow) + all);
    held()->send(text_response(200, "slow"));
    EXPECT_EQ(peer.read_response().body, "slow") << "the first is answered first, however slow";
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(peer.read_response().body, std::to_string(i));
    }
}

TEST_F(ServerTest, ARequestMayComeByteByByte) {
    TestPeer peer(server_->port());
    for (const char byte : post("/echo", "hello")) {
        ASSERT_TRUE(peer.send({&byte, 1}));
    }
    EXPECT_EQ(peer.read_response().body, "hello");
}

TEST_F(ServerTest, AnAnswerMayComeFromAnyThread) {
    TestPeer peer(server_->port());
    peer.send(get_slow);
    auto reply = held();
    ASSERT_TRUE(reply);
    std::thread([&] { reply->send(text_response(201, "late")); }).join();
    const Response response = peer.read_response();
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(response.body, "late");
}

TEST_F(ServerTest, AForgottenReplyIsAnInternalErrorNotAHang) {
    TestPeer peer(server_->port());
    const Response response = peer.ask("GET /forgotten HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(response.status, 500);
    EXPECT_THAT(response.body, HasSubstr("\"code\":\"internal\""));
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
    TestPeer peer(server_->port());
    const Response head = peer.ask("HEAD /query?a=1 HTTP/1.1\r\nHost: x\r\n\r\n", Method::head);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.value_or("Content-Length", ""), "4");
    EXPECT_EQ(peer.ask(post("/echo", "next")).body, "next") << "no stray bytes in between";
}

TEST_F(ServerTest, ChunkedBodiesAreJoined) {
    TestPeer peer(server_->port());
    const Response response = peer.ask(
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n7;ext=1\r\n, world\r\n0\r\nTrailer: x\r\n\r\n");
    EXPECT_EQ(response.body, "hello, world");
    EXPECT_EQ(peer.ask(post("/echo", "next")).body, "next");
}

TEST_F(ServerTest, ContinueIsSaidBeforeTheBodyIsSent) {
    TestPeer peer(server_->port());
    peer.send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(peer.read_to("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(peer.ask("ok").body, "ok");
}

TEST_F(ServerTest, AHalfClosedPeerGetsItsAnswer) {
    TestPeer peer(server_->port());
    peer.send(post("/echo", "bye"));
    peer.half_close();
    EXPECT_EQ(peer.read_response().body, "bye");
    EXPECT_TRUE(peer.at_end());
}

TEST_F(ServerTest, ConnectionCloseIsObeyed) {
    TestPeer peer(server_->port());
    const Response response =
        peer.ask("GET /query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(response.headers.value_or("Connection", ""), "close");
    EXPECT_TRUE(peer.at_end());
}

TEST_F(ServerTest, Http10ClosesUnlessAskedNotTo) {
    TestPeer closing(server_->port());
    EXPECT_EQ(closing.ask("GET /query HTTP/1.0\r\n\r\n").status, 200);
    EXPECT_TRUE(closing.at_end());
    TestPeer keeping(server_->port());
    const std::string request = "GET /query HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    EXPECT_EQ(keeping.ask(request).headers.value_or("Connection", ""), "keep-alive");
    EXPECT_EQ(keeping.ask(request).status, 200);
}

struct BadCase {
    const char* claim;
    std::string request;
    int status;
    const char* says;
};

class BadRequestTest : public ServerTest, public testing::WithParamInterface<BadCase> {};

TEST_P(BadRequestTest, IsRefusedAndTheConnectionEnds) {
    start({.body_bytes_max = 100, .header_bytes_max = 1000});
    TestPeer peer(server_->port());
    const Response response = peer.ask(GetParam().request);
    EXPECT_EQ(response.status, GetParam().status);
    EXPECT_THAT(response.body, HasSubstr(GetParam().says));
    EXPECT_THAT(response.body, HasSubstr("\"requestId\":\"" + std::string(response.headers.value_or(
                                                                  "X-Request-Id", "?"))));
    EXPECT_TRUE(peer.at_end());
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadRequestTest,
    testing::Values(
        BadCase{"NotHttp", "hello there\r\n\r\n", 400, "malformed"},
        BadCase{"UnknownVersion", "GET / HTTP/7.5\r\n\r\n", 505, "version"},
        BadCase{"NoHost", "GET /query HTTP/1.1\r\n\r\n", 400, "lacks Host"},
        BadCase{"BadHeaderName", "GET /query HTTP/1.1\r\nHost: x\r\nA B: c\r\n\r\n", 400,
                "malformed"},
        BadCase{"BadLength", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n", 400,
                "malformed"},
        BadCase{
            "TwoLengths",
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            400, "malformed"},
        BadCase{"LengthAndChunked",
                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                400, "malformed"},
        BadCase{"BadChunk",
                "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
                "malformed"},
        BadCase{"BadPercent", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "hexadecimal"},
        BadCase{"BadQueryPercent", "GET /query?a=%1 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "a=%1"},
        BadCase{"ZeroByteInPath", "GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n", 400, "zero byte"},
        BadCase{"LargeBodyAnnounced",
                "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                "Content-Length: 101\r\n\r\n",
                413, "limit of 100 bytes"},
        BadCase{"LargeBodySent", post("/echo", std::string(101, 'x')), 413, "limit of 100 bytes"},
        BadCase{"LargeBodyInChunks",
                "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "40\r\n" +
                    std::string(64, 'x') + "\r\n40\r\n" + std::string(64, 'x') + "\r\n",
                413, "limit of 100 bytes"},
        BadCase{"LargeHeader",
                "GET /query HTTP/1.1\r\nHost: x\r\nA: " + std::string(2000, 'x') + "\r\n\r\n", 431,
                "limit of 1000 bytes"},
        BadCase{"EndlessRequestLine", "GET /" + std::string(2000, 'x'), 431, "limit of 1000"},
        BadCase{"StrangeExpectation", "GET /query HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417,
                "100-continue"}),
    [](const auto& info) { return info.param.claim; });

TEST_F(ServerTest, TheAnswerToALargeUploadArrivesThoughTheBodyIsUnread) {
    start({.body_bytes_max = 1000, .body_bytes_setting = "uploads.most"});
    TestPeer peer(server_->port());
    const std::string body(4 << 20, 'x');
    peer.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304\r\n\r\n");
    peer.send(body);  // far above what socket buffers hold: a reset would lose the answer
    const Response response = peer.read_response();
    EXPECT_EQ(response.status, 413);
    EXPECT_THAT(response.body, HasSubstr("send less at once, or have uploads.most raised"));
}

TEST_F(ServerTest, BodiesOfAllConnectionsTogetherAreBounded) {
    start({.body_bytes_max = 1000, .bodies_bytes_max = 1500});
    TestPeer first(server_->port());
    const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
    TestPeer announcing(server_->port());
    announcing.send(head);
    first.send(head + std::string(600, 'x'));
    TestPeer second(server_->port());
    Response response;
    for (int i = 0; i < 1000; ++i) {  // until the server has read what the first sent
        response = TestPeer(server_->port()).ask(post("/echo", std::string(1000, 'y')));
        if (response.status == 503) {
            break;
        }
    }
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.headers.value_or("Retry-After", ""), "1");
    first.send(std::string(400, 'x'));
    EXPECT_EQ(first.read_response().status, 200);
    EXPECT_EQ(second.ask(post("/echo", std::string(1000, 'z'))).status, 200) << "it is given back";
}

TEST_F(ServerTest, ALargeBodyMakesTheRoundTrip) {
    std::string body(20 << 20, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) {
        body[i] = static_cast<char>(i * 31 >> 3);
    }
    TestPeer peer(server_->port());
    EXPECT_TRUE(peer.ask(post("/echo", body)).body == body);
}

TEST_F(ServerTest, ASlowHeaderIsCutHoweverItDrips) {
    start({.header_timeout = 200ms});
    TestPeer peer(server_->port());
    const SystemClock clock;
    for (const bool first : {true, false}) {
        const SteadyTime begin = clock.steady();
        peer.send("GET /query HTTP/1.1\r\n");
        while (peer.send("A: b\r\n") && clock.steady() - begin < 10s) {
            std::this_thread::sleep_for(20ms);
        }
        EXPECT_LT(clock.steady() - begin, 5s) << "first: " << first;
        peer.connect_again();
        ASSERT_EQ(peer.ask(post("/echo", "")).status, 200);
    }
}

TEST_F(ServerTest, ANewcomerThatSaysNothingGetsTheTimeOfAHeader) {
    start({.header_timeout = 100ms});
    TestPeer silent(server_->port());
    TestPeer kept(server_->port());
    ASSERT_EQ(kept.ask(post("/echo", "")).status, 200);
    EXPECT_TRUE(silent.at_end());
    std::this_thread::sleep_for(200ms);
    EXPECT_EQ(kept.ask(post("/echo", "")).status, 200) << "between requests it may rest longer";
}

/// A sweep that was due when the server stopped began the next one, and the thread never ended.
TEST(ServerStopTest, EndsAlsoWhileASweepIsDue) {
    for (int i = 0; i < 200; ++i) {
        NetworkThread thread(1ms);
        std::this_thread::sleep_for(std::chrono::microseconds(900 + 5 * (i % 40)));
    }
}

TEST_F(ServerTest, ADrippingBodyIsCut) {
    start({.idle_timeout = 200ms});
    TestPeer peer(server_->port());
    peer.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    const SystemClock clock;
    const SteadyTime begin = clock.steady();
    while (peer.send("x") && clock.steady() - begin < 10s) {
        std::this_thread::sleep_for(20ms);
    }
    EXPECT_LT(clock.steady() - begin, 5s);
}

TEST_F(ServerTest, AnIdleConnectionIsClosedAndABusyOneIsNot) {
    start({.idle_timeout = 100ms});
    TestPeer idle(server_->port());
    TestPeer busy(server_->port());
    ASSERT_EQ(idle.ask(post("/echo", "")).status, 200);
    busy.send(get_slow);
    EXPECT_TRUE(idle.at_end());
    auto reply = held();
    ASSERT_TRUE(reply);
    std::this_thread::sleep_for(300ms);
    reply->send(text_response(200, "patience"));
    EXPECT_EQ(busy.read_response().body, "patience") << "we keep it waiting, not it us";
}

/// Goal: connecting and saying nothing, or half a header, locks nobody out.
TEST_F(ServerTest, HalfOpenConnectionsMakeRoomForNewcomers) {
    start({.connections_max = 8});
    std::vector<std::unique_ptr<TestPeer>> half_open;
    for (int i = 0; i < 100; ++i) {
        half_open.push_back(std::make_unique<TestPeer>(server_->port()));
        half_open.back()->send(i % 2 == 0 ? "" : "GET /query HTTP/1.1\r\nHost:");
        TestPeer newcomer(server_->port());
        ASSERT_EQ(newcomer.ask(post("/echo", "")).status, 200) << i;
    }
    EXPECT_TRUE(half_open.front()->at_end()) << "the longest idle went";
    half_open.back()->send(" x\r\n\r\n");
    EXPECT_EQ(half_open.back()->read_response().status, 200) << "the youngest stayed";
}

TEST_F(ServerTest, HalfBodiesMakeRoomForNewcomers) {
    start({.connections_max = 4});
    std::vector<std::unique_ptr<TestPeer>> half;
    for (int i = 0; i < 4; ++i) {
        half.push_back(std::make_unique<TestPeer>(server_->port()));
        half.back()->send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx");
    }
    const SystemClock clock;
    const SteadyTime end = clock.steady() + 10s;
    int status = 0;
    while (status != 200 && clock.steady() < end) {
        status = TestPeer(server_->port()).ask(post("/echo", "")).status;
        std::this_thread::sleep_for(50ms);
    }
    EXPECT_EQ(status, 200) << "whoever does not go on with a body makes room";
}

TEST_F(ServerTest, ABodyThatIsNotAdmittedIsNotWaitedFor) {
    for (const char* head : {"POST /closed HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx",
                             "POST /closed HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
                             "Expect: 100-continue\r\n\r\n"}) {
        TestPeer peer(server_->port());
        const Response refused = peer.ask(head);
        EXPECT_EQ(refused.status, 401) << "at the header, and no 100 before it";
        EXPECT_EQ(refused.headers.value_or("Connection", ""), "close");
        EXPECT_NE(refused.headers.value_or("X-Request-Id", ""), "");
        EXPECT_TRUE(peer.at_end());
    }
    TestPeer nowhere(server_->port());
    EXPECT_EQ(nowhere.ask("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx").status,
              404);
    TestPeer open(server_->port());
    open.send("POST /closed HTTP/1.1\r\nHost: x\r\nKey: yes\r\nContent-Length: 2\r\n\r\na");
    open.send("b");
    EXPECT_EQ(open.read_response().body, "ab");
}

TEST_F(ServerTest, OnePeerDoesNotGetAllConnections) {
    start({.connections_max = 8, .connections_per_peer_max = 2});
    TestPeer idle(server_->port());
    ASSERT_EQ(idle.ask(post("/echo", "")).status, 200);
    TestPeer one(server_->port());
    one.send(get_slow);
    TestPeer two(server_->port());
    two.send(get_slow);
    EXPECT_TRUE(idle.at_end());
    const auto first = held();
    const auto second = held();
    ASSERT_TRUE(first && second);
    TestPeer three(server_->port());
    const Response refused = three.ask(post("/echo", ""));
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.headers.value_or("Retry-After", ""), "1");
    EXPECT_THAT(refused.body, HasSubstr("too many connections"));
}

TEST_F(ServerTest, WhenAllConnectionsWorkSomePathsAreStillAnswered) {
    start({.connections_max = 2, .paths_always = {"/query"}});
    TestPeer one(server_->port());
    TestPeer two(server_->port());
    one.send(get_slow);
    two.send(get_slow);
    auto first = held();
    auto second = held();
    ASSERT_TRUE(first && second);
    for (int i = 0; i < 100; ++i) {
        TestPeer health(server_->port());
        const Response answer = health.ask("GET /query?a=1 HTTP/1.1\r\nHost: x\r\n\r\n");
        ASSERT_EQ(answer.status, 200) << i;
        EXPECT_EQ(answer.headers.value_or("Connection", ""), "close");
        ASSERT_EQ(TestPeer(server_->port()).ask(post("/echo", "")).status, 503) << i;
    }
    first->send(text_response(200, ""));
    second->send(text_response(200, ""));
    ASSERT_EQ(one.read_response().status, 200);
    ASSERT_EQ(two.read_response().status, 200);
    EXPECT_EQ(TestPeer(server_->port()).ask(post("/echo", "")).status, 200);
}

TEST_F(ServerTest, NobodyIsAnsweredBeforeTheListenerSaidSo) {
    std::optional<TestPeer> early;
    start({.on_listening = [&](std::uint16_t port) -> Result<> {
        early.emplace(port);
        early->send(post("/echo", "early"));
        EXPECT_FALSE(early->has_answer_within(100ms));
        return {};
    }});
    ASSERT_TRUE(early);
    EXPECT_EQ(early->read_response().body, "early");
}

TEST_F(ServerTest, AListenerThatFailsEndsTheServer) {
    const auto created = Server::create(
        {.on_listening = [](std::uint16_t) -> Result<> { return fail(ErrorKind::io, "no disk"); }},
        Router());
    EXPECT_THAT(created, FailsWith(ErrorKind::io, HasSubstr("no disk")));
}

TEST_F(ServerTest, HeaderValuesCannotBeginAnotherHeader) {
    TestPeer peer(server_->port());
    const Response response = peer.ask("GET /split HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(response.status, 204);
    EXPECT_FALSE(response.headers.find("X-Evil"));
    EXPECT_FALSE(response.headers.find("Content-Length")) << "204 has none";
}

TEST_F(ServerTest, TargetsAreDecodedAndHeadersReachTheHandler) {
    TestPeer peer(server_->port());
    EXPECT_EQ(peer.ask("GET /query?a=1+2&b=%26&c HTTP/1.1\r\nHost: x\r\n\r\n").body,
              "a=1 2;b=&;c=;");
    EXPECT_EQ(peer.ask("GET http://x:80/query?q=1 HTTP/1.1\r\nHost: x\r\n\r\n").body, "q=1;");
    EXPECT_EQ(peer.ask("GET /last HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 42\r\n\r\n").body,
              "127.0.0.1 42");
}

TEST_F(ServerTest, StopLetsAnswersUnderWayEnd) {
    TestPeer idle(server_->port());
    TestPeer busy(server_->port());
    ASSERT_EQ(idle.ask(post("/echo", "")).status, 200);
    busy.send(get_slow);
    auto reply = held();
    ASSERT_TRUE(reply);
    auto stopping = std::async(std::launch::async, [&] { server_->stop(); });
    EXPECT_TRUE(idle.at_end());
    reply->send(text_response(200, "the last"));
    EXPECT_EQ(busy.read_response().body, "the last");
    EXPECT_TRUE(busy.at_end());
    stopping.wait();
    EXPECT_FALSE(TestPeer(server_->port()).connected());
}

TEST_F(ServerTest, StopDoesNotWaitForEverAndRepliesMayOutliveTheServer) {
    start({.drain_timeout = 50ms});
    TestPeer peer(server_->port());
    peer.send(get_slow);
    auto reply = held();
    ASSERT_TRUE(reply);
    server_.reset();
    EXPECT_TRUE(peer.at_end());
    reply->send(text_response(200, "to nobody"));
}

TEST_F(ServerTest, CreateSaysWhatIsWrongWithTheAddress) {
    EXPECT_THAT(Server::create({.address = "localhost"}, Router()),
                FailsWith(ErrorKind::invalid, HasSubstr("\"localhost\" is not an IP address")));
    EXPECT_THAT(Server::create({.port = server_->port()}, Router()),
                FailsWith(ErrorKind::conflict, HasSubstr(std::to_string(server_->port()))));
}

// --- streams -------------------------------------------------------------------------------------

class StreamTest : public ServerTest {
  protected:
    /// A stream whose head the peer has read.
    Stream streaming(TestPeer& peer) {
        peer.send(get_slow);
        auto reply = held();
        EXPECT_TRUE(reply);
        Stream stream =
            reply->stream({.headers = {{"Content-Type", "text/event-stream"}}, .body = ""});
        EXPECT_THAT(peer.read_to("\r\n\r\n"), HasSubstr("text/event-stream"));
        return stream;
    }
};

TEST_F(StreamTest, EventsArriveAsTheyAreWrittenAndTheEndIsMarked) {
    TestPeer peer(server_->port());
    Stream stream = streaming(peer);
    for (const std::string id : {"1", "2"}) {
        std::string event = server_sent_event(id, "tick", "line\nsecond");
        EXPECT_EQ(stream.write(event), Stream::Taken::yes);
        EXPECT_EQ(event, "");
        EXPECT_THAT(peer.read_to("second\n\n"),
                    HasSubstr("id: " + id + "\nevent: tick\ndata: line\ndata: second\n\n"));
    }
    stream.end();
    EXPECT_EQ(peer.read_to_end(), "\r\n0\r\n\r\n");
}

TEST_F(StreamTest, AReaderThatDoesNotReadIsBackPressure) {
    start({.stream_bytes_max = 64 << 10});
    TestPeer peer(server_->port());
    Stream stream = streaming(peer);
    const std::string piece(16 << 10, 'x');
    std::size_t written = 0;
    std::string bytes = piece;
    while (stream.write(bytes) == Stream::Taken::yes) {
        written += piece.size();
        bytes = piece;
        ASSERT_LT(written, 64u << 20) << "nothing bounds it";
        std::this_thread::yield();
    }
    EXPECT_EQ(bytes, piece) << "what was not taken is left alone";

    std::promise<void> writable;
    stream.when_writable([&] { writable.set_value(); });
    std::string received;
    auto reader = std::async(std::launch::async, [&] { received = peer.read_to("end!"); });
    ASSERT_EQ(writable.get_future().wait_for(10s), std::future_status::ready);
    std::string last = "end!";
    EXPECT_EQ(stream.write(last), Stream::Taken::yes);
    reader.wait();
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(received, 'x')), written);
}

TEST_F(StreamTest, ADepartedReaderIsNoticedWithoutAWrite) {
    TestPeer peer(server_->port());
    Stream stream = streaming(peer);
    std::string fill(8 << 20, 'x');
    ASSERT_EQ(stream.write(fill), Stream::Taken::yes) << "more than fits: it stays buffered";
    std::promise<void> told;
    stream.when_writable([&] { told.set_value(); });
    peer.close();
    ASSERT_EQ(told.get_future().wait_for(10s), std::future_status::ready);
    std::string more = "x";
    EXPECT_EQ(stream.write(more), Stream::Taken::gone);
}

TEST_F(StreamTest, ItsOwnerIsToldOfADepartureWithoutAskingForAnything) {
    TestPeer peer(server_->port());
    Stream stream = streaming(peer);
    std::promise<void> told;
    stream.when_gone([&] { told.set_value(); });
    peer.close();
    ASSERT_EQ(told.get_future().wait_for(10s), std::future_status::ready);
    bool at_once = false;
    stream.when_gone([&] { at_once = true; });
    EXPECT_TRUE(at_once);
}

TEST_F(StreamTest, ItsOwnerIsToldWhenTheServerStops) {
    TestPeer peer(server_->port());
    Stream stream = streaming(peer);
    std::promise<void> told;
    stream.when_gone([&] { told.set_value(); });
    server_->stop();
    EXPECT_EQ(told.get_future().wait_for(10s), std::future_status::ready);
}

TEST_F(StreamTest, StopEndsStreams) {
    TestPeer peer(server_->port());
    Stream stream = streaming(peer);
    server_->stop();
    std::string bytes = "x";
    EXPECT_EQ(stream.write(bytes), Stream::Taken::gone);
    EXPECT_TRUE(peer.at_end());
}

TEST_F(StreamTest, Http10ReadersGetThePlainBytes) {
    TestPeer peer(server_->port());
    peer.send("GET /slow HTTP/1.0\r\n\r\n");
    auto reply = held();
    ASSERT_TRUE(reply);
    {
        Stream stream = reply->stream({.body = "first,"});
        std::string bytes = "second";
        EXPECT_EQ(stream.write(bytes), Stream::Taken::yes);
    }
    EXPECT_THAT(peer.read_to_end(), testing::EndsWith("\r\n\r\nfirst,second"));
}

}  // namespace
}  // namespace bascule::http
