#include "household/application/schema.h"

#include <algorithm>
#include <iterator>

#include "foundation/sql/inbox.h"
#include "foundation/sql/outbox.h"

namespace bascule::application {

namespace {

using sql::Migration;
using sql::TableKind;

// Conventions: times are Unix milliseconds, civil days are text YYYY-MM-DD, which sorts as it
// should; amounts are minor units; an empty text stands for "none" where an index or a unique
// constraint has to see it, null where it is merely absent; truth is 0 or 1.

Migration accounts_and_files() {
    return {
        .room = "household",
        .version = 1,
        .name = "accounts and files",
        .statements =
            {
                "create table accounts ("
                " id text not null primary key,"
                " user_id text not null,"
                " name text not null,"
                " type text not null,"
                " institution text not null,"
                " currency text not null,"
                " identifiers text not null,"
                " opening_minor bigint,"
                " opening_date text,"
                " active bigint not null,"
                " created_ms bigint not null,"
                " updated_ms bigint not null,"
                " unique (user_id, name))",
                // What adding up an account's transactions would give.
                "create table account_totals ("
                " account_id text not null,"
                " currency text not null,"
                " user_id text not null,"
                " transaction_count bigint not null,"
                " total_minor bigint not null,"
                " primary key (account_id, currency))",
                "create table files ("
                " id text not null primary key,"
                " user_id text not null,"
                " account_id text not null,"
                " file_name text not null,"
                " size bigint not null,"
                " sha256 text not null,"
                " format text not null,"
                " mapping text not null,"
                " status text not null,"
                " message text not null,"
                " row_count bigint not null,"
                " transaction_count bigint not null,"
                " duplicate_count bigint not null,"
                " rejected_count bigint not null,"
                " date_from text,"
                " date_to text,"
                " event_id text not null,"
                " uploaded_ms bigint not null,"
                " processed_ms bigint)",
                "create index files_by_user on files (user_id, uploaded_ms, id)",
                "create index files_by_account on files (account_id)",
                "create index files_by_content on files (sha256)",
                "create table file_notes ("
                " file_id text not null,"
                " position bigint not null,"
                " kind text not null,"
                " line bigint not null,"
                " code text not null,"
                " message text not null,"
                " raw text not null,"
                " primary key (file_id, position))",
                "create table mapping_profiles ("
                " id text not null primary key,"
                " user_id text not null,"
                " account_id text not null,"
                " header_fingerprint text not null,"
                " name text not null,"
                " mapping text not null,"
                " created_ms bigint not null,"
                " updated_ms bigint not null,"
                " unique (user_id, account_id, header_fingerprint))",
                "create table import_runs ("
                " id text not null primary key,"
                " user_id text not null,"
                " file_id text not null,"
                " account_id text not null,"
                " status text not null,"
                " created_count bigint not null,"
                " updated_count bigint not null,"
                " duplicate_count bigint not null,"
                " rejected_count bigint not null,"
                " committed_ms bigint not null,"
                " reverted_ms bigint)",
                "create index import_runs_by_file on import_runs (file_id)",
            },
        .tables = {{"accounts", TableKind::domain},
                   {"account_totals", TableKind::technical},
                   {"files", TableKind::domain},
                   {"file_notes", TableKind::domain},
                   {"mapping_profiles", TableKind::domain},
                   {"import_runs", TableKind::domain}},
    };
}

Migration transactions() {
    return {
        .room = "household",
        .version = 2,
        .name = "transactions",
        .statements =
            {
                // booking_date … notes are what the user sees; bank_… is what the bank wrote.
                // search_text is the visible text, folded, so that LIKE ignores case in every
                // script. counted_category_id is empty where the category is only suggested.
                "create table transactions ("
                " id text not null primary key,"
                " user_id text not null,"
                " account_id text not null,"
                " file_id text not null,"
                " line bigint not null,"
                " booking_date text not null,"
                " value_date text,"
                " amount_minor bigint not null,"
                " currency text not null,"
                " exponent bigint not null,"
                " payee text not null,"
                " description text not null,"
                " memo text not null,"
                " notes text not null,"
                " search_text text not null,"
                " bank_date text not null,"
                " bank_minor bigint not null,"
                " bank_payee text not null,"
                " bank_memo text not null,"
                " bank_id text not null,"
                " bank_type text not null,"
                " edited bigint not null,"
                " status text not null,"
                " occurrence bigint not null,"
                " fingerprint text not null,"
                " category_id text not null,"
                " counted_category_id text not null,"
                " assignment_type text not null,"
                " rule_id text not null,"
                " rule_version bigint not null,"
                " confidence bigint not null,"
                " assigned_ms bigint,"
                " created_ms bigint not null,"
                " updated_ms bigint not null)",
                "create index transactions_by_date on transactions"
                " (user_id, booking_date, id)",
                "create index transactions_by_account on transactions"
                " (user_id, account_id, booking_date, id)",
                "create index transactions_by_category on transactions"
                " (user_id, counted_category_id, booking_date, id)",
                "create index transactions_suggested on transactions (user_id, category_id)"
                " where assignment_type = 'suggested'",
                "create index transactions_by_amount on transactions"
                " (user_id, amount_minor, id)",
                "create index transactions_by_file on transactions (file_id)"
                " where file_id <> ''",
                // Rows that the user dated otherwise than the bank: few, and looked for by the
                // bank's day when a file comes.
                "create index transactions_moved on transactions (account_id, bank_date)"
                " where bank_date <> booking_date",
            },
        .tables = {{"transactions", TableKind::domain}},
    };
}

Migration categories_and_rules() {
    return {
        .room = "household",
        .version = 3,
        .name = "categories and rules",
        .statements =
            {
                "create table categories ("
                " id text not null primary key,"
                " user_id text not null,"
                " name text not null,"
                " type text not null,"
                " parent_id text not null,"
                " icon text not null,"
                " colour text not null,"
                " created_ms bigint not null,"
                " updated_ms bigint not null,"
                " unique (user_id, parent_id, name))",
                "create table category_rules ("
                " id text not null primary key,"
                " user_id text not null,"
                " version bigint not null,"
                " category_id text not null,"
                " name text not null,"
                " conditions text not null,"
                " priority bigint not null,"
                " position bigint not null,"
                " stop bigint not null,"
                " enabled bigint not null,"
                " confidence bigint not null,"
                " auto_apply bigint not null,"
                " created_ms bigint not null,"
                " updated_ms bigint not null)",
                "create index category_rules_by_user on category_rules (user_id, category_id)",
                "create table generations ("
                " user_id text not null,"
                " subject text not null,"
                " generation bigint not null,"
                " primary key (user_id, subject))",
            },
        .tables = {{"categories", TableKind::domain},
                   {"category_rules", TableKind::domain},
                   {"generations", TableKind::technical}},
    };
}

Migration figures_and_people() {
    return {
        .room = "household",
        .version = 4,
        .name = "figures, notifications, preferences",
        .statements =
            {
                // The sums of 128 bits are text.
                "create table analytics_cells ("
                " user_id text not null,"
                " month text not null,"
                " currency text not null,"
                " account_id text not null,"
                " category_id text not null,"
                " in_minor text not null,"
                " out_minor text not null,"
                " in_count bigint not null,"
                " out_count bigint not null,"
                " primary key (user_id, month, currency, account_id, category_id))",
                "create table analytics_status ("
                " user_id text not null,"
                " analytic_type text not null,"
                " account_id text not null,"
                " computation_needed bigint not null,"
                " processing_priority bigint not null,"
                " status text not null,"
                " last_computed_ms bigint,"
                " data_through text,"
                " generation bigint not null,"
                " computed_generation bigint not null default -1,"
                " primary key (user_id, analytic_type, account_id))",
                // waiting_since is the lowest offset of an event that touched the month and is not
                // in its figures; the month '' is all of them together.
                "create table analytics_months ("
                " user_id text not null,"
                " month text not null,"
                " waiting_since bigint,"
                " generation bigint not null,"
                " computed_generation bigint not null,"
                " primary key (user_id, month))",
                "create index analytics_months_waiting on analytics_months (user_id, waiting_since)"
                " where waiting_since is not null",
                "create table notifications ("
                " id text not null primary key,"
                " user_id text not null,"
                " kind text not null,"
                " title text not null,"
                " message text not null,"
                " data text not null,"
                " event_id text not null,"
                " created_ms bigint not null)",
                "create index notifications_by_user on notifications (user_id, created_ms, id)",
                // Apart from the notification: having read it is a mark, not a change of state.
                "create table notification_reads ("
                " notification_id text not null primary key,"
                " user_id text not null,"
                " read_ms bigint not null)",
                "create table preferences ("
                " user_id text not null primary key,"
                " webhook_url text not null,"
                " webhook_secret text not null,"
                " webhook_enabled bigint not null,"
                " locale text not null,"
                " currency text not null,"
                " updated_ms bigint not null)",
                "create table idempotency_keys ("
                " user_id text not null,"
                " idempotency_key text not null,"
                " request text not null,"
                " answer text not null,"
                " created_ms bigint not null,"
                " primary key (user_id, idempotency_key))",
                "create index idempotency_keys_by_age on idempotency_keys (created_ms)",
            },
        // Figures can be computed again from the transactions, so they are no state of their own.
        .tables = {{"analytics_cells", TableKind::technical},
                   {"analytics_status", TableKind::technical},
                   {"analytics_months", TableKind::technical},
                   {"notifications", TableKind::domain},
                   {"notification_reads", TableKind::technical},
                   {"preferences", TableKind::domain},
                   {"idempotency_keys", TableKind::technical}},
    };
}

Migration profiles_used() {
    return {.room = "household",
            .version = 5,
            .name = "which saved mapping a file was read with",
            .statements = {"alter table files add column profile text not null default ''"},
            .tables = {}};
}

Migration known_rows() {
    return {.room = "household",
            .version = 6,
            .name = "which files state a row that was there",
            .statements =
                {
                    "create table known_rows ("
                    " file_id text not null,"
                    " transaction_id text not null,"
                    " user_id text not null,"
                    " line bigint not null,"
                    " earlier text not null,"
                    " primary key (file_id, transaction_id))",
                    "create index known_rows_by_transaction on known_rows (transaction_id)",
                },
            .tables = {{"known_rows", TableKind::domain}}};
}

Migration accounts_confirmed() {
    return {.room = "household",
            .version = 7,
            .name = "which account a person insisted on",
            .statements = {"alter table files add column confirmed_account_id text not null"
                           " default ''"},
            .tables = {}};
}

Migration departed_users() {
    return {.room = "household",
            .version = 8,
            .name = "for whom nothing may be done any more",
            .statements = {"create table departed_users (id text not null primary key)"},
            .tables = {{"departed_users", TableKind::technical}}};
}

Migration id_secret() {
    return {.room = "household",
            .version = 9,
            .name = "what derived ids depend on",
            .statements = {"create table id_secret (secret text not null)",
                           "insert into id_secret (secret)"
                           " values (cast(gen_random_uuid() as text))"},
            .tables = {{"id_secret", TableKind::technical}}};
}

Migration suggestions_by_date() {
    return {.room = "household",
            .version = 10,
            .name = "suggestions by date",
            .statements = {"create index transactions_suggested_by_date on transactions"
                           " (user_id, booking_date, id) where assignment_type = 'suggested'"},
            .tables = {}};
}

}  // namespace

std::vector<Migration> migrations() {
    std::vector<Migration> all = sql::outbox::migrations();
    std::ranges::move(sql::inbox::migrations(), std::back_inserter(all));
    for (const auto& step :
         {accounts_and_files(), transactions(), categories_and_rules(), figures_and_people(),
          profiles_used(), known_rows(), accounts_confirmed(), departed_users(), id_secret(),
          suggestions_by_date()}) {
        all.push_back(step);
    }
    return all;
}

}  // namespace bascule::application
