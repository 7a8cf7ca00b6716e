#pragma once

#include <string_view>

namespace bascule::cli {

/// Data: standard output, exactly these bytes.
void print(std::string_view data);

/// Everything else: standard error, one or more lines.
void print_note(std::string_view text);
void print_error(std::string_view text);  ///< with `bascule: ` before it

/// Progress on one line of standard error that the next one replaces; nothing where standard error
/// is no terminal.
void show_progress(std::string_view text);
void end_progress();

/// `yes`, or the answer of a person at a terminal. False where nobody can be asked.
bool confirmed(std::string_view question, bool yes);

}  // namespace bascule::cli
