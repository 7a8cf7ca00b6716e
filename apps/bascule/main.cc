#include <string>

#include "bench/benches.h"
#include "cli/cli.h"
#include "demo.h"
#include "serve.h"

namespace {

using bascule::cli::ServeArguments;

/// A value that is taken as it stands: `[::1]:4010` is no list, and a path may hold `: `.
std::string as_text(const std::string& value) {
    std::string quoted = "'";
    for (const char c : value) {
        quoted += c == '\'' ? "''" : std::string(1, c);
    }
    return quoted + "'";
}

bascule::SettingSources sources_of(const ServeArguments& arguments) {
    bascule::SettingSources sources{.config_file = arguments.config_file,
                                    .routing_file = arguments.routing_file,
                                    .overrides = arguments.overrides};
    if (!arguments.data_directory.empty()) {
        sources.overrides.push_back("storage.data=" + as_text(arguments.data_directory));
    }
    if (!arguments.listen.empty()) {
        sources.overrides.push_back("server.listen=" + as_text(arguments.listen));
    }
    return sources;
}

}  // namespace

int main(int argc, char** argv) {
    const bascule::cli::Program program{
        .version = BASCULE_VERSION,
        .serve =
            [](const ServeArguments& arguments) {
                return bascule::serve(
                    {.sources = sources_of(arguments), .json_log = arguments.json_log});
            },
        .config_check =
            [](const ServeArguments& arguments) {
                return bascule::check_config(sources_of(arguments));
            },
        .config_show =
            [](const ServeArguments& arguments, const std::string& key) {
                return bascule::show_config(sources_of(arguments), key);
            },
        .bench = bascule::bench::run,
        .demo = bascule::demo};
    return bascule::cli::run(argc, argv, program);
}
