#include "server/http/client.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <vector>

#include "foundation/base/clock.h"
#include "foundation/base/testing.h"
#include "foundation/io/wait.h"
#include "server/http/private_network.h"
#include "server/http/server.h"
#include "server/http/test_peer.h"
#include "server/http/url.h"

namespace bascule::http {
namespace {

using testing::HasSubstr;

class ClientTest : public testing::Test {
  protected:
    ClientTest() {
        Router router;
        router.add(Method::post, "/echo", [](Request request, Reply reply) {
            Response response = text_response(201, std::move(request.body));
            response.headers.add("X-Seen", std::string(request.headers.value_or("X-Sent", "")));
            response.headers.add("X-Host", std::string(request.headers.value_or("Host", "")));
            reply.send(std::move(response));
        });
        router.add(Method::get, "/large", [](Request, Reply reply) {
            reply.send(text_response(200, std::string(5000, 'x')));
        });
        router.add(Method::get, "/stream", [](Request, Reply reply) {
            Stream stream = reply.stream({.body = "one "});
            std::string more = "two";
            stream.write(more);
        });
        router.add(Method::get, "/never", [this](Request, Reply reply) {
            never_.push_back(std::move(reply));
            ++never_count_;
        });
        server_ = std::move(
            Server::create({.threads = 1, .drain_timeout = 1ms}, std::move(router)).value());
        make({});
    }
    ~ClientTest() override {
        client_.reset();
        server_.reset();
    }

    void make(Client::Options options) { client_ = std::move(Client::create(options).value()); }

    std::string url(std::string_view path) const {
        return "http://127.0.0.1:" + std::to_string(server_->port()) + std::string(path);
    }

    Result<Response> ask(ClientRequest request) {
        return io::wait_for<Response>(
            [&](auto done) { client_->send(std::move(request), std::move(done)); });
    }
    Result<Response> get(std::string url) { return ask({.url = std::move(url)}); }

    std::vector<Reply> never_;  ///< touched by the server's one thread only
    std::atomic<int> never_count_ = 0;
    std::unique_ptr<Server> server_;
    std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, SendsAndReceives) {
    const auto response = ask({.method = Method::post,
                               .url = url("/echo?x=1#fragment"),
                               .headers = {{"X-Sent", "a"}, {"Host", "evil"}},
                               .body = "hello"});
    ASSERT_THAT(response, Succeeds());
    EXPECT_EQ(response->status, 201);
    EXPECT_EQ(response->body, "hello");
    EXPECT_EQ(response->headers.value_or("x-seen", ""), "a");
    EXPECT_EQ(response->headers.value_or("x-host", ""),
              "127.0.0.1:" + std::to_string(server_->port()));
}

TEST_F(ClientTest, ErrorsOfTheServerAreResponses) {
    EXPECT_EQ(get(url("/nothing")).value().status, 404);
}

TEST_F(ClientTest, HeadAndChunkedAnswersAreUnderstood) {
    const auto head = ask({.method = Method::head, .url = url("/large")});
    EXPECT_EQ(head.value().headers.value_or("Content-Length", ""), "5000");
    EXPECT_EQ(head.value().body, "");
    EXPECT_EQ(get(url("/stream")).value().body, "one two");
}

TEST_F(ClientTest, ConnectionsAreKept) {
    TestListener listener;
    const std::string address = "http://127.0.0.1:" + std::to_string(listener.port()) + "/";
    std::thread server([&] {
        TestPeer peer = listener.accept();
        for (int i = 0; i < 3; ++i) {
            peer.read_to("\r\n\r\n");
            peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" +
                      std::to_string(i));
        }
    });
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(get(address).value().body, std::to_string(i));
    }
    server.join();
}

