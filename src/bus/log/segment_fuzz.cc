// Feeds the frame reader with files that anyone could have made.
//
// The first byte says how: 0 takes the rest as a file; 1 makes the checksums of what looks like
// frames right first, so that the checks behind them are reached.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "bus/log/bytes.h"
#include "bus/log/frame_scanner.h"
#include "bus/log/framed_file.h"
#include "bus/log/last_segment.h"
#include "bus/log/log.h"
#include "foundation/base/check.h"
#include "foundation/base/hash.h"
#include "sim/sim_disk.h"
#include "sim/sim_executor.h"

namespace {

using namespace bascule;
using namespace bascule::log;

void mend_checksums(std::string& file) {
    for (std::size_t at = 0; at + FrameHeader::bytes <= file.size(); at += frame_alignment) {
        const auto bytes = as_bytes(file).subspan(at);
        const auto header = read_header(bytes);
        if (!header || header->meta_bytes() > bytes.size()) {
            continue;
        }
        auto* frame = reinterpret_cast<std::byte*>(file.data()) + at;
        const std::size_t bodies =
            std::min<std::size_t>(header->body_bytes, bytes.size() - header->meta_bytes());
        store(frame + 64, hash64(as_text(bytes.subspan(header->meta_bytes(), bodies))));
        store(frame, hash64(as_text(bytes.subspan(8, header->meta_bytes() - 8))));
    }
}

/// A log that opens must be readable to its end without contradicting itself.
void read_log(const Log& log) {
    Offset at = log.begin();
    while (at < log.end()) {
        const auto batch = log.read(at);
        if (!batch) {
            const auto lost = log.lost_at(at);
            CHECK(lost && lost->end > at);
            at = lost->end;
            continue;
        }
        CHECK(batch->next() > at);
        for (const RecordView& record : batch->records()) {
            CHECK(record.offset == at);
            at = next(at);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    std::string file(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] % 2 == 1) {
        mend_checksums(file);
    }
    sim::SimClock clock;
    sim::SimExecutor executor(clock, 1);
    sim::SimDisk disk(executor);
    CHECK(disk.make_directories("log"));
    for (const char* path : {"log/00000000000000000000.seg", "journal"}) {
        const auto opened = disk.open(path, io::OpenMode::create);
        CHECK(opened && (*opened)->write(0, as_bytes(file)));
    }
    const auto log = Log::open(disk, executor, "log", {.reserve_bytes = 0, .seed = 1}, {});
    if (log) {
        read_log(**log);
    }
    io::Strand strand(executor);
    std::size_t entries = 0;
    const auto journal =
        FramedFile::open(disk, strand, "journal", {.seed = 1}, [&](FramedFile::Entry) {
            ++entries;
            return Result<>();
        });
    CHECK(!journal || entries <= file.size() / 4);
    return 0;
}
