#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "foundation/base/guarded.h"
#include "household/application/consumers/run.h"

namespace bascule::application {

/// A run of one event that commits in parts, so that a long event does not hold the SQL writer.
///
/// Parts go to the writer in order, parts_at_once at a time, and share a transaction where they
/// can. After the first failure later ones do nothing and the run ends with it; a repeat finds in
/// the inbox what was committed and passes over it.
class PartedRun : public std::enable_shared_from_this<PartedRun> {
  public:
    /// Work of one part, on the writer's thread, one after the other. `claim` says whether an
    /// earlier attempt has committed it; then it must change nothing.
    using Part = std::function<Result<>(UnitOfWork&, std::size_t index, sql::inbox::Claim claim)>;

    static constexpr std::size_t parts_at_once = 16;

    struct Numbers {
        std::uint32_t first = 0;  ///< in the inbox
        std::size_t count = 1;    ///< at least one
    };

    static void start(const Environment& environment, SharedRun run, Numbers numbers, Part part);

  private:
    PartedRun(const Environment& environment, SharedRun run, Numbers numbers, Part part)
        : environment_(environment),
          run_(std::move(run)),
          numbers_(numbers),
          part_(std::move(part)) {}

    void submit_from(std::size_t first);
    Result<> work(sql::Session& session, std::size_t index);
    void answered(Result<> result);

    Environment environment_;
    SharedRun run_;
    Numbers numbers_;
    Part part_;
    std::atomic<std::size_t> answered_ = 0;
    std::atomic<std::size_t> submitted_ = 0;  ///< those of the present round included
    std::atomic<bool> failed_ = false;
    Guarded<Result<>> outcome_;
};

}  // namespace bascule::application
