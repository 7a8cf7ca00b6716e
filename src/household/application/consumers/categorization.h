#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bus/broker/handler.h"
#include "household/application/consumers/rule_cache.h"
#include "household/application/consumers/run.h"
#include "household/application/environment.h"

namespace bascule::application {

/// transactions.created: gives new rows the category of the first rule that matches, or suggests
/// it. category.rule_created and category.rule_updated: where the rule applies by itself, does so
/// for existing rows without a category, with that rule.
///
/// What a person decided stays, and a match that says nothing new writes and publishes nothing.
/// Commits at most `part_size` rows at a time: transaction.categorized for each row that changed,
/// and with the last part category.rules_applied for each category of the run, in pieces of at most
/// 1 000 rows.
class Categorization final : public broker::Handler {
  public:
    static constexpr std::uint32_t part_size_default = 100;

    Categorization(Environment environment, std::uint32_t part_size)
        : environment_(environment), part_size_(part_size) {}
    void handle(broker::Delivery delivery, broker::Done done) override;

  private:
    Result<> start(const SharedRun& run);

    Environment environment_;
    std::uint32_t part_size_;
    RuleCache cache_;
};

}  // namespace bascule::application
