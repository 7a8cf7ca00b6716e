// A bus inside a program: publish three orders, handle them in order, survive a restart.
// Run it twice: the second time the consumer goes on after what it has seen.

#include <bascule/embedded_bus.h>

#include <cstdio>
#include <string>

using namespace bascule;

namespace {

event::Event order(const std::string& customer, int number) {
    return {.event_type = "order.placed",
            .source = "shop",
            .user_id = customer,
            .data = "{\"number\": " + std::to_string(number) + "}"};
}

delivery::Outcome print(const broker::Delivery& delivery) {
    for (const auto& [offset, recorded, event] : delivery.events) {
        std::printf("%.*s: %.*s\n", static_cast<int>(event.user_id.size()), event.user_id.data(),
                    static_cast<int>(event.data.size()), event.data.data());
    }
    return delivery::Outcome::done();
}

Result<> run(const std::string& directory) {
    const auto bus = TRY(EmbeddedBus::open({.directory = directory}));
    bus->consume({.name = "printer"}, {R"({"detail-type": ["order.placed"]})"}, print);
    TRY(bus->start());
    for (const auto& result : TRY(bus->publish({order("anna", 1), order("ben", 1), order("anna", 2)}))) {
        if (const auto* rejected = std::get_if<broker::Rejected>(&result)) {
            return fail(ErrorKind::invalid, rejected->message);
        }
    }
    return bus->drain();
}

}  // namespace

int main(int count, char** arguments) {
    const auto result = run(count > 1 ? arguments[1] : "events");
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message().c_str());
        return 1;
    }
    return 0;
}
