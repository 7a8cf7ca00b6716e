#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/sql/session.h"
#include "household/application/records.h"
#include "household/application/stores/transaction_store.h"
#include "household/statement/statement.h"

namespace bascule::application {

/// The rows of one of the file's accounts, and the account of ours that they go to.
struct ImportTarget {
    std::string account_id;
    std::vector<StoredTransaction> rows;  ///< without id; in file order
    /// What the file calls the account, where that is news: the account is known by it from now on.
    std::string learned_identifier;
};

/// What is to become of a file: rows for accounts, or a question, or the reason why not.
struct ImportPlan {
    FileStatus status = FileStatus::processed;  ///< processed, partial, needs_mapping, failed
    std::string message;                        ///< for needs_mapping and failed
    std::vector<ImportTarget> targets;
    std::vector<FileNote> notes;
    std::string account_id;  ///< of the first target
    std::string format;
    std::string header_fingerprint;
    std::string profile;              ///< name of the saved profile that it was read with
    std::int64_t row_count = 0;       ///< records that are transactions by their place
    std::int64_t rejected_count = 0;  ///< those of them that could not be read
    std::optional<money::DateSpan> dates;

    bool is_importable() const {
        return status == FileStatus::processed || status == FileStatus::partial;
    }
};

/// Decides. Never guesses: what the file leaves open becomes `needs_mapping` with a message that
/// says what to state. `file` says which account was chosen, if one was.
Result<ImportPlan> plan_import(sql::Session& session, const std::string& user_id, const File& file,
                               const statement::Statement& statement);

}  // namespace bascule::application
