#include "server/http/form.h"

#include <gmock/gmock.h>

#include "foundation/base/clock.h"
#include "foundation/base/testing.h"
#include "server/http/reply.h"
#include "server/http/wire.h"

namespace bascule::http {
namespace {

using testing::HasSubstr;

constexpr const char* form_type = "multipart/form-data; boundary=AaB03x";

std::string part(const std::string& header, const std::string& content) {
    return "--AaB03x\r\n" + header + "\r\n\r\n" + content + "\r\n";
}

TEST(ParseFormTest, ReadsFieldsAndFiles) {
    const std::string body =
        "preamble\r\n" + part("Content-Disposition: form-data; name=\"account\"", "Joint") +
        part(
            "content-disposition: form-data; name=file; filename=\"a \\\"b\\\".csv\"\r\n"
            "Content-Type: text/csv",
            "x;y\r\n--AaB03\r\n") +
        part("Content-Disposition: form-data; name=empty", "") + "--AaB03x--\r\nepilogue";
    const auto parts = parse_form("Multipart/Form-Data; charset=utf-8; boundary=\"AaB03x\"", body);
    ASSERT_THAT(parts, Succeeds());
    ASSERT_EQ(parts->size(), 3u);
    EXPECT_EQ((*parts)[0].name, "account");
    EXPECT_EQ((*parts)[0].content, "Joint");
    EXPECT_EQ((*parts)[0].filename, "");
    EXPECT_EQ((*parts)[1].filename, "a \"b\".csv");
    EXPECT_EQ((*parts)[1].content_type, "text/csv");
    EXPECT_EQ((*parts)[1].content, "x;y\r\n--AaB03\r\n") << "what looks like a boundary is content";
    EXPECT_EQ((*parts)[2].content, "");
}

TEST(ParseFormTest, AFormMayHaveNoParts) {
    EXPECT_EQ(parse_form(form_type, "--AaB03x--\r\n").value().size(), 0u);
}

TEST(ParseFormTest, BackslashesOfAWindowsPathStay) {
    const auto parts = parse_form(
        form_type,
        part("Content-Disposition: form-data; name=f; filename=\"C:\\bank\\may.csv\"", "x") +
            "--AaB03x--");
    ASSERT_THAT(parts, Succeeds());
    EXPECT_EQ(parts->front().filename, "C:\\bank\\may.csv");
}

struct BadForm {
    const char* claim;
    std::string type;
    std::string body;
    const char* says;
};

class BadFormTest : public testing::TestWithParam<BadForm> {};

TEST_P(BadFormTest, IsRefusedWithTheReason) {
    EXPECT_THAT(parse_form(GetParam().type, GetParam().body),
                FailsWith(ErrorKind::invalid, HasSubstr(GetParam().says)));
}

const std::string good_header = "Content-Disposition: form-data; name=a";

INSTANTIATE_TEST_SUITE_P(
    Table, BadFormTest,
    testing::Values(
        BadForm{"AnotherType", "application/json", "", "application/json"},
        BadForm{"NoBoundary", "multipart/form-data", "", "names no boundary"},
        BadForm{"EndlessBoundary", "multipart/form-data; boundary=" + std::string(71, 'x'), "",
                "1 to 70"},
        BadForm{"BoundaryMissing", form_type, "nothing", "does not occur"},
        BadForm{"Cut", form_type, part(good_header, "x"), "is cut"},
        BadForm{"CutInHeader", form_type, "--AaB03x\r\nContent-Dis", "is cut"},
        BadForm{"NoName", form_type, part("Content-Disposition: form-data", "x") + "--AaB03x--",
                "with a name"},
        BadForm{"NoDisposition", form_type, part("Content-Type: a/b", "x") + "--AaB03x--",
                "lacks Content-Disposition"},
        BadForm{"HeaderWithoutColon", form_type, part("nonsense", "x") + "--AaB03x--", "colon"},
        BadForm{"LargePartHeader", form_type,
                part(good_header + "\r\nX: " + std::string(5000, 'x'), "") + "--AaB03x--",
                "above 4 KiB"},
        BadForm{"LongerBoundary", form_type, "--AaB03xy\r\n", "line end"}),
    [](const auto& info) { return info.param.claim; });

TEST(ParseFormTest, PartsAreBounded) {
    std::string body;
    for (int i = 0; i < 65; ++i) {
        body += part(good_header, "x");
    }
    EXPECT_THAT(parse_form(form_type, body + "--AaB03x--"),
                FailsWith(ErrorKind::invalid, HasSubstr("more than 64")));
}

TEST(ParseFormTest, HostileBodiesTakeLinearTime) {
    const SystemClock clock;
    std::string body = "--AaB03x\r\n" + good_header + "\r\n\r\n";
    while (body.size() < (8u << 20)) {
        body += "\r\n--AaB03";  // all of the boundary but its last letter
    }
    const SteadyTime begin = clock.steady();
    EXPECT_THAT(parse_form(form_type, body), FailsWith(ErrorKind::invalid));
    EXPECT_LT(clock.steady() - begin, 5s);
}

TEST(ParseQueryTest, DecodesAndKeepsOrder) {
    const Fields fields = parse_query("b=2&a=%C3%A4+x&&flag&b=3&=v").value();
    EXPECT_EQ(fields.size(), 5u);
    EXPECT_EQ(fields.find("b"), "2");
    EXPECT_EQ(fields.find("a"), "\xc3\xa4 x");
    EXPECT_EQ(fields.find("flag"), "");
    EXPECT_EQ(fields.find("none"), std::nullopt);
    EXPECT_THAT(parse_query("a=%4"), FailsWith(ErrorKind::invalid, HasSubstr("a=%4")));
}

TEST(HttpDateTest, IsAsRfc9110Says) {
    EXPECT_EQ(http_date(from_unix_ms(784'111'777'000)), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(http_date(from_unix_ms(1'709'164'799'999)), "Wed, 28 Feb 2024 23:59:59 GMT");
}

TEST(HeadersTest, NamesHaveNoCase) {
    Headers headers{{"Content-Type", "a"}, {"content-type", "b"}};
    EXPECT_EQ(headers.find("CONTENT-TYPE"), "a");
    headers.set("Content-type", "c");
    EXPECT_EQ(headers.size(), 1u);
    EXPECT_EQ(headers.value_or("content-type", ""), "c");
}

TEST(ServerSentEventTest, EveryLineEndBeginsADataLine) {
    EXPECT_EQ(server_sent_event("", "", "a\r\nb\rc\n"), "data: a\ndata: b\ndata: c\ndata: \n\n");
    EXPECT_EQ(server_sent_event("7", "x", ""), "id: 7\nevent: x\ndata: \n\n");
}

TEST(ErrorResponseTest, HasTheOneShape) {
    EXPECT_EQ(
        error_response(422, {.code = "c", .message = "m \"q\"", .hint = "h", .field = "f"}, "id")
            .body,
        R"({"error":{"code":"c","message":"m \"q\"","hint":"h","field":"f","requestId":"id"}})");
    const Response busy = error_response(Error(ErrorKind::unavailable, "later"), "id");
    EXPECT_EQ(busy.status, 503);
    EXPECT_EQ(busy.headers.value_or("Retry-After", ""), "1");
}

}  // namespace
}  // namespace bascule::http
