#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "foundation/base/check.h"
#include "server/http/message.h"

namespace bascule::http {

/// The other end of a connection, byte by byte, for tests: it can say what no client would.
class TestPeer {
  public:
    explicit TestPeer(std::uint16_t port) : port_(port) { connect_again(); }
    /// The accepting end.
    static TestPeer adopt(int fd) { return TestPeer(Adopted{fd}); }
    TestPeer(const TestPeer&) = delete;
    ~TestPeer() { close(); }

    void connect_again() {
        close();
        buffer_.clear();
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        set_options();
    }

    bool connected() const { return connected_; }
    int descriptor() const { return fd_; }

    /// False when the connection is broken.
    bool send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t put = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (put <= 0) {
                return false;
            }
            text.remove_prefix(static_cast<std::size_t>(put));
        }
        return true;
    }

    void half_close() { ::shutdown(fd_, SHUT_WR); }
    void close() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

    /// Bytes up to and with `end`; what came until the connection ended if it never does.
    std::string read_to(std::string_view end) {
        for (std::size_t seen = 0;;) {
            const std::size_t found = buffer_.find(end, seen);
            if (found != buffer_.npos) {
                return take(found + end.size());
            }
            seen = buffer_.size() < end.size() ? 0 : buffer_.size() - end.size();
            if (!fill()) {
                return take(buffer_.size());
            }
        }
    }
    std::string read_bytes(std::size_t count) {
        while (buffer_.size() < count && fill()) {
        }
        return take(std::min(count, buffer_.size()));
    }
    std::string read_to_end() {
        while (fill()) {
        }
        return take(buffer_.size());
    }
    bool has_answer_within(std::chrono::milliseconds patience) {
        pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
        return !buffer_.empty() || ::poll(&waiting, 1, static_cast<int>(patience.count())) > 0;
    }
    /// True when the other end has closed and nothing is left to read.
    bool at_end() { return buffer_.empty() && !fill() && !timed_out_; }

    /// Status 0 when none came.
    Response read_response(Method method = Method::get) {
        Response response{.status = 0, .headers = {}, .body = {}};
        std::string head = read_to("\r\n\r\n");
        std::string_view left = head;
        if (left.size() < 12 || !left.starts_with("HTTP/1.1 ")) {
            return response;
        }
        std::from_chars(left.data() + 9, left.data() + 12, response.status);
        left.remove_prefix(left.find("\r\n") + 2);
        while (!left.starts_with("\r\n")) {
            const std::size_t end = left.find("\r\n");
            const std::size_t colon = left.find(": ");
            response.headers.add(std::string(left.substr(0, colon)),
                                 std::string(left.substr(colon + 2, end - colon - 2)));
            left.remove_prefix(end + 2);
        }
        std::size_t length = 0;
        const std::string_view text = response.headers.value_or("Content-Length", "0");
        std::from_chars(text.data(), text.data() + text.size(), length);
        if (method != Method::head) {
            response.body = read_bytes(length);
        }
        return response;
    }

    Response ask(std::string_view request, Method method = Method::get) {
        send(request);
        return read_response(method);
    }

  private:
    struct Adopted {
        int fd;
    };
    explicit TestPeer(Adopted accepted) : fd_(accepted.fd), connected_(fd_ >= 0) { set_options(); }

    void set_options() {
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const timeval patience{.tv_sec = 10, .tv_usec = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }

    std::string take(std::size_t count) {
        std::string taken = buffer_.substr(0, count);
        buffer_.erase(0, count);
        return taken;
    }
    bool fill() {
        char bytes[65536];
        const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
        timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        if (got <= 0) {
            return false;
        }
        buffer_.append(bytes, static_cast<std::size_t>(got));
        return true;
    }

    std::uint16_t port_ = 0;
    int fd_ = -1;
    bool connected_ = false;
    bool timed_out_ = false;
    std::string buffer_;
};

/// A name of this machine that every resolver knows: a bare container has no /etc/hosts and so no
/// `localhost`. To a URL and to a certificate it is a name; only the resolver reads it as
/// 127.0.0.1.
inline const std::string name_of_this_machine = "0x7f.1";

/// A listening socket whose test says every byte of the answer.
class TestListener {
  public:
    TestListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        CHECK(::bind(fd_, reinterpret_cast<sockaddr*>(&address), length) == 0);
        CHECK(::listen(fd_, 16) == 0);
        const timeval patience{.tv_sec = 10, .tv_usec = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
        port_ = ntohs(address.sin_port);
    }
    ~TestListener() { ::close(fd_); }

    std::uint16_t port() const { return port_; }
    /// One that is not connected if nobody comes within ten seconds, or stop() was called.
    TestPeer accept() { return TestPeer::adopt(::accept(fd_, nullptr, nullptr)); }
    /// Wakes a thread that is in accept().
    void stop() { ::shutdown(fd_, SHUT_RDWR); }

  private:
    int fd_;
    std::uint16_t port_ = 0;
};

}  // namespace bascule::http
