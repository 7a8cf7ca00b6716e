#include "foundation/sql/sqlite_statement_internal.h"

namespace bascule::sql {

namespace native = ::sqlite_api;

Statement::Statement(soci::session& session, std::string text)
    : text_(std::move(text)), statement_(session) {
    statement_.alloc();
    statement_.prepare(text_);
    handle_ = static_cast<soci::sqlite3_statement_backend&>(*statement_.get_backend()).stmt_;
    params_expected_ = static_cast<std::size_t>(native::sqlite3_bind_parameter_count(handle_));
    row_.cells_.resize(static_cast<std::size_t>(native::sqlite3_column_count(handle_)));
}

namespace {

/// No copies: the caller's values live until the statement ran.
void bind(native::sqlite3_stmt* handle, int place, const Param& param) {
    const auto& content = param.content();
    if (const auto* integer = std::get_if<std::int64_t>(&content)) {
        native::sqlite3_bind_int64(handle, place, *integer);
    } else if (const auto* text = std::get_if<std::string_view>(&content)) {
        // A view of nothing may have no address, and that would bind null.
        const char* bytes = text->empty() ? "" : text->data();
        native::sqlite3_bind_text64(handle, place, bytes, text->size(), SQLITE_STATIC, SQLITE_UTF8);
    } else if (const auto* blob = std::get_if<BlobView>(&content)) {
        const char* bytes = blob->bytes.empty() ? "" : blob->bytes.data();
        native::sqlite3_bind_blob64(handle, place, bytes, blob->bytes.size(), SQLITE_STATIC);
    } else {
        native::sqlite3_bind_null(handle, place);
    }
}

}  // namespace

void Statement::start(Params params) {
    CHECK(params.size() == params_expected_);
    in_use_ = true;
    int place = 0;
    for (const Param& param : params) {
        bind(handle_, ++place, param);
    }
}

int Statement::step() {
    const int code = native::sqlite3_step(handle_);
    if (code != SQLITE_ROW) {
        return code;
    }
    for (std::size_t i = 0; i < row_.cells_.size(); ++i) {
        const int column = static_cast<int>(i);
        switch (native::sqlite3_column_type(handle_, column)) {
            case SQLITE_NULL:
                row_.cells_[i] = std::monostate();
                break;
            case SQLITE_INTEGER:
                row_.cells_[i] = native::sqlite3_column_int64(handle_, column);
                break;
            default: {
                const auto* bytes =
                    static_cast<const char*>(native::sqlite3_column_blob(handle_, column));
                const auto size =
                    static_cast<std::size_t>(native::sqlite3_column_bytes(handle_, column));
                row_.cells_[i] = std::string_view(bytes == nullptr ? "" : bytes, size);
            }
        }
    }
    row_.spelled_.clear();
    row_.complaint_.reset();
    return code;
}

void Statement::finish() {
    // The code that sqlite3_reset returns is that of the execution, reported already.
    native::sqlite3_reset(handle_);
    in_use_ = false;
}

}  // namespace bascule::sql
