#pragma once

#include "bus/broker/handler.h"
#include "household/application/consumers/import_plan.h"
#include "household/application/environment.h"

namespace bascule::application {

/// file.uploaded: reads the bank file and brings its rows in.
///
/// The worker parses; everything the file changes is then one SQL transaction of its own. A file
/// that cannot be read, or whose rows can never be kept (an account's total that would not fit, an
/// event above bus.event_bytes_max), is an outcome (status `failed` or `needs_mapping`,
/// file.processed with the reason), not a failed run: nothing would be gained by trying again, and
/// the user's later files go on.
class FileProcessor final : public broker::Handler {
  public:
    explicit FileProcessor(Environment environment) : environment_(environment) {}
    void handle(broker::Delivery delivery, broker::Done done) override;

  private:
    struct Prepared {
        File file;
        ImportPlan plan;
    };

    /// Nothing when the file was deleted meanwhile.
    Result<std::optional<Prepared>> prepare(const event::EventView& event) const;
    Result<ImportPlan> read(sql::Session& session, const std::string& user_id,
                            const File& file) const;

    Environment environment_;
};

}  // namespace bascule::application
