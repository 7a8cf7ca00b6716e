#include "bus/log/frame.h"

#include <gmock/gmock.h>

#include <functional>

#include "bus/log/record_columns.h"
#include "foundation/base/hash.h"

namespace bascule::log {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr FrameHeader start{.file_id = 42, .first = 1000, .durable = 990};

std::vector<Record> two_records() {
    return {{.recorded = 1'700'000'000'000,
             .key_hash = 11,
             .id_hash = {12, 13},
             .content_hash = 14,
             .producer = 15,
             .sequence = 16,
             .rule_version = 17,
             .target_set = 18,
             .body_bytes = 3},
            {.recorded = 1'700'000'000'005, .kind = RecordKind::control, .body_bytes = 2}};
}

EncodedFrame sample() { return encode_records(start, two_records(), "abcde"); }

std::string whole(const EncodedFrame& frame) { return frame.meta + frame.bodies; }

/// What a reader makes of bytes: "ok", or where it stops.
std::string verdict(std::string_view text) {
    const auto bytes = as_bytes(text);
    const auto header = read_header(bytes);
    if (!header) {
        return "no header";
    }
    if (header->total_bytes() > bytes.size()) {
        return "cut off";
    }
    const auto meta = verify_meta(*header, bytes.first(header->meta_bytes()));
    if (!meta) {
        return meta.error() == FrameFault::newer ? "newer" : "damaged meta";
    }
    return verify_bodies(*header, bytes.subspan(header->meta_bytes(), header->body_bytes))
               ? "ok"
               : "damaged bodies";
}

TEST(FrameTest, ReadsBackWhatWasWritten) {
    const EncodedFrame frame = sample();
    ASSERT_EQ(verdict(whole(frame)), "ok");
    const auto header = read_header(as_bytes(frame.meta));
    ASSERT_TRUE(header);
    EXPECT_EQ(header->kind, FrameKind::records);
    EXPECT_EQ(header->file_id, 42U);
    EXPECT_EQ(header->first, 1000U);
    EXPECT_EQ(header->durable, 990U);
    EXPECT_EQ(header->end(), 1002U);
    EXPECT_EQ(header->control_count, 1U);

    const RecordColumns columns(*header, as_bytes(frame.meta).data() + FrameHeader::bytes);
    EXPECT_EQ(columns.key_hash(0), 11U);
    EXPECT_EQ(columns.id_hash(0), (Hash128{12, 13}));
    EXPECT_EQ(columns.content_hash(0), 14U);
    EXPECT_EQ(columns.producer(0), 15U);
    EXPECT_EQ(columns.sequence(0), 16U);
    EXPECT_EQ(columns.rule_version(0), 17U);
    EXPECT_EQ(columns.target_set(0), 18U);
    EXPECT_EQ(columns.recorded(0), 1'700'000'000'000);
    EXPECT_EQ(columns.recorded(1), 1'700'000'000'005);
    EXPECT_EQ(columns.body_bytes(0), 3U);
    EXPECT_EQ(columns.kind(1), RecordKind::control);
}

TEST(FrameTest, LengthIsAMultipleOfTheAlignment) {
    for (std::size_t size = 0; size < 20; ++size) {
        const auto frame = encode_frame(start, {}, std::string(size, 'x'));
        EXPECT_EQ(whole(frame).size() % 8, 0U) << size;
        EXPECT_EQ(whole(frame).size(), frame.header.total_bytes()) << size;
    }
}

TEST(FrameTest, NoFlippedBitGoesUnnoticed) {
    const std::string good = whole(sample());
    const std::size_t padding = good.size() - 3;  // five bytes of bodies, three of zeros
    for (std::size_t at = 0; at < padding; ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string bad = good;
            bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
            EXPECT_NE(verdict(bad), "ok") << "byte " << at << " bit " << bit;
            EXPECT_NE(verdict(bad), "newer") << "byte " << at << " bit " << bit;
        }
    }
}

TEST(FrameTest, CutOffFrameIsNotWhole) {
    const std::string good = whole(sample());
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_NE(verdict(good.substr(0, size)), "ok") << size;
    }
}

/// Changes a field and makes the checksum right again, as a later version of ours would.
std::string with_byte(std::size_t at, std::uint8_t value) {
    EncodedFrame frame = sample();
    frame.meta[at] = static_cast<char>(value);
    store(reinterpret_cast<std::byte*>(frame.meta.data()),
          hash64(std::string_view(frame.meta).substr(8)));
    return whole(frame);
}

struct ForgedCase {
    const char* claim;
    std::size_t at;
    std::uint8_t value;
    const char* verdict;
};

class ForgedFrameTest : public testing::TestWithParam<ForgedCase> {};

TEST_P(ForgedFrameTest, IsToldFromAGoodOne) {
    EXPECT_EQ(verdict(with_byte(GetParam().at, GetParam().value)), GetParam().verdict);
}

constexpr std::size_t columns_at = FrameHeader::bytes;
constexpr std::size_t sizes_at = columns_at + 2 * 48 + 2 * 4;
constexpr std::size_t kinds_at = columns_at + 2 * 64;

INSTANTIATE_TEST_SUITE_P(
    Table, ForgedFrameTest,
    testing::Values(ForgedCase{"NextVersionIsNewer", 12, 2, "newer"},
                    ForgedCase{"UnknownKindIsNewer", 13, 9, "newer"},
                    ForgedCase{"UnknownFlagIsNewer", 15, 0x80, "newer"},
                    ForgedCase{"CompressedBodiesAreNewer", 14, 1, "newer"},
                    ForgedCase{"DurableAboveFirstIsDamage", 33, 0xFF, "damaged meta"},
                    ForgedCase{"OffsetBeyondAnyLogIsDamage", 31, 0x7F, "damaged meta"},
                    ForgedCase{"MoreRecordsThanColumnsIsDamage", 40, 3, "damaged meta"},
                    ForgedCase{"WrongControlCountIsDamage", 52, 2, "damaged meta"},
                    ForgedCase{"SizesThatDoNotAddUpAreDamage", sizes_at, 4, "damaged meta"},
                    ForgedCase{"KindThatDoesNotExistIsDamage", kinds_at, 3, "damaged meta"},
                    ForgedCase{"TimeThatRunsBackIsDamage", columns_at + 2 * 48, 9, "damaged meta"},
                    ForgedCase{"SameByteIsWhole", columns_at, 11, "ok"}),
    [](const auto& info) { return info.param.claim; });

TEST(FrameTest, HeadKeepsProducers) {
    const std::vector<ProducerSequence> producers = {{1, 10}, {2, ~0ULL}};
    const EncodedFrame frame = encode_head({.file_id = 1}, producers);
    EXPECT_EQ(verdict(whole(frame)), "ok");
    EXPECT_THAT(decode_head(as_bytes(frame.meta).subspan(FrameHeader::bytes)),
                ElementsAre(Pair(1, 10), Pair(2, ~0ULL)));
}

TEST(FrameTest, TimesBeyondTheColumnAreCutNotWrapped) {
    std::vector<Record> records(3);
    records[1].recorded = 1LL << 40;
    records[2].recorded = 1LL << 41;
    const EncodedFrame frame = encode_records(start, records, "");
    ASSERT_EQ(verdict(whole(frame)), "ok");
    const RecordColumns columns(frame.header, as_bytes(frame.meta).data() + FrameHeader::bytes);
    EXPECT_EQ(columns.recorded(1), 0xFFFF'FFFFLL);
    EXPECT_EQ(columns.recorded(2), 0xFFFF'FFFFLL);
}

}  // namespace
}  // namespace bascule::log
