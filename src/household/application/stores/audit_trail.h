#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/event/event.h"
#include "foundation/base/guarded.h"
#include "foundation/base/offset.h"
#include "foundation/sql/database.h"
#include "foundation/sql/writer.h"
#include "household/application/page.h"

namespace bascule::application {

/// One event as the audit trail keeps it.
struct AuditEntry {
    Offset offset;  ///< where it stands in the bus's log
    WallTime recorded;
    event::Event event;
};

struct AuditQuery {
    std::string user_id;  ///< empty: all users, for operators
    std::string type;
    std::string source;
    std::string correlation_id;
    std::string causation_id;
    std::string text;  ///< contained in the payload, case-insensitive
    std::optional<WallTime> from;
    std::optional<WallTime> before;
};

struct AuditVerdict {
    bool ok = true;
    std::uint64_t entries = 0;
    std::optional<std::uint64_t> first_broken;  ///< number of the entry
    std::string head;                           ///< hash of the last entry, hexadecimal
    std::string message;
};

/// Every event, whole, in a database of its own, in a chain of hashes:
/// link = SHA-256(previous link ‖ SHA-256(event)). A body may be erased and the chain still
/// verifies. Written by the audit consumer only.
/// Threads: any.
class AuditTrail {
  public:
    /// Made before the writer's first unit: listens to its commits.
    AuditTrail(sql::Database& database, sql::Writer& writer);
    AuditTrail(const AuditTrail&) = delete;
    AuditTrail& operator=(const AuditTrail&) = delete;

    static std::vector<sql::Migration> migrations();

    /// Newest first.
    Result<Page<AuditEntry>> search(const AuditQuery& query, const PageRequest& page) const;
    Result<AuditEntry> get(const std::string& event_id, const std::string& user_id) const;
    /// All events of a chain, in log order.
    Result<std::vector<AuditEntry>> chain(const std::string& correlation_id,
                                          const std::string& user_id) const;
    Result<AuditVerdict> verify() const;
    /// Behind the last event that it holds: later ones are only in the log as yet.
    Result<Offset> end() const;

    /// Calls `listener` on the writer's thread after each commit of entries, in place of the one
    /// set before; it must not block.
    void on_commit(std::function<void()> listener);

    sql::Database& database() const { return database_; }
    sql::Writer& writer() const { return writer_; }

  private:
    sql::Database& database_;
    sql::Writer& writer_;
    std::shared_ptr<Guarded<std::function<void()>>> listener_ =
        std::make_shared<Guarded<std::function<void()>>>();
};

}  // namespace bascule::application