TEST_F(ClientTest, AKeptConnectionThatWasClosedIsReplaced) {
    TestListener listener;
    const std::string address = "http://127.0.0.1:" + std::to_string(listener.port()) + "/";
    std::thread server([&] {
        for (int i = 0; i < 2; ++i) {
            TestPeer peer = listener.accept();
            peer.read_to("\r\n\r\n");
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    EXPECT_EQ(ask({.method = Method::post, .url = address}).value().body, "ok");
    std::this_thread::sleep_for(50ms);  // the close arrives before the next request
    EXPECT_EQ(ask({.method = Method::post, .url = address}).value().body, "ok");
    server.join();
}

TEST_F(ClientTest, OnlyWhatMayBeRepeatedIsSentAgain) {
    TestListener listener;
    const std::string address = "http://127.0.0.1:" + std::to_string(listener.port()) + "/";
    std::thread server([&] {
        for (int i = 0; i < 3; ++i) {
            TestPeer peer = listener.accept();
            peer.read_to("\r\n\r\n");
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            peer.read_to("\r\n\r\n");  // the second request is read and never answered
        }
    });
    EXPECT_THAT(get(address), Succeeds());
    EXPECT_THAT(get(address), Succeeds()) << "a GET is repeated on a new connection";
    EXPECT_THAT(ask({.method = Method::post, .url = address}), FailsWith(ErrorKind::unavailable));
    EXPECT_THAT(get(address), Succeeds());
    EXPECT_THAT(ask({.method = Method::post, .url = address}), FailsWith(ErrorKind::unavailable));
    server.join();
}

TEST_F(ClientTest, ABodyMayEndWithTheConnection) {
    TestListener listener;
    std::thread server([&] {
        TestPeer peer = listener.accept();
        peer.read_to("\r\n\r\n");
        peer.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
    });
    EXPECT_EQ(get("http://127.0.0.1:" + std::to_string(listener.port())).value().body,
              "until the end");
    server.join();
}

TEST_F(ClientTest, ACutBodyIsAnError) {
    TestListener listener;
    std::thread server([&] {
        TestPeer peer = listener.accept();
        peer.read_to("\r\n\r\n");
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut");
    });
    EXPECT_THAT(get("http://127.0.0.1:" + std::to_string(listener.port())),
                FailsWith(ErrorKind::unavailable, HasSubstr("broke")));
    server.join();
}

TEST_F(ClientTest, ResponsesAboveTheLimitAreRefused) {
    make({.response_bytes_max = 4999});
    EXPECT_THAT(get(url("/large")), FailsWith(ErrorKind::exhausted, HasSubstr("4999 bytes")));
    make({.response_bytes_max = 5000});
    EXPECT_THAT(get(url("/large")), Succeeds());
}

TEST_F(ClientTest, ABodyMayBeTakenAsItComesAndThenHasNoLimit) {
    make({.response_bytes_max = 100});
    std::string taken;
    const auto answer = io::wait_for<Response>([&](auto done) {
        client_->send(
            {.url = url("/large"), .on_body = [&](std::string_view piece) { taken += piece; }},
            std::move(done));
    });
    ASSERT_THAT(answer, Succeeds());
    EXPECT_EQ(answer->body, "");
    EXPECT_EQ(taken, std::string(5000, 'x'));
}

TEST_F(ClientTest, TheBodyOfARefusalIsNotTakenForTheAnswer) {
    std::string taken;
    const auto answer = io::wait_for<Response>([&](auto done) {
        client_->send(
            {.url = url("/absent"), .on_body = [&](std::string_view piece) { taken += piece; }},
            std::move(done));
    });
    ASSERT_THAT(answer, Succeeds());
    EXPECT_EQ(answer->status, 404);
    EXPECT_EQ(taken, "");
    EXPECT_NE(answer->body, "");
}

TEST_F(ClientTest, ErrorBodiesStayBoundedUnderASink) {
    make({.response_bytes_max = 20});
    EXPECT_THAT(ask({.url = url("/nothing"), .on_body = [](std::string_view) {}}),
                FailsWith(ErrorKind::exhausted, HasSubstr("20 bytes")));
}

TEST_F(ClientTest, TheTotalTimeoutHolds) {
    const SystemClock clock;
    const SteadyTime begin = clock.steady();
    EXPECT_THAT(ask({.url = url("/never"), .timeout = 100ms}),
                FailsWith(ErrorKind::unavailable, HasSubstr("within 100 ms")));
    EXPECT_LT(clock.steady() - begin, 5s);
    EXPECT_GE(clock.steady() - begin, 100ms);
}

TEST_F(ClientTest, ConnectionsPerHostAreBoundedAndSoIsTheQueue) {
    make({.connections_per_host_max = 2, .waiting_per_host_max = 1});
    std::atomic<int> timeouts = 0;
    for (int i = 0; i < 3; ++i) {
        client_->send({.url = url("/never"), .timeout = 300ms},
                      [&](Result<Response> result) { timeouts += result ? 0 : 1; });
    }
    EXPECT_THAT(get(url("/large")), FailsWith(ErrorKind::exhausted, HasSubstr("1 requests")));
    EXPECT_LE(never_count_, 2);
    while (timeouts < 3) {
        std::this_thread::sleep_for(5ms);
    }
    EXPECT_THAT(get(url("/large")), Succeeds()) << "the places are free again";
}

TEST_F(ClientTest, WaitingRequestsGetTheirTurn) {
    make({.connections_per_host_max = 1});
    std::atomic<int> answered = 0;
    constexpr int count = 200;
    for (int i = 0; i < count; ++i) {
        client_->send({.method = Method::post, .url = url("/echo"), .body = std::to_string(i)},
                      [&, i](Result<Response> result) {
                          answered += result && result->body == std::to_string(i) ? 1 : 1000;
                      });
    }
    for (int i = 0; i < 2000 && answered < count; ++i) {
        std::this_thread::sleep_for(5ms);
    }
    EXPECT_EQ(answered, count);
}

TEST_F(ClientTest, NobodyListeningIsUnavailable) {
    std::uint16_t port = 0;
    {
        port = TestListener().port();
    }
    EXPECT_THAT(get("http://127.0.0.1:" + std::to_string(port)),
                FailsWith(ErrorKind::unavailable, HasSubstr("connect: Connection refused")));
}

TEST_F(ClientTest, PrivateNetworksAreRefusedByAddressAndAllowedByName) {
    make({.private_networks = PrivateNetworks::refused});
    EXPECT_THAT(get(url("/large")), FailsWith(ErrorKind::invalid, HasSubstr("private network")));
    const std::string by_name =
        "http://" + name_of_this_machine + ":" + std::to_string(server_->port()) + "/large";
    EXPECT_THAT(get(by_name), FailsWith(ErrorKind::invalid, HasSubstr("private network")))
        << "a public-looking name does not help";
    make({.private_networks = PrivateNetworks::refused, .hosts_allowed = {"0X7F.1"}});
    EXPECT_THAT(get(by_name), Succeeds());
    EXPECT_THAT(get(url("/large")), FailsWith(ErrorKind::invalid)) << "allowed is only the name";
}

TEST_F(ClientTest, DestructionCompletesWhatIsUnderWay) {
    Result<Response> result = fail(ErrorKind::invalid, "never completed");
    client_->send({.url = url("/never")},
                  [&](Result<Response> outcome) { result = std::move(outcome); });
    client_.reset();
    EXPECT_THAT(result, FailsWith(ErrorKind::unavailable, HasSubstr("closed")));
}

TEST_F(ClientTest, CreateNamesAnUnreadableCertificateFile) {
    EXPECT_THAT(Client::create({.certificate_file = "/no/such.pem"}),
                FailsWith(ErrorKind::invalid, HasSubstr("/no/such.pem")));
}

struct UrlCase {
    const char* claim;
    const char* text;
    const char* says;
};

class BadUrlTest : public testing::TestWithParam<UrlCase> {};

TEST_P(BadUrlTest, IsRefusedWithTheReason) {
    EXPECT_THAT(Url::parse(GetParam().text),
                FailsWith(ErrorKind::invalid, HasSubstr(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(Table, BadUrlTest,
                         testing::Values(UrlCase{"Relative", "/relative", "absolute"},
                                         UrlCase{"Space", "http://a/b c", "well-formed"},
                                         UrlCase{"LineEnd", "http://a/\r\nX: y", "well-formed"},
                                         UrlCase{"OtherScheme", "ftp://a/", "http and https"},
                                         UrlCase{"Password", "http://user:secret@a/",
                                                 "in front of the host"},
                                         UrlCase{"NoHost", "http:///path", "host is missing"},
                                         UrlCase{"PortZero", "http://a:0/", "port"},
                                         UrlCase{"LargePort", "http://a:99999/", "port"}),
                         [](const auto& info) { return info.param.claim; });

TEST(UrlTest, IsTakenApart) {
    const Url plain = Url::parse("http://Example.ORG").value();
    EXPECT_EQ(plain.host, "example.org");
    EXPECT_EQ(plain.target, "/");
    EXPECT_EQ(plain.authority, "example.org");
    const Url full = Url::parse("https://[2001:db8::1]:8443/a%20b?c=d#e").value();
    EXPECT_TRUE(full.tls);
    EXPECT_EQ(full.host, "2001:db8::1");
    EXPECT_EQ(full.port, 8443);
    EXPECT_EQ(full.authority, "[2001:db8::1]:8443");
    EXPECT_EQ(full.target, "/a%20b?c=d");
    EXPECT_EQ(Url::parse("http://a?q").value().target, "/?q");
}

TEST(PrivateNetworkTest, KnowsTheRangesAtTheirEdges) {
    const std::vector<std::pair<IpV4, bool>> cases = {
        {{9, 255, 255, 255}, false},  {{10, 0, 0, 0}, true},        {{11, 0, 0, 0}, false},
        {{100, 63, 255, 255}, false}, {{100, 64, 0, 1}, true},      {{100, 128, 0, 0}, false},
        {{127, 0, 0, 1}, true},       {{169, 254, 169, 254}, true}, {{172, 15, 255, 255}, false},
        {{172, 16, 0, 0}, true},      {{172, 31, 255, 255}, true},  {{172, 32, 0, 0}, false},
        {{192, 168, 1, 1}, true},     {{192, 169, 0, 0}, false},    {{0, 0, 0, 0}, true},
        {{255, 255, 255, 255}, true}, {{8, 8, 8, 8}, false}};
    for (const auto& [address, expected] : cases) {
        EXPECT_EQ(is_private_network(address), expected)
            << int(address[0]) << "." << int(address[1]) << "." << int(address[2]);
        IpV6 mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        std::copy(address.begin(), address.end(), mapped.begin() + 12);
        EXPECT_EQ(is_private_network(mapped), expected) << "IPv4-mapped";
    }
    EXPECT_TRUE(is_private_network(IpV6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
    EXPECT_TRUE(is_private_network(IpV6{0xfd, 0x12}));
    EXPECT_TRUE(is_private_network(IpV6{0xfe, 0xbf}));
    EXPECT_TRUE(is_private_network(IpV6{0x20, 0x02, 10, 0, 0, 1}));
    EXPECT_TRUE(
        is_private_network(IpV6{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 1}));
    EXPECT_FALSE(is_private_network(IpV6{0x20, 0x01, 0x48, 0x60, 0x48, 0x60}));
}

}  // namespace
}  // namespace bascule::http
