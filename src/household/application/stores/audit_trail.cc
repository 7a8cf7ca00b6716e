#include "household/application/stores/audit_trail.h"

#include <algorithm>
#include <charconv>

#include "bus/event/body.h"
#include "foundation/sql/inbox.h"
#include "household/application/stores/audit_chain.h"
#include "household/application/stores/paging.h"
#include "household/application/stores/row_values.h"

namespace bascule::application {

namespace {

constexpr std::string_view columns =
    "number, event_offset, recorded_ms, body, event_id, event_type, event_version, source, user_id,"
    " timestamp_ms, correlation_id, causation_id";

/// An entry whose body was erased still says who, what and when.
Result<AuditEntry> entry_of(const sql::Row& row) {
    AuditEntry entry{.offset = Offset(static_cast<std::uint64_t>(row.integer(1))),
                     .recorded = from_unix_ms(row.integer(2)),
                     .event = {}};
    if (!row.is_null(3)) {
        const std::string body = row.blob(3);
        entry.event = event::owned(TRY(event::decode_body(body)));
        return entry;
    }
    entry.event.event_id = row.text(4);
    entry.event.event_type = row.text(5);
    entry.event.event_version = row.text(6);
    entry.event.source = row.text(7);
    entry.event.user_id = row.text(8);
    entry.event.timestamp = from_unix_ms(row.integer(9));
    entry.event.correlation_id = row.text(10);
    entry.event.causation_id = row.text(11);
    entry.event.data = "{}";
    return entry;
}

/// A `where` clause that grows, with its parameters.
class Filter {
  public:
    void equals(std::string_view column, const std::string& value) {
        if (!value.empty()) {
            add(std::string(column) + " = ", value);
        }
    }
    void at_least(std::string_view column, std::int64_t value) {
        add(std::string(column) + " >= ", value);
    }
    void below(std::string_view column, std::int64_t value) {
        add(std::string(column) + " < ", value);
    }
    /// Case-insensitive for ASCII, as `like` is. `value` outlives the filter.
    void contains(std::string_view column, const std::string& value) {
        add("lower(" + std::string(column) + ") like ", value, " escape '\\'");
    }

    const std::string& text() const { return text_; }
    const std::vector<sql::Param>& params() const { return params_; }

    std::string place(sql::Param value) {
        params_.push_back(value);
        return "?" + std::to_string(params_.size());
    }

  private:
    void add(const std::string& condition, sql::Param value, const char* after = "") {
        text_ += (text_.empty() ? " where " : " and ") + condition + place(value) + after;
    }

    std::string text_;
    std::vector<sql::Param> params_;
};

std::string lower_ascii(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    });
    return text;
}

/// A cursor is the number of the last entry of the page before.
Result<std::int64_t> number_of_cursor(const std::string& cursor) {
    const std::string text = TRY(decode_cursor(cursor));
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 1) {
        return fail(ErrorKind::invalid, "cursor: is not one of this list");
    }
    return number;
}

}  // namespace

AuditTrail::AuditTrail(sql::Database& database, sql::Writer& writer)
    : database_(database), writer_(writer) {
    writer_.on_commit([listener = listener_] {
        const auto current = listener->with([](const auto& set) { return set; });
        if (current) {
            current();
        }
    });
}

void AuditTrail::on_commit(std::function<void()> listener) {
    listener_->with([&](auto& set) { set = std::move(listener); });
}

std::vector<sql::Migration> AuditTrail::migrations() {
    std::vector<sql::Migration> all = sql::inbox::migrations();
    all.push_back(
        {.room = "audit",
         .version = 1,
         .name = "every event in a chain of hashes",
         .statements =
             {
                 "create table audit_entries ("
                 " number bigint not null primary key,"
                 " event_offset bigint not null,"
                 " recorded_ms bigint not null,"
                 " event_id text not null,"
                 " event_type text not null,"
                 " event_version text not null,"
                 " source text not null,"
                 " user_id text not null,"
                 " timestamp_ms bigint not null,"
                 " correlation_id text not null,"
                 " causation_id text not null,"
                 " payload text,"
                 " body blob,"
                 " body_hash text not null,"
                 " link text not null)",
                 "create index audit_by_user on audit_entries (user_id, number)",
                 "create index audit_by_type on audit_entries (event_type, number)",
                 "create index audit_by_time on audit_entries (recorded_ms)",
                 "create index audit_by_event on audit_entries (event_id)",
                 "create index audit_by_correlation on audit_entries (correlation_id, number)",
                 "create index audit_by_causation on audit_entries (causation_id)",
             },
         .tables = {{"audit_entries", sql::TableKind::technical}}});
    return all;
}

