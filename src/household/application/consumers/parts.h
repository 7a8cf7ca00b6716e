#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "foundation/base/guarded.h"
#include "household/application/consumers/run.h"

namespace bascule::application {

/// A run of one event that commits in parts, so that a long event does not hold the SQL writer.
///
/// Parts go to the writer in order, parts_at_once at a time, and share a transaction where they
/// can. After the first failure later ones do nothing and the run ends with it; a repeat finds in
/// the inbox what was committed and passes over it. A part is known by its number alone: one number
/// must mean the same work in every attempt.
class PartedRun : public std::enable_shared_from_this<PartedRun> {
  public:
    /// Work of one part, on the writer's thread, one after the other; not called for one that an
    /// earlier attempt has committed. `index` is its place in `numbers`.
    using Part = std::function<Result<>(UnitOfWork&, std::size_t index)>;

    static constexpr std::size_t parts_at_once = 16;

    /// What the inbox knows the parts by, each once; at least one.
    using Numbers = std::vector<std::uint32_t>;

    static void start(const Environment& environment, SharedRun run, Numbers numbers, Part part);

  private:
    PartedRun(const Environment& environment, SharedRun run, Numbers numbers, Part part)
        : environment_(environment),
          run_(std::move(run)),
          numbers_(std::move(numbers)),
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
