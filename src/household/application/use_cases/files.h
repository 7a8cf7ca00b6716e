#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "foundation/base/guarded.h"
#include "foundation/io/completion.h"
#include "household/application/actor.h"
#include "household/application/environment.h"
#include "household/application/page.h"
#include "household/application/records.h"

namespace bascule::application {

struct Upload {
    std::string file_name;
    std::string content;
    std::string account_id;  ///< may be empty: the file may name its account
    std::string mapping;     ///< column mapping as JSON; may be empty
};

struct FileFilter {
    std::string account_id;
    std::optional<FileStatus> status;
};

/// Bank files: stored content-addressed, processed by the file_processor consumer.
/// Conventions as in Accounts.
class Files {
  public:
    explicit Files(Environment environment) : environment_(environment) {}

    Result<Page<File>> list(const std::string& user_id, const FileFilter& filter,
                            const PageRequest& page) const;
    /// With notes.
    Result<File> get(const std::string& user_id, const std::string& id) const;
    Result<std::string> content(const std::string& user_id, const std::string& id) const;

    /// Stores the bytes, then commits file row and file.uploaded. The same content may be uploaded
    /// again: it is a new file whose rows will be recognised. Errors besides: `exhausted` (disk).
    void upload(Actor actor, Upload upload, io::Completion<File> done);
    /// Ties the file to an account, moves it, or with "" unties it. The transactions that it
    /// brought to the account it was tied to move along; what it brought to others, as a file of
    /// several accounts does, stays there. So does what was there before and it only states too:
    /// whatever it changed in that is taken back, and processing it again brings its own to the new
    /// account. Publishes file.associated. `conflict` when transactions would be left without an
    /// account, or would leave the balance of one currency and enter none, since amounts are not
    /// converted.
    void associate(Actor actor, std::string id, std::string account_id, io::Completion<File> done);
    /// Publishes file.uploaded once more, with another mapping and account if given. The new
    /// reading replaces the earlier one: equal rows stay as they are, others go, except those that
    /// another file states or a person edited. Naming the account that the file asks about insists
    /// on it. `conflict` while it is pending.
    void process(Actor actor, std::string id, std::optional<std::string> mapping,
                 std::optional<std::string> account_id, io::Completion<File> done);
    /// Deletes file and the transactions it brought: transactions.deleted (file_deleted),
    /// file.deleted. Those that another file states become that file's; what the file changed in
    /// rows that were there before it is taken back.
    void remove(Actor actor, std::string id, io::Completion<FileRemoval> done);

  private:
    /// Contents on their way into a file row. Their blobs must not be collected.
    using Uploading = Guarded<std::multiset<std::string>>;

    void remove_unused(const std::string& sha256) const;

    Environment environment_;
    std::shared_ptr<Uploading> uploading_ = std::make_shared<Uploading>();
};

}  // namespace bascule::application
