#pragma once

#include <string>
#include <vector>

namespace bascule::cli {

/// Prints a script that completes nouns and verbs. `words`: `noun` and `noun verb`.
int print_completion(const std::string& shell, const std::vector<std::string>& words);

std::string completion_script(const std::string& shell, const std::vector<std::string>& words);

}  // namespace bascule::cli
