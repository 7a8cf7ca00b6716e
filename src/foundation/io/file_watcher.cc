#include "foundation/io/file_watcher.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <thread>
#include <utility>

namespace bascule::io {

namespace {

constexpr int settle_ms = 100;

std::pair<std::string, std::string> folder_and_name(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) {
        return {".", path};
    }
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

struct FileWatcher::State {
    int notify = -1;
    int stop = -1;
    std::vector<std::string> paths;
    std::map<int, std::set<std::string>> names;  ///< by watch descriptor
    std::function<void()> changed;
    std::thread thread;

    ~State() {
        if (thread.joinable()) {
            const std::uint64_t one = 1;
            // Cannot fail: the counter is far from its limit.
            [[maybe_unused]] const auto written = ::write(stop, &one, sizeof one);
            thread.join();
        }
        if (notify >= 0) {
            ::close(notify);
        }
        if (stop >= 0) {
            ::close(stop);
        }
    }

    /// Watches the folder of `path` for its name; 0, or what is in the way.
    int watch(const std::string& path) {
        const auto [folder, name] = folder_and_name(path);
        const int descriptor = ::inotify_add_watch(
            notify, folder.c_str(),
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE);
        if (descriptor < 0) {
            return errno;
        }
        names[descriptor].insert(name);
        return 0;
    }

    /// What is watched already stays so; a folder that was made is watched from now on.
    Result<> watch_all() {
        for (const std::string& path : paths) {
            const std::string folder = folder_and_name(path).first;
            const int above = watch(folder);
            const int error = watch(path);
            if (error == ENOENT && above == 0) {
                continue;
            }
            if (error != 0) {
                return fail(error == ENOENT ? ErrorKind::not_found : ErrorKind::io,
                            "cannot watch " + folder + ": " + std::strerror(error));
            }
        }
        return {};
    }

    /// Reads what happened; true if it concerns one of our names.
    bool read_events() {
        alignas(inotify_event) std::array<char, 4096> buffer;
        bool ours = false;
        const ssize_t length = ::read(notify, buffer.data(), buffer.size());
        for (ssize_t at = 0; at < length;) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
            const auto watched = names.find(event->wd);
            if ((event->mask & IN_Q_OVERFLOW) != 0 || (watched != names.end() && event->len > 0 &&
                                                       watched->second.contains(event->name))) {
                ours = true;
            }
            at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        }
        return ours;
    }

    void run() {
        bool pending = false;
        for (;;) {
            std::array<pollfd, 2> waits{pollfd{notify, POLLIN, 0}, pollfd{stop, POLLIN, 0}};
            const int ready = ::poll(waits.data(), waits.size(), pending ? settle_ms : -1);
            if ((waits[1].revents & POLLIN) != 0) {
                return;
            }
            if (ready > 0) {
                pending = read_events() || pending;
            } else if (ready == 0 && std::exchange(pending, false)) {
                // A folder that cannot be watched now is looked for again with the next change.
                static_cast<void>(watch_all());
                changed();
            }
        }
    }
};

FileWatcher::FileWatcher(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileWatcher::~FileWatcher() = default;

Result<std::unique_ptr<FileWatcher>> FileWatcher::create(const std::vector<std::string>& paths,
                                                         std::function<void()> changed) {
    auto state = std::make_unique<State>();
    state->changed = std::move(changed);
    state->notify = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    state->stop = ::eventfd(0, EFD_CLOEXEC);
    if (state->notify < 0 || state->stop < 0) {
        return fail(ErrorKind::io, std::string("cannot watch files: ") + std::strerror(errno));
    }
    state->paths = paths;
    TRY(state->watch_all());
    State* const raw = state.get();
    state->thread = std::thread([raw] { raw->run(); });
    return std::unique_ptr<FileWatcher>(new FileWatcher(std::move(state)));
}

}  // namespace bascule::io
