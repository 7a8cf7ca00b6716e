#include "foundation/sql/sqlite_statement_internal.h"

namespace bascule::sql {

using ::sqlite_api::sqlite3_bind_parameter_count;
using ::sqlite_api::sqlite3_reset;

Statement::Statement(soci::session& session, std::string text)
    : session_(session), text_(std::move(text)) {
    prepare();
}

soci::sqlite3_statement_backend& Statement::backend() {
    return static_cast<soci::sqlite3_statement_backend&>(*statement_->get_backend());
}

void Statement::prepare() {
    statement_.emplace(session_);
    statement_->alloc();
    statement_->prepare(text_);
    params_expected_ = static_cast<std::size_t>(sqlite3_bind_parameter_count(backend().stmt_));
    slots_.resize(params_expected_);
    columns_.resize(static_cast<std::size_t>(backend().prepare_for_describe()));
    row_.cells_.resize(columns_.size());
    bound_ = false;
}

Statement::SlotType Statement::type_of(const Param& param) {
    switch (param.content().index()) {
        case 1:
            return SlotType::integer;
        case 2:
            return SlotType::text;
        case 3:
            return SlotType::blob;
        default:
            return SlotType::unknown;
    }
}

/// True if every slot already has the type that its parameter needs.
bool Statement::learn_types(Params params) {
    bool known = true;
    for (std::size_t i = 0; i < params.size(); ++i) {
        const SlotType wanted = type_of(params[i]);
        if (wanted != SlotType::unknown && wanted != slots_[i].type) {
            slots_[i].type = wanted;
            known = false;
        }
    }
    return known;
}

void Statement::fill(Slot& slot, const Param& param) {
    slot.indicator = type_of(param) == SlotType::unknown ? soci::i_null : soci::i_ok;
    if (const auto* integer = std::get_if<std::int64_t>(&param.content())) {
        slot.integer = *integer;
    } else if (const auto* text = std::get_if<std::string_view>(&param.content())) {
        slot.text = *text;
    } else if (const auto* blob = std::get_if<BlobView>(&param.content())) {
        slot.blob->trim(0);
        slot.blob->append(blob->bytes.data(), blob->bytes.size());
    }
}

bool Statement::start(Params params) {
    if (params.size() != params_expected_) {
        return false;
    }
    if (!learn_types(params) && bound_) {
        prepare();
    }
    if (!bound_) {
        for (Slot& slot : slots_) {
            if (slot.type == SlotType::integer) {
                statement_->exchange(soci::use(slot.integer, slot.indicator));
            } else if (slot.type == SlotType::blob) {
                if (!slot.blob) {
                    slot.blob.emplace(session_);
                }
                statement_->exchange(soci::use(*slot.blob, slot.indicator));
            } else {
                statement_->exchange(soci::use(slot.text, slot.indicator));
            }
        }
        for (Column& column : columns_) {
            statement_->exchange(soci::into(column.text, column.indicator));
        }
        statement_->define_and_bind();
        bound_ = true;
    }
    for (std::size_t i = 0; i < params.size(); ++i) {
        fill(slots_[i], params[i]);
    }
    in_use_ = true;
    return true;
}

void Statement::run() { statement_->execute(columns_.empty()); }

const Row* Statement::next() {
    if (!statement_->fetch()) {
        return nullptr;
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const Column& column = columns_[i];
        if (column.indicator == soci::i_null) {
            row_.cells_[i].reset();
        } else {
            row_.cells_[i] = column.text;
        }
    }
    row_.complaint_.reset();
    return &row_;
}

void Statement::finish() {
    // The code that sqlite3_reset returns is that of the execution, reported already.
    sqlite3_reset(backend().stmt_);
    in_use_ = false;
}

}  // namespace bascule::sql
