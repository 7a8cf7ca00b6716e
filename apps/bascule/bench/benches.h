#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bascule::bench {

/// What stands behind `bascule bench NAME`: words, most of them `key=value`.
class Arguments {
  public:
    explicit Arguments(const std::vector<std::string>& words);

    /// As they were given.
    const std::vector<std::string>& words() const { return words_; }

    std::int64_t number(std::string_view key, std::int64_t otherwise) const;
    std::string text(std::string_view key, std::string_view otherwise) const;

    /// Where data goes: `dir=…`, else $TMPDIR, else the current folder. Should be on a real disk.
    std::string directory() const;

  private:
    std::vector<std::string> words_;
    std::map<std::string, std::string, std::less<>> values_;
};

int publish(const Arguments& arguments);
int e2e(const Arguments& arguments);
int delivery(const Arguments& arguments);
int replay(const Arguments& arguments);
int http(const Arguments& arguments);
int import(const Arguments& arguments);
int match(const Arguments& arguments);
int rules(const Arguments& arguments);

/// Runs the bench called `words[0]`; 2 and a list on standard error if there is none.
int run(const std::vector<std::string>& words);

}  // namespace bascule::bench
