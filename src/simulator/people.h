#pragma once

#include <set>
#include <string>
#include <vector>

#include "simulator/stage.h"

namespace bascule::simulator {

/// Who operates the bus: pauses, resumes, flushes, redrives, discards. Threads: one owner.
class People {
  public:
    explicit People(Stage& stage) : stage_(stage) {}

    /// Somebody does something.
    void act(Random& random);

    /// Every consumer runs again.
    void resume_all();
    /// … and all its letters are redriven, or given up if nobody can deliver them.
    void help();

  private:
    io::Completion<> noted(const std::string& actor);
    void pause(const std::string& consumer, Random& random);
    void resume(const std::string& consumer);
    void discard_answered(const broker::LetterSummary& letter, const std::string& actor,
                          const Result<std::vector<broker::LetterSummary>>& closed);
    void redrive(const std::string& consumer, const delivery::RedrivePace& pace);
    void redrive_at_a_pace(const std::string& consumer, Random& random);
    void stop_redrive(const std::string& consumer);
    void discard(const std::string& consumer, Random& random);
    void redrive_or_give_up(const std::string& consumer);
    void close(const broker::LetterSummary& letter, bool skips);

    Stage& stage_;
    std::set<std::string> paced_;  ///< of whom letters may wait for their turn
};

}  // namespace bascule::simulator
