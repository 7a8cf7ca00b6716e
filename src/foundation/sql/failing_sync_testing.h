#pragma once

#include <sqlite3.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "foundation/base/check.h"
#include "foundation/base/uuid.h"

namespace bascule::sql {

/// A file layer of SQLite whose syncs fail when told to; everything else is the system's.
///
/// Lifetime: outlives the databases that are opened through it.
class FailingSync {
  public:
    FailingSync() : name_("failing-" + new_uuid()) {
        real_ = sqlite3_vfs_find(nullptr);
        vfs_ = *real_;
        vfs_.zName = name_.c_str();
        vfs_.pAppData = this;
        vfs_.xOpen = open;
        CHECK(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK);
    }
    ~FailingSync() { sqlite3_vfs_unregister(&vfs_); }
    FailingSync(const FailingSync&) = delete;
    FailingSync& operator=(const FailingSync&) = delete;

    const std::string& vfs() const { return name_; }
    void fail(bool fails) { log_code_ = database_code_ = fails ? SQLITE_IOERR_FSYNC : SQLITE_OK; }
    /// The sync of the database file answers `code`, that of its log works.
    void fail_database_only(int code = SQLITE_IOERR_FSYNC) { database_code_ = code; }

  private:
    /// A copy of a file's methods that knows the real ones.
    struct Methods {
        sqlite3_io_methods own;  // first: SQLite sees a pointer to it
        const sqlite3_io_methods* real;
        const std::atomic<int>* code;
    };

    static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
        auto& self = *static_cast<FailingSync*>(vfs->pAppData);
        const int code = self.real_->xOpen(self.real_, path, file, flags, out);
        if (code == SQLITE_OK) {
            const bool is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
            auto& methods = self.methods_[{file->pMethods, is_database}];
            if (!methods) {
                methods = std::make_unique<Methods>(
                    Methods{*file->pMethods, file->pMethods,
                            is_database ? &self.database_code_ : &self.log_code_});
                methods->own.xSync = sync;
            }
            file->pMethods = &methods->own;
        }
        return code;
    }

    static int sync(sqlite3_file* file, int flags) {
        const auto* methods = reinterpret_cast<const Methods*>(file->pMethods);
        const int code = *methods->code;
        return code != SQLITE_OK ? code : methods->real->xSync(file, flags);
    }

    std::string name_;
    sqlite3_vfs* real_;
    sqlite3_vfs vfs_;
    std::map<std::pair<const sqlite3_io_methods*, bool>, std::unique_ptr<Methods>> methods_;
    std::atomic<int> log_code_ = SQLITE_OK;
    std::atomic<int> database_code_ = SQLITE_OK;
};

}  // namespace bascule::sql
