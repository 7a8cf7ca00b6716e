#include "foundation/json/writer.h"
#include "household/application/stores/holdings.h"
#include "household/application/use_cases/use_case.h"
#include "household/application/use_cases/users.h"
#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/forms.h"

namespace bascule::api {

namespace {

std::string user_form(const auth::User& user) {
    std::string out;
    json::Writer(out)
        .begin_object()
        .member("id", user.id)
        .member("name", user.name)
        .member("role", auth::name(user.role))
        .member("createdAt", to_unix_ms(user.created_at))
        .end_object();
    return out;
}

std::string token_form(const auth::Token& token) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("id", token.id).member("prefix", token.prefix);
    writer.member("role", auth::name(token.role)).member("userId", token.user_id);
    writer.member("description", token.description);
    writer.member("createdAt", to_unix_ms(token.created_at)).key("expiresAt");
    if (token.expires_at) {
        writer.number(to_unix_ms(*token.expires_at));
    } else {
        writer.null();
    }
    writer.member("revoked", token.revoked).end_object();
    return out;
}

std::string new_token_form(const auth::NewToken& created) {
    std::string out;
    json::Writer(out)
        .begin_object()
        .member("id", created.token.id)
        .member("token", created.secret)
        .member("role", auth::name(created.token.role))
        .member("userId", created.token.user_id)
        .end_object();
    return out;
}

/// What API writes have in common besides what they change: who asks is still there when it is
/// done, and the idempotency key, remembered with the household's. A password is no part of what a
/// repeat must ask the same: no quick hash of it is kept.
auth::Alongside alongside(const Services& services, const Call& call,
                          const application::Request& request) {
    application::Actor actor = call.actor();
    auth::Alongside also;
    also.allow = [actor](sql::Session& session) {
        return application::check_present(session, actor);
    };
    if (actor.idempotency_key.empty()) {
        return also;
    }
    if (actor.user_id.empty()) {  // a token of nobody's has keys of its own
        actor.user_id = "token:" + call.principal().token_id;
    }
    const WallTime now = services.clock.wall();
    also.earlier = [=, asked = request.digest()](sql::Session& session) {
        return application::earlier_answer(session, actor, asked, now);
    };
    also.keep = [=, asked = request.digest()](sql::Session& session, const std::string& id) {
        return application::keep_answer(session, actor, asked, id, now);
    };
    return also;
}

io::Completion<> answering_deleted(Call call) {
    return [call = std::move(call)](Result<> done) mutable {
        if (done) {
            call.answer(200, deleted_form(1));
        } else {
            call.refuse(done.error());
        }
    };
}

/// A member of a body that must be a role, or the one given.
auth::Role role_of(Body& body, auth::Role otherwise) {
    const auto text = body.text("role");
    if (!text) {
        return otherwise;
    }
    const auto role = auth::parse_role(*text);
    if (!role) {
        body.fault("role", role.error().message());
        return otherwise;
    }
    return *role;
}

void create_user(const Services& services, Call call) {
    auto body = Body::parse(call.request().body);
    if (!body) {
        call.refuse(body.error());
        return;
    }
    body->need("name");
    const std::string name = body->text("name").value_or("");
    const std::string password = body->text("password").value_or("");
    const auth::Role role = role_of(*body, auth::Role::member);
    if (auto finished = body->finish(); !finished) {
        call.refuse(finished.error());
        return;
    }
    application::Request request("create user");
    request.add(name).add(auth::name(role));
    auth::Alongside also = alongside(services, call, request);
    services.authenticator.create_user(name, password, role,
                                       answering<auth::User>(std::move(call), 201, user_form),
                                       std::move(also));
}

void create_token(const Services& services, Call call) {
    auto body = Body::parse(call.request().body);
    if (!body) {
        call.refuse(body.error());
        return;
    }
    body->need("role");
    const auth::Role role = role_of(*body, auth::Role::consumer);
    const std::string user = body->text("userId").value_or("");
    const std::string description = body->text("description").value_or("");
    const auto expires = body->integer("expiresAt", 0, 253'402'300'799'000);
    if (auto finished = body->finish(); !finished) {
        call.refuse(finished.error());
        return;
    }
    application::Request request("create token");
    request.add(auth::name(role)).add(user).add(description).add(expires);
    auth::Alongside also = alongside(services, call, request);
    services.authenticator.create_token(
        role, user, description, expires ? std::optional(from_unix_ms(*expires)) : std::nullopt,
        answering<auth::NewToken>(std::move(call), 201, new_token_form), std::move(also));
}

void delete_user(const Services& services, Call call) {
    const std::string id = call.id();
    auth::Alongside also = alongside(services, call, application::Request("delete user").add(id));
    // In the unit of work of the deletion, so that nothing comes in between. Of a user that does
    // not exist the deletion itself says so, as there is nothing left of theirs.
    also.allow = [id, check_asker = std::move(also.allow)](sql::Session& session) -> Result<> {
        TRY(check_asker(session));
        const std::string holdings = TRY(application::holdings_of(session, id));
        if (!holdings.empty()) {
            return fail(ErrorKind::conflict, "the user owns " + holdings +
                                                 "; with a token of theirs delete these first");
        }
        return {};
    };
    application::Actor actor = call.actor();
    actor.user_id = id;
    also.keep = [actor = std::move(actor), remember = std::move(also.keep),
                 now = services.clock.wall()](sql::Session& session,
                                              const std::string& deleted) -> Result<> {
        TRY(application::forget_user(session, actor, now));
        return remember ? remember(session, deleted) : Result<>();
    };
    services.authenticator.delete_user(id, answering_deleted(std::move(call)), std::move(also));
}

void revoke_token(const Services& services, Call call) {
    const std::string id = call.id();
    auth::Alongside also = alongside(services, call, application::Request("revoke token").add(id));
    services.authenticator.revoke_token(id, answering_deleted(std::move(call)), std::move(also));
}

}  // namespace

void add_access_routes(Routes& routes) {
    using auth::Permission;
    using http::Method;
    const Services* services = &routes.services();

    routes.add(Method::get, "/v1/me", Permission::anyone, [](Call call) {
        const auth::Principal& principal = call.principal();
        std::string out;
        json::Writer(out)
            .begin_object()
            .member("userId", principal.user_id)
            .member("name", principal.name)
            .member("role", auth::name(principal.role))
            .member("tokenId", principal.token_id)
            .end_object();
        call.answer(200, std::move(out));
    });
    routes.add(Method::get, "/v1/users", Permission::administer, [=](Call call) {
        call.answer(200, whole_list_form(services->authenticator.users(), user_form));
    });
    routes.add(Method::post, "/v1/users", Permission::administer,
               [=](Call call) { create_user(*services, std::move(call)); });
    routes.add(Method::delete_, "/v1/users/{id}", Permission::administer,
               [=](Call call) { delete_user(*services, std::move(call)); });
    routes.add(Method::get, "/v1/tokens", Permission::administer, [=](Call call) {
        call.answer(200, whole_list_form(services->authenticator.tokens(), token_form));
    });
    routes.add(Method::post, "/v1/tokens", Permission::administer,
               [=](Call call) { create_token(*services, std::move(call)); });
    routes.add(Method::delete_, "/v1/tokens/{id}", Permission::administer,
               [=](Call call) { revoke_token(*services, std::move(call)); });
}

}  // namespace bascule::api
