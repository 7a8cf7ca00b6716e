#include <array>

#include "cli/verbs.h"

namespace bascule::cli {

namespace {

// ---- arguments that many verbs share

const Argument id = {"id", "id", Place::path, Form::text, true, true, "The id"};
const Argument account_id = {"id", "id", Place::path, Form::account, true, true, "Its id or name"};
const Argument category_id = {"id", "id", Place::path,     Form::category,
                              true, true, "Its id or name"};
const Argument consumer_name = {"name", "name", Place::path,   Form::text,
                                true,   true,   "The consumer"};

Argument query(std::string_view name, std::string_view member, std::string_view help) {
    return {.name = name, .member = member, .place = Place::query, .help = help};
}
Argument body(std::string_view name, std::string_view member, std::string_view help,
              Form form = Form::text) {
    return {.name = name, .member = member, .place = Place::body, .form = form, .help = help};
}
Argument of_account(std::string_view help) {
    return {.name = "account-id", .member = "accountId", .form = Form::account, .help = help};
}
Argument into_account(std::string_view help) {
    Argument argument = of_account(help);
    argument.place = Place::body;
    return argument;
}
Argument of_category(std::string_view help) {
    return {.name = "category", .member = "categoryId", .form = Form::category, .help = help};
}
Argument given_category(std::string_view help) {
    Argument argument = of_category(help);
    argument.place = Place::body;
    return argument;
}
const Argument below = {.name = "parent",
                        .member = "parentId",
                        .place = Place::body,
                        .form = Form::category,
                        .help = "Below this one: id or name"};

Column category_column(std::string_view title, std::string_view pointer) {
    return {.title = title, .pointer = pointer, .category = true};
}

Argument needed(Argument argument) {
    argument.required = true;
    return argument;
}

const std::vector<Argument> event_filters = {
    query("type", "type", "Event type, exact"),
    query("source", "source", "Source, exact"),
    query("correlation", "correlationId", "Correlation id"),
    query("causation", "causationId", "Causation id"),
    query("from", "from", "Not before: a day, a time (2026-01-31T12:00:00Z) or Unix milliseconds"),
    query("to", "to", "Not after, in the same forms; the day or the millisecond is included"),
    query("text", "text", "Contained text"),
};

const std::vector<Column> event_columns = {{"RECORDED", "/recordedAt"},
                                           {"POSITION", "/position", true},
                                           {"TYPE", "/event/eventType"},
                                           {"SOURCE", "/event/source"},
                                           {"USER", "/event/userId"},
                                           {"ID", "/event/eventId"},
                                           {"CORRELATION", "/event/correlationId"}};

const std::vector<Column> letter_columns = {{"ID", "/id"},
                                            {"CONSUMER", "/consumer"},
                                            {"TYPE", "/eventType"},
                                            {"USER", "/userId"},
                                            {"STATE", "/state"},
                                            {"REASON", "/reason"},
                                            {"ATTEMPTS", "/attempts", true},
                                            {"REDRIVES", "/redrives", true},
                                            {"LAST ERROR", "/lastError"}};

const std::vector<Argument> letter_selection = {
    {"id", "ids", Place::body, Form::list, true, false, "The letters"},
    body("consumer", "consumer", "All of this consumer"),
    body("user", "userId", "All of this user"),
    body("key", "key", "All with this value of the consumer's ordering key"),
    body("fingerprint", "fingerprint", "All with this error"),
    body("from", "from",
         "Became letters then or later: a day, a time (2026-01-31T12:00:00Z) or Unix ms"),
    body("to", "to", "Then or earlier, in the same forms"),
    body("all", "all", "All letters", Form::truth),
    body("preview", "preview", "Only say how many", Form::truth),
};

const std::vector<Argument> letter_query = {
    query("consumer", "consumer", "Of this consumer"),
    query("state", "state", "open, waiting, redriving, closed or all"),
    query("user", "userId", "Of this user"),
    query("key", "key", "With this value of the consumer's ordering key"),
    query("fingerprint", "fingerprint", "With this error"),
    query("from", "from", "Became letters then or later: a day, a time or Unix milliseconds"),
    query("to", "to", "Then or earlier, in the same forms"),
};

std::vector<Argument> with(std::vector<Argument> arguments, const Argument& more) {
    arguments.push_back(more);
    return arguments;
}

const Column balance_column = {
    "BALANCE", "/balance", true, "unknown (no opening balance)",
    "a balance needs one that is known: bascule accounts update NAME --opening-balance AMOUNT "
    "--opening-date YYYY-MM-DD"};

const Argument account_type =
    body("type", "type", "checking, savings, credit_card, investment, loan or other");
const std::vector<Argument> account_members = {
    body("institution", "institution", "The bank"),
    body("identifier", "identifiers", "IBAN, account or card number; may be repeated", Form::list),
    body("opening-balance", "openingBalance", "A known balance"),
    body("opening-date", "openingDate",
         "The day it begins with: rows booked before are in it already"),
};

const std::vector<Argument> rule_members = {
    body("name", "name", "What to call it"),
    body("conditions", "conditions",
         "JSON: {\"field\", \"operator\", \"value\"}, {\"all\": [...]} or {\"any\": [...]}",
         Form::json),
    body("priority", "priority", "Higher goes first", Form::number),
    body("confidence", "confidence", "0 to 100", Form::number),
    body("auto-apply", "autoApply", "true or false", Form::json),
    body("enabled", "enabled", "true or false", Form::json),
    body("stop", "stop", "true: no later rule looks at a row this one took", Form::json),
};

std::vector<Argument> joined(std::vector<Argument> first, const std::vector<Argument>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

const std::vector<Argument> transaction_members = {
    body("date", "date", "YYYY-MM-DD"),
    body("amount", "amount", "Decimal; negative is money out"),
    body("payee", "payee", "Who"),
    body("description", "description", "What for"),
    body("memo", "memo", "More"),
    body("notes", "notes", "Your own notes"),
    given_category("The category: id or name"),
};

std::vector<Verb> household_verbs() {
    return {
        {"accounts list",
         "GET",
         "/v1/accounts",
         "Accounts with their balances",
         {},
         Shape::list,
         {{"ID", "/id"},
          {"NAME", "/name"},
          {"TYPE", "/type"},
          {"INSTITUTION", "/institution"},
          {"CURRENCY", "/currency"},
          balance_column,
          {"ROWS", "/transactionCount", true}}},
        {"accounts show",
         "GET",
         "/v1/accounts/{id}",
         "One account",
         {account_id},
         Shape::object,
         {balance_column}},
        {"accounts create",
         "POST",
         "/v1/accounts",
         "Open an account",
         joined({{"name", "name", Place::body, Form::text, true, true, "What to call it"},
                 needed(account_type),
                 needed(body("currency", "currency", "ISO 4217 code"))},
                account_members),
         Shape::object,
         {balance_column}},
        {"accounts update",
         "PATCH",
         "/v1/accounts/{id}",
         "Change an account",
         joined({account_id, body("name", "name", "What to call it"), account_type},
                account_members),
         Shape::object,
         {balance_column}},
        {"accounts delete",
         "DELETE",
         "/v1/accounts/{id}",
         "Delete an account with its transactions",
         {account_id},
         Shape::object,
         {},
         true},

        {"files list",
         "GET",
         "/v1/files",
         "Uploaded bank files",
         {of_account("Of this account: id or name"), query("status", "status", "In this state")},
         Shape::list,
         {{"ID", "/id"},
          {"NAME", "/fileName"},
          {"FORMAT", "/format"},
          {"STATUS", "/status"},
          {"NEW", "/transactionCount", true},
          {"KNOWN", "/duplicateCount", true},
          {"REJECTED", "/rejectedCount", true},
          {"FROM", "/dateFrom"},
          {"TO", "/dateTo"}}},
        {"files show",
         "GET",
         "/v1/files/{id}",
         "One file: counts, rejected rows, open questions, the mapping it was read with",
         {id}},
        {"files content",
         "GET",
         "/v1/files/{id}/content",
         "The bytes as they were uploaded",
         {id},
         Shape::text},
        {"files associate",
         "POST",
         "/v1/files/{id}:associate",
         "Tie a file to an account; an empty one unties it",
         {id, needed(into_account("The account: id or name"))},
         Shape::object,
         {},
         false,
         {},
         FileStep::tell},
        {"files process",
         "POST",
         "/v1/files/{id}:process",
         "Process a file again, with a mapping; what it makes replaces what it made",
         {id, body("mapping", "mapping", "Profile as JSON", Form::json),
          into_account("Into this account: id or name")},
         Shape::object,
         {},
         false,
         {},
         FileStep::wait},
        {"files delete",
         "DELETE",
         "/v1/files/{id}",
         "Delete a file and what came with it, but for what other files state",
         {id},
         Shape::object,
         {},
         true},

        {"transactions list",
         "GET",
         "/v1/transactions",
         "Transactions, newest first",
         {of_account("Of this account: id or name"),
          of_category("In this category: id or name"),
          query("file", "fileId", "From this file"),
          query("from", "from", "Not before this day"),
          query("to", "to", "Not after this day"),
          query("text", "text", "Contained text"),
          query("min", "minAmount", "At least"),
          query("max", "maxAmount", "At most"),
          {.name = "uncategorized",
           .member = "uncategorized",
           .form = Form::truth,
           .help = "Only rows without a category"},
          {.name = "suggested",
           .member = "suggested",
           .form = Form::truth,
           .help = "Only rows for which a rule suggests a category: `transactions update ID "
                   "--category NAME` takes it, --category '' declines it for good"},
          query("sort", "sort", "date, -date, amount or -amount")},
         Shape::list,
         {{"DATE", "/date"},
          {"AMOUNT", "/amount", true},
          {"CURRENCY", "/currency"},
          {"PAYEE", "/payee"},
          {"DESCRIPTION", "/description"},
          {"MEMO", "/memo"},
          category_column("CATEGORY", "/categoryId"),
          category_column("SUGGESTED", "/suggestedCategoryId"),
          {"ID", "/id"}}},
        {"transactions show",
         "GET",
         "/v1/transactions/{id}",
         "One transaction, with why it has its category",
         {id}},
        {"transactions create", "POST", "/v1/transactions", "Enter a transaction by hand",
         joined({needed(into_account("The account: id or name"))}, transaction_members)},
        {"transactions update", "PATCH", "/v1/transactions/{id}", "Edit a transaction",
         joined({id}, transaction_members)},
        {"transactions delete",
         "POST",
         "/v1/transactions:delete",
         "Delete transactions",
         {{"id", "ids", Place::body, Form::list, true, true, "The transactions"}},
         Shape::object,
         {},
         true},

        {"categories list",
         "GET",
         "/v1/categories",
         "The category tree",
         {},
         Shape::list,
         {{"ID", "/id"},
          {"NAME", "/name"},
          {"TYPE", "/type"},
          category_column("PARENT", "/parentId")}},
        {"categories show", "GET", "/v1/categories/{id}", "One category", {category_id}},
        {"categories create",
         "POST",
         "/v1/categories",
         "Create a category",
         {{"name", "name", Place::body, Form::text, true, true, "What to call it"},
          needed(body("type", "type", "INCOME, EXPENSE or TRANSFER")),
          below,
          body("icon", "icon", "Icon"),
          body("colour", "colour", "Colour")}},
        {"categories update",
         "PATCH",
         "/v1/categories/{id}",
         "Change a category",
         {category_id, body("name", "name", "What to call it"), below, body("icon", "icon", "Icon"),
          body("colour", "colour", "Colour")}},
        {"categories delete",
         "DELETE",
         "/v1/categories/{id}",
         "Delete a category; its transactions become uncategorised",
         {category_id},
         Shape::object,
         {},
         true},
        {"categories rules",
         "GET",
         "/v1/category-rules",
         "Rules in the order in which they are applied",
         {of_category("Of this category: id or name")},
         Shape::list,
         {{"ID", "/id"},
          {"NAME", "/name"},
          category_column("CATEGORY", "/categoryId"),
          {"PRIORITY", "/priority", true},
          {"ENABLED", "/enabled"},
          {"CONDITIONS", "/conditions"}}},
        {"categories rule-show", "GET", "/v1/category-rules/{id}", "One rule", {id}},
        {"categories rule-create", "POST", "/v1/category-rules", "Create a rule",
         joined({needed(given_category("The category it gives: id or name"))}, rule_members)},
        {"categories rule-update", "PATCH", "/v1/category-rules/{id}", "Change a rule",
         joined({id, given_category("The category it gives: id or name")}, rule_members)},
        {"categories rule-delete",
         "DELETE",
         "/v1/category-rules/{id}",
         "Delete a rule; what it assigned stays",
         {id},
         Shape::object,
         {},
         true},

        {"analytics list",
         "GET",
         "/v1/analytics",
         "Which figures there are, and how fresh",
         {},
         Shape::list},
        {"analytics show",
         "GET",
         "/v1/analytics/{type}",
         "Figures for a period",
         {{"type", "type", Place::path, Form::text, true, true, "cash_flow or category_trends"},
          query("period", "period", "month, quarter, year or overall"),
          query("from", "from", "Not before this day"),
          query("to", "to", "Not after this day"),
          of_account("Of this account: id or name"),
          query("currency", "currency", "ISO 4217 code")},
         Shape::rows,
         {},
         false,
         "buckets"},
        {"analytics refresh", "POST", "/v1/analytics:refresh", "Compute now"},

        {"notifications list",
         "GET",
         "/v1/notifications",
         "The inbox, newest first",
         {{.name = "unread", .member = "unread", .form = Form::truth, .help = "Only unread ones"}},
         Shape::list,
         {{"CREATED", "/createdAt"},
          {"KIND", "/kind"},
          {"TITLE", "/title"},
          {"READ", "/read"},
          {"ID", "/id"},
          {"MESSAGE", "/message"}}},
        {"notifications read", "POST", "/v1/notifications/{id}:read", "Mark as read", {id}},
    };
}

std::vector<Verb> bus_verbs() {
    return {
        {"events get", "GET", "/v1/events/{id}", "One event", {id}},
        {"events search", "GET", "/v1/events", "Search the stored events", event_filters,
         Shape::list, event_columns},

        {"consumers list",
         "GET",
         "/v1/consumers",
         "All consumers with their numbers",
         {},
         Shape::list,
         {{"NAME", "/name"},
          {"STATE", "/state"},
          {"HANDLER", "/handler"},
          {"LAG", "/lagEvents", true},
          {"SECONDS", "/lagSeconds", true},
          {"LETTERS", "/letters", true},
          {"WINDOWS", "/windows", true},
          {"POSITION", "/position", true}}},
        {"consumers show",
         "GET",
         "/v1/consumers/{name}",
         "One consumer with policy, state and numbers",
         {consumer_name}},
        {"consumers lag",
         "GET",
         "/v1/consumers",
         "How far each consumer is behind",
         {},
         Shape::list,
         {{"NAME", "/name"},
          {"STATE", "/state"},
          {"LAG", "/lagEvents", true},
          {"SECONDS", "/lagSeconds", true}}},
        {"consumers pause",
         "POST",
         "/v1/consumers/{name}:pause",
         "Stop attempting; nothing is lost",
         {consumer_name,
          body("until", "until", "A day, a time (2026-01-31T12:00:00Z) or Unix milliseconds"),
          body("reason", "reason", "Why, for others"),
          body("drain", "drain", "Handle first what was read", Form::truth)}},
        {"consumers resume",
         "POST",
         "/v1/consumers/{name}:resume",
         "Go on from where it stopped, or from elsewhere",
         {consumer_name,
          body("from", "from", "position (the default) or now: leave out what waits"),
          body("position", "position", "From this position of the log"),
          body("time", "time", "From what was stored then, in the forms of --until of pause")}},
        {"consumers flush",
         "POST",
         "/v1/consumers/{name}:flush",
         "Fire all open windows and batches now",
         {consumer_name}},
        {"consumers explain",
         "POST",
         "/v1/consumers/{name}:explain",
         "Why an event is not delivered yet",
         {consumer_name,
          {"event", "eventId", Place::body, Form::text, true, true, "The event's id"}}},

        {"letters list", "GET", "/v1/letters", "Events whose retries are exhausted", letter_query,
         Shape::list, letter_columns},
        {"letters groups",
         "GET",
         "/v1/letters:groups",
         "Letters by consumer and cause, the most frequent first",
         letter_query,
         Shape::list,
         {{"CONSUMER", "/consumer"},
          {"LETTERS", "/letters", true},
          {"USERS", "/users", true},
          {"FINGERPRINT", "/fingerprint"},
          {"EXAMPLE", "/exampleId"}}},
        {"letters export", "GET", "/v1/letters:export",
         "Letters with their events, one line of JSON each", letter_query, Shape::text},
        {"letters show",
         "GET",
         "/v1/letters/{id}",
         "One letter with event, attempts and errors",
         {id}},
        {"letters redrive", "POST", "/v1/letters:redrive",
         "Attempt letters again, in the order of each key",
         with(
             with(letter_selection, body("rate", "rate", "So many letters a second", Form::number)),
             body("canary", "canary", "The first one alone; the others once it is done",
                  Form::truth))},
        {"letters stop", "POST", "/v1/letters:stop",
         "Take letters back that wait for their turn in a redrive", letter_selection},
        {"letters skip",
         "POST",
         "/v1/letters:skip",
         "Let the keys go on without these events, with a reason",
         with(letter_selection, needed(body("reason", "reason", "Why"))),
         Shape::object,
         {},
         true},
        {"letters discard",
         "POST",
         "/v1/letters:discard",
         "Give letters up, with a reason; they remain as closed",
         with(letter_selection, needed(body("reason", "reason", "Why"))),
         Shape::object,
         {},
         true},

        {"outbox refused",
         "GET",
         "/v1/outbox/refused",
         "Committed events that the log will never take",
         {},
         Shape::list,
         {{"ID", "/id"},
          {"TYPE", "/eventType"},
          {"USER", "/userId"},
          {"REFUSED", "/refusedAt"},
          {"CODE", "/code"},
          {"REASON", "/reason"}}},
        {"outbox show", "GET", "/v1/outbox/refused/{id}", "One of them, with the event", {id}},

        {"rules list",
         "GET",
         "/v1/rules",
         "The rules in force",
         {},
         Shape::list,
         {{"NAME", "/name"},
          {"ORIGIN", "/origin"},
          {"TARGETS", "/targets"},
          {"PATTERNS", "/patterns"}}},

        {"audit search", "GET", "/v1/audit", "Search the audit trail", event_filters, Shape::list,
         event_columns},
    };
}

std::vector<Verb> access_verbs() {
    return {
        {"users list",
         "GET",
         "/v1/users",
         "Users",
         {},
         Shape::list,
         {{"ID", "/id"}, {"NAME", "/name"}, {"ROLE", "/role"}, {"CREATED", "/createdAt"}}},
        {"users create",
         "POST",
         "/v1/users",
         "Create a user",
         {{"name", "name", Place::body, Form::text, true, true, "The name"},
          body("role", "role", "owner, member or operator"),
          body("password", "password", "To sign in with")}},
        {"users delete",
         "DELETE",
         "/v1/users/{id}",
         "Delete a user that owns no data",
         {id},
         Shape::object,
         {},
         true},
        {"users me", "GET", "/v1/me", "Who the token belongs to"},
        {"token list",
         "GET",
         "/v1/tokens",
         "Tokens, without their secrets",
         {},
         Shape::list,
         {{"ID", "/id"},
          {"PREFIX", "/prefix"},
          {"ROLE", "/role"},
          {"USER", "/userId"},
          {"DESCRIPTION", "/description"},
          {"MEMO", "/memo"},
          {"EXPIRES", "/expiresAt"},
          {"REVOKED", "/revoked"}}},
        {"token create",
         "POST",
         "/v1/tokens",
         "Create a token; its secret is shown once",
         {needed(body("role", "role", "owner, member, operator, publisher or consumer")),
          body("user", "userId", "For this user"),
          body("description", "description", "What it is for"),
          body("expires", "expiresAt", "Unix milliseconds", Form::number)}},
        {"token revoke",
         "DELETE",
         "/v1/tokens/{id}",
         "Revoke a token at once",
         {id},
         Shape::object,
         {},
         true},
    };
}

}  // namespace

std::span<const Verb> verbs() {
    static const std::vector<Verb> all = [] {
        std::vector<Verb> verbs = household_verbs();
        for (auto&& part : {bus_verbs(), access_verbs()}) {
            verbs.insert(verbs.end(), part.begin(), part.end());
        }
        return verbs;
    }();
    return all;
}

std::span<const Column> figure_columns(std::string_view type) {
    static constexpr Column cash_flow[] = {{"period", "/period"},
                                           {"currency", "/currency"},
                                           {"income", "/income", true},
                                           {"expenses", "/expenses", true},
                                           {"net", "/net", true},
                                           {"moneyIn", "/moneyIn", true},
                                           {"moneyOut", "/moneyOut", true},
                                           {"count", "/count", true},
                                           {"uncategorizedCount", "/uncategorizedCount", true},
                                           {"transferCount", "/transferCount", true}};
    static constexpr Column category_trends[] = {{"period", "/period"},
                                                 {"currency", "/currency"},
                                                 {"categoryId", "/categoryId"},
                                                 {"categoryName", "/categoryName"},
                                                 {"categoryType", "/categoryType"},
                                                 {"total", "/total", true},
                                                 {"totalWithChildren", "/totalWithChildren", true},
                                                 {"count", "/count", true}};
    return type == "cash_flow"         ? std::span<const Column>(cash_flow)
           : type == "category_trends" ? std::span<const Column>(category_trends)
                                       : std::span<const Column>();
}

std::string_view help_of_noun(std::string_view noun) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 14> nouns = {{
        {"accounts", "Your accounts"},
        {"files", "Bank files that were uploaded"},
        {"transactions", "What the files said, and what you entered"},
        {"categories", "The category tree and the rules that fill it"},
        {"analytics", "Figures"},
        {"notifications", "The inbox"},
        {"events", "The stored events"},
        {"consumers", "Who gets events, and how far they are"},
        {"letters", "Events whose retries are exhausted"},
        {"outbox", "Changes of the household on their way to the log"},
        {"rules", "The rules of the bus"},
        {"audit", "The tamper-evident trail of every event"},
        {"users", "Users"},
        {"token", "Tokens"},
    }};
    for (const auto& [name, help] : nouns) {
        if (name == noun) {
            return help;
        }
    }
    return {};
}

}  // namespace bascule::cli