Result<Page<AuditEntry>> AuditTrail::search(const AuditQuery& query,
                                            const PageRequest& page) const {
    const std::string pattern = like_pattern(lower_ascii(query.text));
    TRY(check_limit(page));
    Filter filter;
    filter.equals("user_id", query.user_id);
    filter.equals("event_type", query.type);
    filter.equals("source", query.source);
    filter.equals("correlation_id", query.correlation_id);
    filter.equals("causation_id", query.causation_id);
    if (query.from) {
        filter.at_least("recorded_ms", to_unix_ms(*query.from));
    }
    if (query.before) {
        filter.below("recorded_ms", to_unix_ms(*query.before));
    }
    if (!query.text.empty()) {
        filter.contains("payload", pattern);
    }
    auto snapshot = TRY(database_.read());
    Page<AuditEntry> answer;
    answer.total = static_cast<std::uint64_t>(TRY(snapshot->query_integer(
        "select count(*) from audit_entries" + filter.text(), filter.params())));
    if (!page.cursor.empty()) {
        filter.below("number", TRY(number_of_cursor(page.cursor)));
    }
    const std::string limit_place = filter.place(page.limit + 1);
    std::int64_t last = 0;
    TRY(snapshot->query("select " + std::string(columns) + " from audit_entries" + filter.text() +
                            " order by number desc limit " + limit_place,
                        filter.params(), [&](const sql::Row& row) -> Result<> {
                            if (answer.items.size() == page.limit) {
                                answer.next_cursor = encode_cursor(std::to_string(last));
                                return {};
                            }
                            last = row.integer(0);
                            answer.items.push_back(TRY(entry_of(row)));
                            return {};
                        }));
    return answer;
}

Result<AuditEntry> AuditTrail::get(const std::string& event_id, const std::string& user_id) const {
    auto snapshot = TRY(database_.read());
    std::optional<AuditEntry> found;
    TRY(snapshot->query("select " + std::string(columns) +
                            " from audit_entries where event_id = ?1 and (?2 = '' or user_id = ?2)"
                            " order by number limit 1",
                        {event_id, user_id}, [&](const sql::Row& row) -> Result<> {
                            found = TRY(entry_of(row));
                            return {};
                        }));
    if (!found) {
        return fail(ErrorKind::not_found, "no event " + event_id + " in the audit trail");
    }
    return *std::move(found);
}

Result<Offset> AuditTrail::end() const {
    auto snapshot = TRY(database_.read());
    Offset end(0);
    TRY(snapshot->query("select event_offset from audit_entries order by number desc limit 1", {},
                        [&](const sql::Row& row) -> Result<> {
                            end = next(Offset(static_cast<std::uint64_t>(row.integer(0))));
                            return {};
                        }));
    return end;
}

Result<std::vector<AuditEntry>> AuditTrail::chain(const std::string& correlation_id,
                                                  const std::string& user_id) const {
    auto snapshot = TRY(database_.read());
    std::vector<AuditEntry> entries;
    TRY(snapshot->query(
        "select " + std::string(columns) +
            " from audit_entries where correlation_id = ?1 and (?2 = '' or user_id = ?2)"
            " order by event_offset, number",
        {correlation_id, user_id}, [&](const sql::Row& row) -> Result<> {
            entries.push_back(TRY(entry_of(row)));
            return {};
        }));
    return entries;
}

Result<AuditVerdict> AuditTrail::verify() const {
    AuditVerifier verifier;
    const Result<> read = [&]() -> Result<> {
        auto snapshot = TRY(database_.read());
        return snapshot->query("select " + std::string(columns) +
                                   ", body_hash, link, payload from audit_entries order by number",
                               {}, [&](const sql::Row& row) { return verifier.next(row); });
    }();
    if (!read) {
        if (read.error().kind() != ErrorKind::corrupt) {
            return std::unexpected(read.error());
        }
        verifier.unreadable();  // a page of the file is damaged: that is a finding, too
    }
    return verifier.verdict();
}

}  // namespace bascule::application
