// A bus inside a program: publish three orders, handle them in order, survive a restart.
// Run it twice: the second time the consumer goes on after what it has seen.

#include <bascule/event_service.h>

#include <cstdio>
#include <string>

using namespace bascule;

namespace {

BaseEvent order(const std::string& customer, int number) {
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
    const auto service = TRY(EventService::open({.directory = directory}));
    service->consumer("printer", {R"({"detail-type": ["order.placed"]})"}, print);
    TRY(service->start());
    TRY(service->publish_event(order("anna", 1)));
    for (const auto& result :
         TRY(service->publish_events_batch({order("ben", 1), order("anna", 2)}))) {
        if (const auto* rejected = std::get_if<broker::Rejected>(&result)) {
            return fail(ErrorKind::invalid, rejected->message);
        }
    }
    return service->drain();
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
