#include <benchmark/benchmark.h>

#include "bus/event/body.h"
#include "bus/event/seed_form.h"
#include "bus/event/validate.h"
#include "foundation/base/check.h"

namespace bascule::event {
namespace {

/// A transactions.created of some 500 bytes.
const std::string& created() {
    static const std::string text = [] {
        std::string ids;
        for (int i = 0; i < 4; ++i) {
            ids += (i == 0 ? "\"0193c7a2-5b1e-7c3d-8e4f-00000000000"
                           : ",\"0193c7a2-5b1e-7c3d-8e4f-00000000000") +
                   std::to_string(i) + "\"";
        }
        return R"({"eventId":"0193c7a2-5b1e-7c3d-8e4f-112233445566","eventType":"transactions.created","eventVersion":"1.0","timestamp":1732521600123,"source":"transaction_service","userId":"u-4711","data":{"fileId":"f-1","accountId":"a-1","transactionIds":[)" +
               ids +
               R"(],"transactionCount":4,"dateRange":{"startDate":"2026-11-01","endDate":"2026-11-30"}}})";
    }();
    return text;
}

void parse(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(parse_seed(created()));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * created().size()));
}
BENCHMARK(parse);

void check(benchmark::State& state) {
    const Event event = parse_seed(created()).value();
    for (auto _ : state) {
        CHECK(validate(event));
    }
}
BENCHMARK(check);

void encode(benchmark::State& state) {
    const Event event = parse_seed(created()).value();
    for (auto _ : state) {
        benchmark::DoNotOptimize(encode_body(event));
    }
}
BENCHMARK(encode);

void decode(benchmark::State& state) {
    const std::string body = encode_body(parse_seed(created()).value());
    for (auto _ : state) {
        benchmark::DoNotOptimize(decode_body(body));
    }
}
BENCHMARK(decode);

/// What publishing an event costs here: bytes in, checked body out.
void parse_check_encode(benchmark::State& state) {
    for (auto _ : state) {
        const auto event = parse_seed(created());
        CHECK(event && validate(*event));
        benchmark::DoNotOptimize(encode_body(*event));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * created().size()));
    state.SetLabel("content " +
                   std::to_string(content_hash(view_of(parse_seed(created()).value())).low));
}
BENCHMARK(parse_check_encode);

void hash_content(benchmark::State& state) {
    const Event event = parse_seed(created()).value();
    for (auto _ : state) {
        benchmark::DoNotOptimize(content_hash(view_of(event)));
    }
}
BENCHMARK(hash_content);

void write_seed(benchmark::State& state) {
    const Event event = parse_seed(created()).value();
    for (auto _ : state) {
        benchmark::DoNotOptimize(to_seed_json(view_of(event)));
    }
}
BENCHMARK(write_seed);

}  // namespace
}  // namespace bascule::event
