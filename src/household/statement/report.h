#pragma once

#include <map>
#include <string>
#include <string_view>

#include "household/statement/parse.h"
#include "household/statement/statement.h"
#include "household/statement/text.h"

namespace bascule::statement {

/// Collects what a parser has to say beside the transactions, up to notes_max of each kind; what
/// exceeds that is counted, so that a hostile file cannot make its report larger than itself.
class Report {
  public:
    explicit Report(Statement& statement) : statement_(statement) {}

    void reject(Place place, std::string_view code, std::string message, std::string_view raw) {
        if (statement_.rejected.size() < notes_max) {
            statement_.rejected.push_back({place, std::string(code), std::move(message),
                                           std::string(cut(trimmed(raw), raw_bytes_max))});
        } else {
            ++more_rejected_[std::string(code)];
        }
    }
    void warn(std::uint64_t line, std::string_view code, std::string message) {
        if (statement_.warnings.size() < notes_max) {
            statement_.warnings.push_back({line, std::string(code), std::move(message)});
        } else {
            ++more_warnings_[std::string(code)];
        }
    }
    void error(std::uint64_t line, std::string_view code, std::string message) {
        if (statement_.errors.size() < notes_max) {
            statement_.errors.push_back({line, std::string(code), std::move(message)});
        }
    }
    void unsupported(std::string_view kind) { ++unsupported_[std::string(kind)]; }

    /// Moves the counts into the statement; once, at the end.
    void finish() {
        for (const auto& [kind, count] : unsupported_) {
            statement_.unsupported.push_back({kind, count});
        }
        for (const auto& [code, count] : more_rejected_) {
            statement_.rejected.push_back(
                {{}, code, std::to_string(count) + " more records were rejected", {}});
        }
        for (const auto& [code, count] : more_warnings_) {
            statement_.warnings.push_back(
                {0, code, std::to_string(count) + " more warnings of this kind"});
        }
    }

  private:
    Statement& statement_;
    std::map<std::string, std::uint64_t> unsupported_;
    std::map<std::string, std::uint64_t> more_rejected_;
    std::map<std::string, std::uint64_t> more_warnings_;
};

}  // namespace bascule::statement
