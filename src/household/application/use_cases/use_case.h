#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "foundation/base/hash.h"
#include "foundation/io/completion.h"
#include "household/application/actor.h"
#include "household/application/environment.h"
#include "household/application/records.h"
#include "household/application/unit_of_work.h"

/// What all use cases that change something share.
namespace bascule::application {

/// What was asked, as one text: a repeat of an idempotency key must ask the same.
class Request {
  public:
    explicit Request(std::string_view use_case) { add(use_case); }

    Request& add(std::string_view value);
    Request& add(std::int64_t value) { return add(std::string_view(std::to_string(value))); }
    Request& add(const std::vector<std::string>& values);
    template <class T>
    Request& add(const std::optional<T>& value) {
        add(std::int64_t{value.has_value()});
        return value ? add(*value) : *this;
    }

    /// 32 hexadecimal digits.
    std::string digest() const;

  private:
    std::string text_;
};

/// What an idempotency key remembers of an answer: the id of what was made or changed, or numbers.
inline std::string answer_text(std::int64_t count) { return std::to_string(count); }
inline std::string answer_text(const Account& account) { return account.id; }
inline std::string answer_text(const File& file) { return file.id; }
inline std::string answer_text(const FileRemoval& removal) {
    return std::to_string(removal.deleted_count) + "," + std::to_string(removal.kept_count);
}
inline std::string answer_text(const Transaction& transaction) { return transaction.id; }
inline std::string answer_text(const Category& category) { return category.node.id; }
inline std::string answer_text(const CategoryRule& rule) { return rule.rule.id; }
inline std::string answer_text(const Notification& notification) { return notification.id; }
inline std::string answer_text(const Preferences&) { return {}; }

/// The first answer under the actor's key, if there is one. Errors: `conflict` when it was given to
/// another request.
Result<std::optional<std::string>> earlier_answer(sql::Session& session, const Actor& actor,
                                                  const std::string& request, WallTime now);
Result<> keep_answer(sql::Session& session, const Actor& actor, const std::string& request,
                     const std::string& answer, WallTime now);

/// For repeats of what answers a number.
Result<std::int64_t> recall_count(sql::Session& session, const std::string& answer);

/// A request waits in the writer's queue, and its user may be deleted by one before it. Errors:
/// `not_found`.
Result<> check_present(sql::Session& session, const Actor& actor);

enum class Weight {
    light,  ///< joins other units in a transaction
    heavy,  ///< many rows: a transaction of its own
};

/// Runs `work(UnitOfWork&) -> Result<T>` as one unit of work: rows, events, and the memory of the
/// idempotency key. A repeat of the key answers `recall(session, answer) -> Result<T>` instead: the
/// same thing as it is now.
template <class T, class Work, class Recall>
void perform(const Environment& environment, Actor actor, const Request& request, Weight weight,
             Work work, Recall recall, io::Completion<T> done) {
    auto unit = [&clock = environment.clock, actor = std::move(actor), request = request.digest(),
                 work = std::move(work),
                 recall = std::move(recall)](sql::Session& session) mutable -> Result<T> {
        const WallTime now = clock.wall();
        TRY(check_present(session, actor));
        if (!actor.idempotency_key.empty()) {
            if (auto answer = TRY(earlier_answer(session, actor, request, now))) {
                return recall(session, *answer);
            }
        }
        UnitOfWork unit_of_work(session, actor, now);
        T answer = TRY(work(unit_of_work));
        TRY(unit_of_work.finish());
        if (!actor.idempotency_key.empty()) {
            TRY(keep_answer(session, actor, request, answer_text(answer), now));
        }
        return answer;
    };
    if (weight == Weight::heavy) {
        environment.writer.submit_alone(std::move(unit), std::move(done));
    } else {
        environment.writer.submit(std::move(unit), std::move(done));
    }
}

}  // namespace bascule::application
