#include "server/api/call.h"
#include "server/api/forms.h"
#include "server/api/visibility.h"

namespace bascule::api {

void add_outbox_routes(Routes& routes) {
    using auth::Permission;
    const Services* services = &routes.services();

    routes.add_query(
        "/v1/outbox/refused", Permission::operate, [=](const Call& call) -> Result<std::string> {
            const Visibility visibility(call, services->authenticator);
            const auto page = TRY(services->relay.refused(TRY(call.page())));
            return list_form(call.listing(), page, [&](const application::RefusedEvent& refused) {
                return refused_event_form(visibility.shown(refused));
            });
        });
    routes.add_query("/v1/outbox/refused/{id}", Permission::operate,
                     [=](const Call& call) -> Result<std::string> {
                         const Visibility visibility(call, services->authenticator);
                         return refused_event_detail_form(
                             visibility.shown(TRY(services->relay.refused(call.id()))));
                     });
}

}  // namespace bascule::api
