#pragma once

#include <string>
#include <string_view>

/// The program's own log, on standard error: one line a fact, as text or JSON. No amounts, no bank
/// texts, no secrets.
namespace bascule::journal {

enum class Format { text, json };
void set_format(Format format);

void info(std::string_view message);
void warn(std::string_view message);
void error(std::string_view message);

}  // namespace bascule::journal
