#include "journal.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "foundation/json/writer.h"

namespace bascule::journal {

namespace {

std::atomic<Format> format{Format::text};

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> instance = [] {
        auto made = spdlog::stderr_logger_mt("bascule");
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
        made->flush_on(spdlog::level::info);
        return made;
    }();
    return *instance;
}

void write(spdlog::level::level_enum level, std::string_view message) {
    if (format.load() == Format::json) {
        std::string quoted;
        json::append_string(quoted, message);
        logger().log(level, quoted);
    } else {
        logger().log(level, message);
    }
}

}  // namespace

void set_format(Format wanted) {
    format = wanted;
    if (wanted == Format::json) {
        logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})",
                             spdlog::pattern_time_type::utc);
    }
}

void info(std::string_view message) { write(spdlog::level::info, message); }
void warn(std::string_view message) { write(spdlog::level::warn, message); }
void error(std::string_view message) { write(spdlog::level::err, message); }

}  // namespace bascule::journal
