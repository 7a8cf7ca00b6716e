#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "foundation/base/check.h"
#include "household/statement/encoding.h"
#include "household/statement/parse.h"

using namespace bascule;

namespace {

void check_text(std::string_view text) { CHECK(statement::is_valid_utf8(text)); }

}  // namespace

/// As csv_fuzz, behind an OFX header, so that the fuzzer need not find one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string bytes = "OFXHEADER:100\nVERSION:102\n\n<OFX><STMTRS><BANKTRANLIST><STMTTRN>";
    bytes.append(reinterpret_cast<const char*>(data), size);
    size = bytes.size();
    const auto read = statement::parse(bytes);
    for (const auto& account : read.accounts) {
        check_text(account.id);
        for (const auto& transaction : account.transactions) {
            check_text(transaction.payee);
            check_text(transaction.memo);
            check_text(transaction.id);
            CHECK(transaction.place.line >= 1);
            CHECK(transaction.place.offset < size);
        }
    }
    for (const auto& rejected : read.rejected) {
        check_text(rejected.raw);
        check_text(rejected.message);
        CHECK(rejected.place.offset <= size);
    }
    for (const auto& warning : read.warnings) {
        check_text(warning.message);
    }
    for (const auto& error : read.errors) {
        check_text(error.message);
    }
    CHECK(read.format != statement::Format::unknown || !read.errors.empty());
    return 0;
}
