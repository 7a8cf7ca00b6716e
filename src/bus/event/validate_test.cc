#include "bus/event/validate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "bus/event/builders.h"
#include "bus/event/catalogue.h"
#include "bus/event/seed_form.h"
#include "bus/event/types.h"
#include "foundation/base/random.h"
#include "foundation/base/testing.h"
#include "foundation/json/raw.h"
#include "foundation/json/schema.h"

namespace bascule::event {
namespace {

using testing::HasSubstr;
using testing::Not;

const Occasion occasion{
    .event_id = "e-1", .timestamp = from_unix_ms(1732521600123), .user_id = "u-1"};
const DateRange november{.start_date = "2026-11-01", .end_date = "2026-11-30"};

/// One event of every type of the catalogue, with every optional field, and some without.
std::vector<Event> samples() {
    const std::vector<Change> edits = {
        {.field = "memo", .old_value = "null", .new_value = R"("x")"}};
    return {
        file_uploaded(occasion, {.file_id = "f",
                                 .file_name = "n",
                                 .file_size = 812,
                                 .s3_key = "k",
                                 .account_id = "a",
                                 .file_format = "csv"}),
        file_uploaded(occasion, {.file_id = "f", .file_name = "n", .file_size = 0, .s3_key = "k"}),
        file_processed(occasion, {.file_id = "f",
                                  .account_id = "a",
                                  .transaction_count = 2,
                                  .duplicate_count = 1,
                                  .date_range = november,
                                  .processing_status = ProcessingStatus::partial,
                                  .error_message = "row 3"}),
        file_processed(
            occasion,
            {.file_id = "f", .account_id = "", .processing_status = ProcessingStatus::failed}),
        file_associated(occasion, {.file_id = "f", .account_id = "a", .previous_account_id = "b"}),
        file_deleted(occasion, {.file_id = "f", .account_id = "a", .transaction_count = 3}),
        import_reverted(occasion, {.file_id = "f",
                                   .account_id = "a",
                                   .deleted_count = 1,
                                   .restored_count = 2,
                                   .kept_count = 3}),
        transactions_created(occasion, {.file_id = "f",
                                        .account_id = "a",
                                        .transaction_ids = {"t1", "t2"},
                                        .date_range = november,
                                        .chunk = Chunk{.index = 1, .count = 2}}),
        transactions_created(occasion, {.file_id = "",
                                        .account_id = "a",
                                        .transaction_ids = {"t1"},
                                        .date_range = november,
                                        .origin = Origin::manual}),
        transaction_updated(occasion, {.transaction_id = "t", .account_id = "a", .changes = edits}),
        transactions_deleted(occasion, {.transaction_ids = {"t"},
                                        .account_ids = {"a"},
                                        .deletion_type = DeletionType::account_deleted,
                                        .chunk = Chunk{}}),
        transaction_categorized(occasion, {.transaction_id = "t",
                                           .account_id = "a",
                                           .category_id = "",
                                           .previous_category_id = "c",
                                           .confidence = 85,
                                           .assignment_type = AssignmentType::suggested,
                                           .rule_id = "r"}),
        account_created(occasion, {.account_id = "a",
                                   .account_name = "Giro",
                                   .account_type = "checking",
                                   .currency = "EUR"}),
        account_updated(occasion, {.account_id = "a", .changes = edits}),
        account_deleted(occasion, {.account_id = "a", .transaction_count = 7}),
        preferences_updated(occasion, {.changes = edits}),
        user_deleted(occasion, {.notification_count = 2}),
        category_rules_applied(occasion, {.category_id = "c",
                                          .rule_ids = {"r"},
                                          .transaction_ids = {"t"},
                                          .application_type = ApplicationType::automated}),
        category_rule_created(
            occasion,
            {.category_id = "c", .rule_id = "r", .rule_pattern = "LIDL", .auto_apply = true}),
        category_rule_updated(occasion, {.category_id = "c", .rule_id = "r", .changes = edits}),
        category_rule_deleted(occasion, {.category_id = "c", .rule_id = "r"}),
        category_created(occasion, {.category_id = "c",
                                    .category_name = "Food",
                                    .category_type = CategoryType::expense,
                                    .parent_category_id = "p"}),
        category_updated(occasion, {.category_id = "c", .changes = edits}),
        category_deleted(occasion, {.category_id = "c", .transaction_count = 1}),
        analytics_computed(occasion, {.analytic_types = {"cash_flow"},
                                      .account_id = "a",
                                      .data_through = "2026-11-30",
                                      .generation = 12}),
        notification_raised(occasion, {.notification_id = "n",
                                       .kind = "import_finished",
                                       .severity = Severity::warning,
                                       .title = "t",
                                       .body = "b",
                                       .subject_id = "f"}),
        bus_rule_changed(occasion,
                         {.rule_name = "r", .change = RuleChange::created, .rule_version = 4}),
        bus_consumer_paused(occasion, {.consumer = "c", .reason = "why", .until = from_unix_ms(9)}),
        bus_consumer_resumed(occasion, {.consumer = "c", .from = "position"}),
        bus_letter_redriven(
            occasion,
            {.consumer = "c", .letter_id = "c:3", .letter_event_id = "e", .reason = "fixed"}),
        bus_letter_discarded(occasion,
                             {.consumer = "c", .letter_id = "c:3", .letter_event_id = ""}),
        bus_letter_skipped(
            occasion, {.consumer = "c", .letter_id = "c:3", .letter_event_id = "e", .reason = "x"}),
        bus_letter_stopped(occasion, {.consumer = "c", .letter_id = "c:3", .letter_event_id = "e"}),
        bus_config_reloaded(occasion, {.file = "event_routing.yaml", .rule_version = 5}),
    };
}

TEST(BuildersTest, MakeValidEvents) {
    for (const Event& event : samples()) {
        EXPECT_THAT(validate(event), Succeeds()) << event.event_type << " " << event.data;
        ASSERT_NE(find_type(event.event_type), nullptr);
        EXPECT_EQ(event.source, find_type(event.event_type)->source);
    }
}

TEST(BuildersTest, CoverTheCatalogue) {
    const auto all = samples();
    for (const TypeInfo& type : catalogue()) {
        EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const Event& event) {
            return event.event_type == type.name;
        })) << type.name;
    }
}

