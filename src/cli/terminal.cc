#include "cli/terminal.h"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace bascule::cli {

namespace {

void write(std::FILE* stream, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stream);
}

bool shows_progress() { return ::isatty(STDERR_FILENO) != 0; }

}  // namespace

void print(std::string_view data) {
    write(stdout, data);
    std::fflush(stdout);
}

void print_note(std::string_view text) { write(stderr, std::string(text) + "\n"); }

void print_error(std::string_view text) { write(stderr, "bascule: " + std::string(text) + "\n"); }

void show_progress(std::string_view text) {
    if (shows_progress()) {
        write(stderr, "\r\x1B[K" + std::string(text));
        std::fflush(stderr);
    }
}

void end_progress() {
    if (shows_progress()) {
        write(stderr, "\r\x1B[K");
    }
}

bool confirmed(std::string_view question, bool yes) {
    if (yes) {
        return true;
    }
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) {
        return false;
    }
    write(stderr, std::string(question) + " [y/N] ");
    std::fflush(stderr);
    const int answer = std::fgetc(stdin);
    return answer == 'y' || answer == 'Y';
}

}  // namespace bascule::cli
