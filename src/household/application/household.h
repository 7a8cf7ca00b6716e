#pragma once

#include "household/application/environment.h"
#include "household/application/use_cases/accounts.h"
#include "household/application/use_cases/categories.h"
#include "household/application/use_cases/files.h"
#include "household/application/use_cases/reports.h"
#include "household/application/use_cases/transactions.h"

namespace bascule::application {

/// All use cases, for whoever offers them to the world.
struct Household {
    explicit Household(Environment environment)
        : accounts(environment),
          files(environment),
          transactions(environment),
          categories(environment),
          rules(environment),
          reports(environment),
          notifications(environment),
          preferences(environment) {}

    Accounts accounts;
    Files files;
    Transactions transactions;
    Categories categories;
    CategoryRules rules;
    Reports reports;
    Notifications notifications;
    PreferenceSettings preferences;
};

}  // namespace bascule::application
