#include "bus/log/frame_scanner.h"

#include <gmock/gmock.h>

#include "bus/log/record_columns.h"
#include "foundation/base/hash.h"
#include "foundation/base/testing.h"
#include "sim/sim_disk.h"
#include "sim/sim_executor.h"

namespace bascule::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FrameScannerTest : public testing::Test {
  protected:
    FrameScannerTest() { file_ = std::move(*disk_.open("file", io::OpenMode::create)); }

    std::string frame(std::uint64_t first, std::uint32_t body_bytes, std::uint64_t file_id = 42) {
        const std::vector<Record> records = {{.body_bytes = body_bytes}};
        const EncodedFrame encoded = encode_records({.file_id = file_id, .first = first}, records,
                                                    std::string(body_bytes, 'x'));
        return encoded.meta + encoded.bodies;
    }

    /// The offsets of the frames found, "gap" before one that lies behind something else.
    std::vector<std::string> scan(const std::string& bytes, std::uint64_t file_id = 42) {
        EXPECT_THAT(file_->truncate(0), Succeeds());
        EXPECT_THAT(file_->write(0, as_bytes(bytes)), Succeeds());
        FrameScanner scanner(*file_, 0, bytes.size(), file_id);
        std::vector<std::string> all;
        while (true) {
            const auto found = scanner.next();
            if (!found) {
                all.push_back(found.error().message());
                return all;
            }
            const auto& frame = *found;
            if (!frame) {
                break;
            }
            if (frame->after_gap) {
                all.push_back("gap");
            }
            all.push_back(std::to_string(frame->header.first));
        }
        const auto zeros = scanner.only_zeros_left();
        all.push_back(zeros && *zeros ? "zeros" : "rubbish");
        return all;
    }

    sim::SimClock clock_;
    sim::SimExecutor executor_{clock_, 1};
    sim::SimDisk disk_{executor_};
    std::unique_ptr<io::File> file_;
};

TEST_F(FrameScannerTest, WalksFramesSmallAndLargerThanItsWindow) {
    EXPECT_THAT(scan(frame(0, 10) + frame(1, 200'000) + frame(2, 0) + std::string(100'000, '\0')),
                ElementsAre("0", "1", "2", "zeros"));
}

TEST_F(FrameScannerTest, FindsTheNextFrameBehindDamage) {
    std::string bytes = frame(0, 10) + frame(1, 100'000) + frame(2, 10);
    bytes[frame(0, 10).size() + 30] ^= 1;
    EXPECT_THAT(scan(bytes), ElementsAre("0", "gap", "2", "zeros"));
}

TEST_F(FrameScannerTest, FindsTheNextFrameBehindALostHeader) {
    std::string bytes = frame(0, 10) + frame(1, 10) + frame(2, 10);
    bytes.replace(frame(0, 10).size(), 64, 64, '\0');
    EXPECT_THAT(scan(bytes), ElementsAre("0", "gap", "2", "zeros"));
}

TEST_F(FrameScannerTest, TakesNoFrameOfAnotherFile) {
    EXPECT_THAT(scan(frame(0, 10) + frame(1, 10, 43) + frame(2, 10)),
                ElementsAre("0", "gap", "2", "zeros"));
    EXPECT_THAT(scan(frame(0, 10, 43) + frame(1, 10), 0), ElementsAre("0", "rubbish"));
}

TEST_F(FrameScannerTest, TakesNoFrameFromInsideABody) {
    // A publisher may send what looks like a frame; without the file's id it is only a body.
    const std::string inner = frame(7, 8, 1);
    const std::vector<Record> records = {{.body_bytes = static_cast<std::uint32_t>(inner.size())}};
    const auto outer = encode_records({.file_id = 42}, records, inner);
    std::string bytes = outer.meta + outer.bodies;
    bytes[20] ^= 1;
    EXPECT_THAT(scan(bytes + frame(8, 1)), ElementsAre("gap", "8", "zeros"));
}

TEST_F(FrameScannerTest, TakesNoEntriesWhereRecordsBelong) {
    const std::vector<std::uint32_t> sizes = {3};
    const auto entries = encode_entries({.file_id = 42, .first = 1}, sizes, "abc");
    EXPECT_THAT(scan(frame(0, 10) + entries.meta + entries.bodies + frame(2, 10)),
                ElementsAre("0", "gap", "2", "zeros"));
}

TEST_F(FrameScannerTest, CutOffFrameIsNone) {
    const std::string last = frame(1, 500);
    EXPECT_THAT(scan(frame(0, 10) + last.substr(0, last.size() - 8)), ElementsAre("0", "rubbish"));
}

TEST_F(FrameScannerTest, RefusesANewerVersionByName) {
    std::string bytes = frame(0, 8);
    bytes[12] = 2;
    const std::uint64_t hash = hash64(std::string_view(bytes).substr(8, bytes.size() - 8 - 8));
    store(reinterpret_cast<std::byte*>(bytes.data()), hash);
    EXPECT_THAT(scan(bytes), ElementsAre(HasSubstr("newer version of Bascule")));
}

}  // namespace
}  // namespace bascule::log