TEST(BuildersTest, WriteTheSeedsNames) {
    EXPECT_EQ(
        samples()[2].data,
        R"({"fileId":"f","accountId":"a","transactionCount":2,"duplicateCount":1,"dateRange":{"startDate":"2026-11-01","endDate":"2026-11-30"},"processingStatus":"partial","errorMessage":"row 3"})");
    EXPECT_EQ(
        samples()[8].data,
        R"({"fileId":"","accountId":"a","transactionIds":["t1"],"transactionCount":1,"dateRange":{"startDate":"2026-11-01","endDate":"2026-11-30"},"origin":"manual"})");
}

TEST(BuildersTest, HangEventsUnderTheirCause) {
    const Event cause = samples()[0];
    const Occasion next = caused_by(view_of(cause), "e-2", from_unix_ms(7));
    EXPECT_EQ(next.user_id, "u-1");
    EXPECT_EQ(next.causation_id, "e-1");
    EXPECT_EQ(next.correlation_id, "e-1");
    EXPECT_EQ(next.hops, 1U);
}

struct EnvelopeCase {
    const char* claim;
    void (*change)(Event&);
    const char* fault;
};

class EnvelopeTest : public testing::TestWithParam<EnvelopeCase> {};

TEST_P(EnvelopeTest, NamesFieldAndWhatIsAllowed) {
    Event event = samples()[0];
    GetParam().change(event);
    EXPECT_THAT(validate(event), FailsWith(ErrorKind::invalid, HasSubstr(GetParam().fault)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, EnvelopeTest,
    testing::Values(
        EnvelopeCase{"NoId", [](Event& e) { e.event_id = ""; },
                     "/eventId: is missing; must be a string of 1 to 128 bytes"},
        EnvelopeCase{"LongId", [](Event& e) { e.event_id.assign(129, 'x'); },
                     "/eventId: has 129 bytes; at most 128 are allowed"},
        EnvelopeCase{"NoType", [](Event& e) { e.event_type = ""; }, "/eventType: is missing"},
        EnvelopeCase{"TypeWithoutVerb", [](Event& e) { e.event_type = "file"; },
                     "/eventType: must be noun.verb"},
        EnvelopeCase{"TypeEndingInPoint", [](Event& e) { e.event_type = "file."; },
                     "/eventType: must be noun.verb"},
        EnvelopeCase{"TypeWithBlank", [](Event& e) { e.event_type = "file. uploaded"; },
                     "is \"file. uploaded\""},
        EnvelopeCase{"BadVersion", [](Event& e) { e.event_version = "1"; },
                     "/eventVersion: must be major.minor, is \"1\""},
        EnvelopeCase{"UnknownMajorVersion", [](Event& e) { e.event_version = "2.0"; },
                     "known here in version 1.0, not \"2.0\""},
        EnvelopeCase{"NoTime", [](Event& e) { e.timestamp = {}; }, "/timestamp: is missing"},
        EnvelopeCase{"TimeBeforeTheEpoch", [](Event& e) { e.timestamp = from_unix_ms(-1); },
                     "/timestamp: must be Unix time in ms, 1 to"},
        EnvelopeCase{"TimeAfterYear9999",
                     [](Event& e) { e.timestamp = from_unix_ms(253402300800000); },
                     "is 253402300800000"},
        EnvelopeCase{"NoSource", [](Event& e) { e.source = ""; }, "/source: is missing"},
        EnvelopeCase{"AwsSource", [](Event& e) { e.source = "aws.s3"; },
                     "/source: must not begin with \"aws.\""},
        EnvelopeCase{"NoUser", [](Event& e) { e.user_id = ""; }, "/userId: is missing"},
        EnvelopeCase{"LongCorrelation", [](Event& e) { e.correlation_id.assign(200, 'x'); },
                     "/correlationId: has 200 bytes"},
        EnvelopeCase{"NoData", [](Event& e) { e.data = ""; },
                     "/data: is missing; must be an object"},
        EnvelopeCase{"MetadataIsNoObject", [](Event& e) { e.metadata = "[]"; },
                     "/metadata: must be an object, is []"},
        EnvelopeCase{"LineFeedInId", [](Event& e) { e.event_id = "e\n1"; },
                     "/eventId: must not contain control characters, is \"e\\n1\""},
        EnvelopeCase{"ZeroByteInUser", [](Event& e) { e.user_id = std::string("u\0x", 3); },
                     "/userId: must not contain control characters, is \"u\\u0000x\""},
        EnvelopeCase{"CarriageReturnInSource", [](Event& e) { e.source = "a\rb"; },
                     "/source: must not contain control characters"},
        EnvelopeCase{"TabInType", [](Event& e) { e.event_type = "x.\ty"; },
                     "/eventType: must not contain control characters"},
        EnvelopeCase{"DeleteInCorrelation", [](Event& e) { e.correlation_id = "c\x7f"; },
                     "/correlationId: must not contain control characters"},
        EnvelopeCase{"C1ControlInCausation", [](Event& e) { e.causation_id = "c\xC2\x85"; },
                     "/causationId: must not contain control characters"},
        EnvelopeCase{"LineSeparatorInId", [](Event& e) { e.event_id = "a\u2028b"; },
                     "/eventId: must not contain control characters"},
        EnvelopeCase{"ParagraphSeparatorInUser", [](Event& e) { e.user_id = "a\u2029"; },
                     "/userId: must not contain control characters"},
        EnvelopeCase{"RightToLeftOverrideInSource", [](Event& e) { e.source = "a\u202Eb"; },
                     "/source: must not contain control characters"},
        EnvelopeCase{"EmbeddingInType", [](Event& e) { e.event_type = "a.\u202Ab"; },
                     "/eventType: must not contain control characters"},
        EnvelopeCase{"FirstIsolateInCorrelation", [](Event& e) { e.correlation_id = "\u2066"; },
                     "/correlationId: must not contain control characters"},
        EnvelopeCase{"LastIsolateInUser", [](Event& e) { e.user_id = "\u2069"; },
                     "/userId: must not contain control characters"},
        EnvelopeCase{"ControlInVersion", [](Event& e) { e.event_version = "1.0\n"; },
                     "/eventVersion: must not contain control characters"},
        EnvelopeCase{"UnknownTypeWithoutObject",
                     [](Event& e) {
                         e.event_type = "x.y";
                         e.data = "[1]";
                     },
                     "/data: must be an object, is [1]"}),
    [](const auto& info) { return info.param.claim; });

TEST(ValidateTest, AcceptsUnknownTypesUnlessToldOtherwise) {
    Event event = samples()[0];
    event.event_type = "parcel.arrived";
    event.data = R"({"anything":[]})";
    EXPECT_THAT(validate(event), Succeeds());
    EXPECT_THAT(
        validate(event, {.unknown_types = UnknownTypes::refuse}),
        FailsWith(ErrorKind::invalid, HasSubstr("not in the catalogue: \"parcel.arrived\"")));
}

TEST(ValidateTest, FindsAControlCharacterAtEveryPlace) {
    for (std::size_t place = 0; place < 20; ++place) {
        for (int byte = 0; byte < 0x80; ++byte) {
            Event event = samples()[1];
            event.event_id = "abcdefghijklmnopqrst";
            event.event_id[place] = static_cast<char>(byte);
            EXPECT_EQ(validate(event).has_value(), byte >= 0x20 && byte != 0x7f)
                << "byte " << byte << " at " << place;
        }
    }
}

TEST(ValidateTest, AcceptsTextOfAllTongues) {
    Event event = samples()[0];
    // C2 A0 is a no-break space, not a control; the others stand beside what is refused.
    event.event_id = "Überweisung \xC2\xA0 №7 \u2027\u202F\u2065\u206A€";
    event.user_id = "さくら";
    event.source = "Straße/ß";
    EXPECT_THAT(validate(event), Succeeds());
}

TEST(ValidateTest, AcceptsForeignEventBridgeEvents) {
    const Event event{.form = Form::eventbridge,
                      .event_id = "1",
                      .event_type = "Order Placed",
                      .timestamp = from_unix_ms(1),
                      .source = "shop",
                      .data = "{}"};
    EXPECT_THAT(validate(event), Succeeds());
    Event broken = event;
    broken.event_type = "Order\nPlaced";
    EXPECT_THAT(validate(broken),
                FailsWith(ErrorKind::invalid,
                          HasSubstr("/eventType: must not contain control characters")));
}

struct DataCase {
    const char* claim;
    const char* type;
    const char* data;
    const char* fault;  ///< "" = valid
};

class DataTest : public testing::TestWithParam<DataCase> {};

TEST_P(DataTest, PointsAtTheFault) {
    const auto faults = faults_of_data(GetParam().type, GetParam().data).value();
    if (*GetParam().fault == '\0') {
        EXPECT_TRUE(faults.empty()) << faults.front().text();
        return;
    }
    ASSERT_FALSE(faults.empty());
    EXPECT_THAT(faults.front().text(), HasSubstr(GetParam().fault));
}

INSTANTIATE_TEST_SUITE_P(
    Table, DataTest,
    testing::Values(
        DataCase{"CountAsText", "account.deleted", R"({"accountId":"a","transactionCount":"3"})",
                 "/data/transactionCount: must be an integer ≥ 0 (at most 2^53 - 1), is \"3\""},
        DataCase{"NegativeCount", "account.deleted", R"({"accountId":"a","transactionCount":-1})",
                 "is -1"},
        DataCase{"WholeNumberWithFraction", "account.deleted",
                 R"({"accountId":"a","transactionCount":3.0})", ""},
        DataCase{"CountBeyond53Bits", "account.deleted",
                 R"({"accountId":"a","transactionCount":9007199254740992})", "2^53"},
        DataCase{"MissingField", "account.deleted", R"({"accountId":"a"})",
                 "/data/transactionCount: is missing; must be an integer"},
        DataCase{"EmptyId", "account.deleted", R"({"accountId":"","transactionCount":1})",
                 "/data/accountId: must be a non-empty string, is \"\""},
        DataCase{"NullForRequired", "account.deleted", R"({"accountId":null,"transactionCount":1})",
                 "/data/accountId: must be a non-empty string, is null"},
        DataCase{"UnknownMembersAreWelcome", "account.deleted",
                 R"({"accountId":"a","transactionCount":1,"more":{"x":[]}})", ""},
        DataCase{"SameFieldTwice", "account.deleted",
                 R"({"accountId":"a","transactionCount":1,"accountId":"b"})",
                 "/data/accountId: appears twice"},
        DataCase{"EscapedName", "account.deleted", R"({"account\u0049d":"a","transactionCount":1})",
                 ""},
        DataCase{"NoObject", "account.deleted", "[]", "/data: must be an object, is []"},
        DataCase{"NoJson", "account.deleted", R"({"accountId":"a",)", "/data: is no JSON: line 1"},
        DataCase{
            "OptionalNull", "file.uploaded",
            R"({"fileId":"f","fileName":"n","fileSize":1,"s3Key":"k","accountId":null,"fileFormat":null})",
            ""},
        DataCase{"OptionalOfWrongKind", "file.uploaded",
                 R"({"fileId":"f","fileName":"n","fileSize":1,"s3Key":"k","accountId":3})",
                 "/data/accountId: must be a string, is 3"},
        DataCase{
            "NullableMustBeThere", "file.processed",
            R"({"fileId":"f","accountId":"","transactionCount":0,"duplicateCount":0,"processingStatus":"failed"})",
            "/data/dateRange: is missing"},
        DataCase{
            "UnknownOption", "file.processed",
            R"({"fileId":"f","accountId":"","transactionCount":0,"duplicateCount":0,"dateRange":null,"processingStatus":"done"})",
            "/data/processingStatus: must be one of \"success\", \"partial\", \"failed\", is "
            "\"done\""},
        DataCase{
            "BadDay", "file.processed",
            R"({"fileId":"f","accountId":"","transactionCount":0,"duplicateCount":0,"dateRange":{"startDate":"2026-11-31","endDate":"26-11-30"},"processingStatus":"failed"})",
            "/data/dateRange/endDate: must be a date YYYY-MM-DD, is \"26-11-30\""},
        DataCase{"EmptyIdInList", "transactions.deleted",
                 R"({"transactionIds":["a",""],"accountIds":[],"deletionType":"bulk"})",
                 "/data/transactionIds/1: must be a non-empty string"},
        DataCase{
            "TextForList", "transactions.deleted",
            R"({"transactionIds":"a","accountIds":[],"deletionType":"bulk"})",
            "/data/transactionIds: must be an array of at most 1000 non-empty strings, is \"a\""},
        DataCase{
            "ChunkOfNothing", "transactions.deleted",
            R"({"transactionIds":[],"accountIds":[],"deletionType":"bulk","chunk":{"index":0,"count":0}})",
            "/data/chunk/count: must be an integer ≥ 1, is 0"},
        DataCase{"ChangeWithoutField", "account.updated",
                 R"({"accountId":"a","changes":[{"field":"x"},{"oldValue":1}]})",
                 "/data/changes/1/field: is missing"},
        DataCase{"ChangeIsNoObject", "account.updated", R"({"accountId":"a","changes":[3]})",
                 "/data/changes/0: must be an object {field, oldValue, newValue}, is 3"},
        DataCase{
            "ConfidenceAboveHundred", "transaction.categorized",
            R"({"transactionId":"t","accountId":"a","categoryId":"c","confidence":100.5,"assignmentType":"manual"})",
            "/data/confidence: must be a number from 0 to 100, is 100.5"},
        DataCase{
            "ConfidenceWithFraction", "transaction.categorized",
            R"({"transactionId":"t","accountId":"a","categoryId":"c","confidence":99.5,"assignmentType":"manual"})",
            ""},
        DataCase{"FlagAsNumber", "category.rule_created",
                 R"({"categoryId":"c","ruleId":"r","rulePattern":"","autoApply":1})",
                 "/data/autoApply: must be true or false, is 1"},
        DataCase{"NoWords", "analytics.computed", R"({"analyticTypes":[],"generation":1})",
                 "at least one, has 0"}),
    [](const auto& info) { return info.param.claim; });

TEST(ValidateTest, HoldsAtMostThousandIds) {
    Event event = samples()[7];
    event = transactions_created(occasion, {.file_id = "f",
                                            .account_id = "a",
                                            .transaction_ids = std::vector<std::string>(1000, "t"),
                                            .date_range = november});
    EXPECT_THAT(validate(event), Succeeds());
    event = transactions_created(occasion, {.file_id = "f",
                                            .account_id = "a",
                                            .transaction_ids = std::vector<std::string>(1001, "t"),
                                            .date_range = november});
    EXPECT_THAT(validate(event), FailsWith(ErrorKind::invalid,
                                           HasSubstr("/data/transactionIds: must be an array of at "
                                                     "most 1000 non-empty strings, has 1001")));
}

TEST(ValidateTest, StopsAfterTheAskedNumberOfFaults) {
    EXPECT_EQ(faults_of(EventView{.data = "{}"}, {.faults_max = 2}).size(), 2U);
    EXPECT_THAT(faults_of_data("x.y", "{}"), FailsWith(ErrorKind::not_found, HasSubstr("\"x.y\"")));
}

TEST(CatalogueTest, CarriesASchemaForEveryType) {
    EXPECT_GE(catalogue().size(), 27U);
    for (const TypeInfo& type : catalogue()) {
        EXPECT_THAT(json::Schema::compile(type.schema), Succeeds()) << type.name;
        EXPECT_EQ(json::string_of(json::member_raw(type.schema, "title").value()), type.name);
        EXPECT_EQ(json::string_of(json::member_raw(type.schema, "description").value()),
                  type.description);
    }
}

/// Puts random values in place of random parts of a valid `data`.
json::Value mutated(const json::Value& value, Random& random) {
    static const char* const others[] = {
        "null",
        "true",
        "0",
        "-1",
        "1",
        "3.0",
        "0.5",
        "100",
        "100.5",
        "9007199254740991",
        "9007199254740992",
        "1e3",
        "\"\"",
        "\"x\"",
        "\"2026-11-30\"",
        "\"2026-13-01\"",
        "\"2026-1-01\"",
        "\"manual\"",
        "\"success\"",
        "[]",
        "[\"a\"]",
        "[\"\"]",
        "[1]",
        "[{}]",
        "[{\"field\":\"f\"}]",
        "{}",
        "{\"startDate\":\"2026-01-01\",\"endDate\":\"2026-01-02\"}",
        "{\"index\":0,\"count\":1}",
        "{\"index\":0,\"count\":0}"};
    if (random.below(5) == 0) {
        return json::Value::parse(others[random.below(std::size(others))]).value();
    }
    if (value.is(json::Kind::object)) {
        std::vector<json::Member> members;
        for (const auto& [key, member] : value.members()) {
            if (random.below(8) != 0) {
                members.push_back({key, random.below(3) == 0 ? mutated(member, random) : member});
            }
        }
        if (random.below(6) == 0) {
            members.push_back({"unknown", json::Value::number(1)});
        }
        return json::Value::object(std::move(members));
    }
    if (value.is(json::Kind::array)) {
        std::vector<json::Value> items;
        for (const json::Value& item : value.items()) {
            items.push_back(random.below(3) == 0 ? mutated(item, random) : item);
        }
        return json::Value::array(std::move(items));
    }
    return value;
}

// The published schemas, read by valijson, and the table that guards the bus must draw the same
// line.
TEST(ValidateTest, AgreesWithTheSchemasOnMutatedEvents) {
    Random random(11);
    int valid = 0;
    int invalid = 0;
    for (const Event& event : samples()) {
        const auto schema = json::Schema::compile(find_type(event.event_type)->schema).value();
        const auto original = json::Value::parse(event.data).value();
        for (int round = 0; round < 400; ++round) {
            const json::Value data = mutated(original, random);
            const auto faults = faults_of_data(event.event_type, data.text()).value();
            const auto violations = schema.validate(data);
            ASSERT_EQ(faults.empty(), violations.empty())
                << event.event_type << " " << data.text() << "\n"
                << (faults.empty() ? violations.front().pointer + ": " + violations.front().message
                                   : faults.front().text());
            (faults.empty() ? valid : invalid) += 1;
        }
    }
    EXPECT_GT(valid, 1000);
    EXPECT_GT(invalid, 1000);
}

}  // namespace
}  // namespace bascule::event
