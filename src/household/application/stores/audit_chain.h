#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "foundation/sql/session.h"
#include "household/application/stores/audit_trail.h"

/// The chain of hashes of the audit trail. Format: docs/format/audit.md (version 1).
namespace bascule::application {

/// One event as it is stored. Hashes are lower-case hexadecimal.
struct AuditRecord {
    std::uint64_t offset = 0;
    std::int64_t recorded_ms = 0;
    std::string body;  ///< event::encode_body
};

/// SHA-256 of the event with its place and time.
std::string audit_body_hash(const AuditRecord& record);

/// SHA-256(previous ‖ body_hash) over the raw digests; `previous` is empty for the first entry,
/// which stands on 32 zero bytes.
std::string audit_link(std::string_view previous, std::string_view body_hash);

struct AuditHead {
    std::uint64_t number = 0;  ///< 0: no entry yet
    std::string link;
};
Result<AuditHead> audit_head(sql::Session& session);

/// Adds one event behind `head` and moves it.
Result<> audit_append(sql::Session& session, AuditHead& head, const AuditRecord& record,
                      const event::EventView& event);

/// Goes through the entries in order of number and remembers the first that contradicts the chain,
/// its own body or its own columns.
class AuditVerifier {
  public:
    /// The columns of a row: number, event_offset, recorded_ms, body, event_id, event_type,
    /// event_version, source, user_id, timestamp_ms, correlation_id, causation_id, body_hash, link,
    /// payload. False ends the reading.
    bool next(const sql::Row& row);
    /// The entry that should come next cannot be read: the database file is damaged there.
    void unreadable();
    AuditVerdict verdict() const;

  private:
    std::string fault(const sql::Row& row, std::uint64_t number) const;

    std::uint64_t entries_ = 0;
    std::string link_;
    std::optional<std::uint64_t> broken_;
    std::string message_;
};

}  // namespace bascule::application
