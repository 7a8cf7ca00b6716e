#include "server/api/body.h"
#include "server/api/call.h"
#include "server/api/forms.h"
#include "server/http/form.h"

namespace bascule::api {

namespace {

/// The upload of a request: the body itself, or the part `file` of a form. Query parameters and
/// form parts mean the same.
Result<application::Upload> upload_of(const Call& call) {
    application::Upload upload{.file_name = call.query("fileName"),
                               .account_id = call.query("accountId"),
                               .mapping = call.query("mapping")};
    const std::string_view type = call.request().headers.value_or("Content-Type", "");
    if (!type.starts_with("multipart/form-data")) {
        upload.content = call.request().body;
        return upload;
    }
    bool has_file = false;
    for (const http::FormPart& part : TRY(http::parse_form(type, call.request().body))) {
        if (part.name == "file") {
            has_file = true;
            upload.content = part.content;
            if (upload.file_name.empty()) {
                upload.file_name = part.filename;
            }
        } else if (part.name == "mapping") {
            upload.mapping = part.content;
        } else if (part.name == "accountId") {
            upload.account_id = part.content;
        } else if (part.name == "fileName") {
            upload.file_name = part.content;
        }
    }
    if (!has_file) {
        return fail(ErrorKind::invalid, "the form has no part called `file`");
    }
    return upload;
}

void upload(const Services& services, Call call) {
    auto upload = upload_of(call);
    if (!upload) {
        call.refuse(upload.error());
        return;
    }
    const std::string account_name = call.query("account");
    const application::Actor actor = call.actor();
    application::Household* household = &services.household;
    // Finding the account by its name is a query: it blocks, so it runs on a reader.
    services.readers.post([=, upload = std::move(*upload), call = std::move(call)]() mutable {
        if (!account_name.empty() && upload.account_id.empty()) {
            auto account = household->accounts.by_name(actor.user_id, account_name);
            if (!account) {
                call.refuse(account.error());
                return;
            }
            upload.account_id = account->id;
        }
        household->files.upload(actor, std::move(upload),
                                answering<application::File>(std::move(call), 202, file_form));
    });
}

Result<std::string> account_of(const std::string& text) {
    Body body = TRY(Body::parse(text));
    body.need("accountId");
    std::string account = body.text("accountId").value_or("");
    TRY(body.finish());
    return account;
}

struct Process {
    std::optional<std::string> mapping;
    std::optional<std::string> account_id;
};

Result<Process> process_of(const std::string& text) {
    Body body = TRY(Body::parse(text));
    Process request{.mapping = body.raw("mapping"), .account_id = body.text("accountId")};
    TRY(body.finish());
    return request;
}

}  // namespace

void add_file_routes(Routes& routes) {
    using http::Method;
    constexpr auto household = auth::Permission::household;
    const Services* services = &routes.services();
    application::Files* files = &services->household.files;

    routes.add_query("/v1/files", household, [=](const Call& call) -> Result<std::string> {
        application::FileFilter filter{.account_id = call.query("accountId")};
        if (const std::string status = call.query("status"); !status.empty()) {
            filter.status = TRY(application::parse_file_status(status));
        }
        return list_form(call.listing(), TRY(files->list(call.user_id(), filter, TRY(call.page()))),
                         file_form);
    });
    routes.add(Method::post, "/v1/files", household,
               [=](Call call) { upload(*services, std::move(call)); });
    routes.add_query("/v1/files/{id}", household, [=](const Call& call) -> Result<std::string> {
        return file_form(TRY(files->get(call.user_id(), call.id())));
    });
    routes.add(Method::delete_, "/v1/files/{id}", household, [=](Call call) {
        const application::Actor actor = call.actor();
        const std::string id = call.id();
        files->remove(actor, id,
                      answering<application::FileRemoval>(std::move(call), 200, removal_form));
    });
    routes.add(Method::get, "/v1/files/{id}/content", household, [=](Call call) {
        services->readers.post([=, call = std::move(call)]() mutable {
            auto content = files->content(call.user_id(), call.id());
            if (!content) {
                call.refuse(content.error());
                return;
            }
            call.answer({.headers = {{"Content-Type", "application/octet-stream"}},
                         .body = std::move(*content)});
        });
    });
    routes.add_write(Method::post, "/v1/files/{id}:associate", household, account_of,
                     [=](Call call, const std::string& account) {
                         const application::Actor actor = call.actor();
                         const std::string id = call.id();
                         files->associate(
                             actor, id, account,
                             answering<application::File>(std::move(call), 200, file_form));
                     });
    routes.add_write(Method::post, "/v1/files/{id}:process", household, process_of,
                     [=](Call call, const Process& request) {
                         const application::Actor actor = call.actor();
                         const std::string id = call.id();
                         files->process(
                             actor, id, request.mapping, request.account_id,
                             answering<application::File>(std::move(call), 202, file_form));
                     });
}

}  // namespace bascule::api
