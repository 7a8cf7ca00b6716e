#include "household/application/stores/audit_chain.h"

#include "bus/event/body.h"
#include "foundation/base/hash.h"

namespace bascule::application {

namespace {

std::string raw(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
        bytes += static_cast<char>(digit(hex[at]) << 4 | digit(hex[at + 1]));
    }
    return bytes;
}

/// Whether the columns that queries look at say what the event says.
bool columns_agree(const sql::Row& row, const event::EventView& event) {
    return row.text_view(4) == event.event_id && row.text_view(5) == event.event_type &&
           row.text_view(6) == event.event_version && row.text_view(7) == event.source &&
           row.text_view(8) == event.user_id && row.integer(9) == to_unix_ms(event.timestamp) &&
           row.text_view(10) == event::correlation_of(event) &&
           row.text_view(11) == event.causation_id && !row.is_null(14) &&
           row.text_view(14) == event::payload_of(event);
}

}  // namespace

std::string audit_body_hash(const AuditRecord& record) {
    std::string text = std::to_string(record.offset);
    text.append("\n").append(std::to_string(record.recorded_ms)).append("\n").append(record.body);
    return to_hex(sha256(text));
}

std::string audit_link(std::string_view previous, std::string_view body_hash) {
    const std::string before = previous.empty() ? std::string(32, '\0') : raw(previous);
    return to_hex(sha256(before + raw(body_hash)));
}

Result<AuditHead> audit_head(sql::Session& session) {
    const auto head = TRY(session.query_one(
        "select number, link from audit_entries order by number desc limit 1", {},
        [](const sql::Row& row) {
            return AuditHead{static_cast<std::uint64_t>(row.integer(0)), row.text(1)};
        }));
    return head.value_or(AuditHead{});
}

Result<> audit_append(sql::Session& session, AuditHead& head, const AuditRecord& record,
                      const event::EventView& event) {
    const std::string body_hash = audit_body_hash(record);
    head = {head.number + 1, audit_link(head.link, body_hash)};
    TRY(session.execute(
        "insert into audit_entries (number, event_offset, recorded_ms, event_id, event_type,"
        " event_version, source, user_id, timestamp_ms, correlation_id, causation_id, payload,"
        " body, body_hash, link)"
        " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        {head.number, record.offset, record.recorded_ms, event.event_id, event.event_type,
         event.event_version, event.source, event.user_id, to_unix_ms(event.timestamp),
         event::correlation_of(event), event.causation_id, event::payload_of(event),
         sql::BlobView{record.body}, body_hash, head.link}));
    return {};
}

bool AuditVerifier::next(const sql::Row& row) {
    const auto number = static_cast<std::uint64_t>(row.integer(0));
    message_ = fault(row, number);
    if (!message_.empty()) {
        broken_ = entries_ + 1;
        return false;
    }
    link_ = row.text(13);
    ++entries_;
    return true;
}

void AuditVerifier::unreadable() {
    const std::uint64_t number = entries_ + 1;
    broken_ = number;
    message_ = "damaged at entry " + std::to_string(number) +
               ": audit.db cannot be read there; restore it from a backup";
}

std::string AuditVerifier::fault(const sql::Row& row, std::uint64_t number) const {
    if (number != entries_ + 1) {
        return "entry " + std::to_string(entries_ + 1) + " is missing; " + std::to_string(number) +
               " comes next";
    }
    const std::string place = "entry " + std::to_string(number) + ": ";
    if (audit_link(link_, row.text_view(12)) != row.text_view(13)) {
        return place + "its link does not follow from the entry before it";
    }
    if (row.is_null(3)) {
        return {};  // erased: its hash stands for it
    }
    const AuditRecord record{static_cast<std::uint64_t>(row.integer(1)), row.integer(2),
                             row.blob(3)};
    if (audit_body_hash(record) != row.text_view(12)) {
        return place + "the event is not the one that was hashed";
    }
    const auto event = event::decode_body(record.body);
    if (!event || !columns_agree(row, *event)) {
        return place + "its columns are not what its event says";
    }
    return {};
}

AuditVerdict AuditVerifier::verdict() const {
    return {
        .ok = !broken_,
        .entries = entries_,
        .first_broken = broken_,
        .head = link_,
        .message = broken_ ? message_ : std::to_string(entries_) + " entries, every link holds"};
}

}  // namespace bascule::application
