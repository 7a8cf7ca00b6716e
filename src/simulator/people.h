#pragma once

#include <string>

#include "simulator/stage.h"

namespace bascule::simulator {

/// Who operates the bus: pauses, resumes, flushes, redrives, discards. Threads: one owner.
class People {
  public:
    explicit People(Stage& stage) : stage_(stage) {}

    /// Somebody does something.
    void act(Random& random);

    /// Every consumer runs again, and all its letters are redriven.
    void help();

  private:
    void redrive(const std::string& consumer);
    void discard(const std::string& consumer, Random& random);

    Stage& stage_;
};

}  // namespace bascule::simulator
