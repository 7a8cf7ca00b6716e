#pragma once

#include "cli/session.h"
#include "foundation/json/value.h"

/// What becomes of a bank file that was handed to the server: processing takes its time, and often
/// a person has to say something.
namespace bascule::cli {

/// Looks at the file until the server has processed it, at growing distances; returns it as it is
/// then.
Answer<json::Value> settled(Session& session, json::Value file);

/// Tells on standard error what a person must know of a processed file beyond its counts: what was
/// left out and why, what is asked, and with which command to go on.
void explain_file(Session& session, const json::Value& file);

/// After an answer that does not read the file again by itself: the command that does, if the file
/// waits for it.
void tell_next_step(const json::Value& file);

/// 0 processed whole, or still pending as nobody waited; 8 some rows were rejected; 1 nothing was
/// taken.
int exit_code_of_file(const json::Value& file);

/// A text of the file; empty where it has none.
std::string file_text(const json::Value& file, std::string_view member);

}  // namespace bascule::cli
