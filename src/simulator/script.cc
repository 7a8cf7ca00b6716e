#include "simulator/script.h"

#include "foundation/base/hash.h"
#include "simulator/plan.h"

namespace bascule::simulator {

using namespace std::chrono_literals;

Script::Manner Script::manner_of(std::string_view event_id) const {
    Random random = chance_of(seed_, consumer_ + "/manner", hash64(event_id));
    const std::uint64_t roll = random.below(100);
    struct Share {
        std::uint64_t below;
        Manner manner;
    };
    constexpr Share shares[] = {
        {.below = 66, .manner = Manner::prompt},  {.below = 78, .manner = Manner::slow},
        {.below = 88, .manner = Manner::flaky},   {.below = 91, .manner = Manner::broken},
        {.below = 93, .manner = Manner::hanging}, {.below = 95, .manner = Manner::late},
        {.below = 98, .manner = Manner::busy},    {.below = 100, .manner = Manner::starved}};
    for (const Share& share : shares) {
        if (roll < share.below) {
            return share.manner;
        }
    }
    return Manner::prompt;
}

Script::Answer Script::answer(const broker::Delivery& run, std::chrono::milliseconds timeout) {
    using delivery::Outcome;
    if (repaired_) {
        return {.outcome = Outcome::done()};
    }
    Answer answer{.outcome = Outcome::done()};
    for (const broker::DeliveredEvent& delivered : run.events) {
        const std::string id(delivered.event.event_id);
        const auto fails = [&](std::uint32_t times) {
            std::uint32_t& left = failures_.try_emplace(id, times).first->second;
            return left > 0 ? left-- > 0 : false;
        };
        switch (manner_of(id)) {
            case Manner::prompt:
                break;
            case Manner::slow:
                answer.after =
                    std::max(answer.after, std::chrono::milliseconds(1 + hash64(id) % 60));
                break;
            case Manner::flaky:
                if (fails(1 + static_cast<std::uint32_t>(hash64(id) % 3))) {
                    answer.outcome.failures.push_back(
                        {.offset = delivered.offset, .text = "flaky " + id});
                }
                break;
            case Manner::broken:
                answer.outcome.failures.push_back(
                    {.offset = delivered.offset,
                     .kind = hash64(id) % 2 == 0 ? delivery::ItemFailure::Kind::permanent
                                                 : delivery::ItemFailure::Kind::transient,
                     .text = "broken " + id});
                break;
            case Manner::hanging:
                if (fails(1)) {
                    // In process a run ends only when its handler returns.
                    answer.after = 3 * timeout;
                    answer.never = run.deadline.has_value();
                }
                break;
            case Manner::late:
                if (fails(1)) {
                    answer.after = timeout + 5s;
                }
                break;
            case Manner::busy:
                if (fails(2)) {
                    return {.outcome = Outcome::uncounted("busy", 50ms)};
                }
                break;
            case Manner::starved:
                if (fails(2)) {
                    return {.outcome = Outcome::suspended("no room")};
                }
                break;
        }
    }
    // Who handles one event says how that went; a whole batch may fail as one, too.
    auto& failures = answer.outcome.failures;
    if (!failures.empty() && (run.events.size() == 1 || hash64(failures.front().text) % 3 == 0)) {
        const delivery::ItemFailure first = failures.front();
        answer.outcome = first.kind == delivery::ItemFailure::Kind::permanent
                             ? Outcome::permanent(first.text)
                             : Outcome::transient(first.text);
    }
    return answer;
}

}  // namespace bascule::simulator
