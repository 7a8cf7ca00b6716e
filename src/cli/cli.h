#pragma once

#include <functional>
#include <string>
#include <vector>

/// The command line of `bascule`. Names, options and exit codes are a contract:
/// docs/reference/cli.md.
namespace bascule::cli {

enum ExitCode : int {
    exit_yes = 0,
    exit_no = 1,  ///< ran, and the answer is no
    exit_usage = 2,
    exit_configuration = 3,
    exit_not_allowed = 4,
    exit_unreachable = 5,  ///< or timed out
    exit_not_found = 6,
    exit_conflict = 7,
    exit_partly = 8,
    exit_server_error = 9,
    exit_interrupted = 130,
};

/// What `serve` and `config` were given. Empty texts: not given.
struct ServeArguments {
    std::string config_file;
    std::string routing_file;
    std::string data_directory;
    std::string listen;
    std::vector<std::string> overrides;  ///< KEY=VALUE
    bool json_log = false;
};

/// What the program brings along. A verb whose function is missing does not exist.
struct Program {
    std::string version;
    std::function<int(const ServeArguments&)> serve;
    std::function<int(const ServeArguments&)> config_check;
    std::function<int(const ServeArguments&, const std::string& key)> config_show;
    std::function<int(const std::vector<std::string>& words)> bench;
    std::function<int()> demo;
};

/// Runs one command and returns its exit code. Prints; throws nothing.
int run(int argc, const char* const* argv, const Program& program);

}  // namespace bascule::cli
