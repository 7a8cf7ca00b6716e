#pragma once

#include <optional>
#include <string>
#include <vector>

#include "foundation/sql/session.h"
#include "household/application/records.h"

namespace bascule::application {

/// Rows of one user's files, inside a unit of work or a read. Publishing is the caller's part.
class FileStore {
  public:
    FileStore(sql::Session& session, std::string user_id)
        : session_(session), user_id_(std::move(user_id)) {}

    enum class Notes { without, with };
    Result<std::optional<File>> find(const std::string& id, Notes notes = Notes::with);
    Result<std::vector<std::string>> ids_of_account(const std::string& account_id);

    Result<> insert(const File& file);
    /// Replaces the row and, at most file_notes_max, its notes. Errors: `not_found`.
    Result<> update(const File& file);
    Result<> erase(const std::string& id);

    /// Whether any user's file still has this content.
    static Result<bool> is_content_used(sql::Session& session, const std::string& sha256);

  private:
    Result<> write_notes(const File& file);

    sql::Session& session_;
    std::string user_id_;
};

/// A saved column mapping, for the next file of the same shape into the same account.
struct MappingProfile {
    std::string id;
    std::string account_id;
    std::string header_fingerprint;
    std::string name;
    std::string mapping;  ///< JSON, as File::mapping
};

Result<std::optional<MappingProfile>> find_profile(sql::Session& session,
                                                   const std::string& user_id,
                                                   const std::string& account_id,
                                                   const std::string& header_fingerprint);
/// Adds the profile or replaces the mapping of the one with this account and fingerprint.
Result<> save_profile(sql::Session& session, const std::string& user_id,
                      const MappingProfile& profile, WallTime now);

}  // namespace bascule::application
