#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bus/delivery/consumer.h"

/// Any bytes are either refused or give a state from which a consumer can be made, read and written
/// again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bascule;
    using namespace bascule::delivery;
    ConsumerState state(Offset(0));
    if (!state.apply({reinterpret_cast<const char*>(data), size})) {
        return 0;
    }
    const std::string bytes = state.encode();
    ConsumerState copy(Offset(0));
    if (!copy.apply(bytes) ||
        copy.encode() != bytes) {  // what was written is read, and says the same
        std::abort();
    }
    for (const bool debounced : {false, true}) {
        Policy policy;
        if (debounced) {
            policy.debounce = Debounce{};
        }
        const Now now{SteadyTime(std::chrono::hours(1)), from_unix_ms(1'700'000'000'000)};
        auto consumer = Consumer::create("fuzz", policy, copy, Random(1), now);
        Commands commands;
        for (int i = 0; i < 20; ++i) {
            const Offset at = consumer->next_wanted();
            if (at.value() == ~std::uint64_t{0}) {
                break;
            }
            consumer->offer({at, at.value() % 3, 1, 10, {}}, now);
            consumer->take_commands(now, commands);
            for (const StartRun& start : commands.starts) {
                consumer->answer(start.run, Outcome::permanent("no"), now);
            }
            for (const WriteLetter& write : commands.letters) {
                consumer->letter_durable(write.letter.offset, now);
            }
        }
    }
    return 0;
}
