#pragma once

#include "household/application/accounts.h"
#include "household/application/categories.h"
#include "household/application/environment.h"
#include "household/application/files.h"
#include "household/application/reports.h"
#include "household/application/transactions.h"

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
