#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/http/message.h"

namespace bascule::http {

/// What a Reply and a Stream speak to; implemented by the server's connection and by tests.
class ReplySink {
  public:
    virtual ~ReplySink() = default;
    virtual void send(Response response) = 0;
    virtual void begin_stream(Response head) = 0;

    enum class Taken {
        yes,
        full,  ///< not taken: the peer reads too slowly, ask `when_writable`
        gone,  ///< not taken: the peer went away, or the server stops
    };
    virtual Taken write(std::string& bytes) = 0;
    virtual void when_writable(std::move_only_function<void()> task) = 0;
    virtual void when_gone(std::move_only_function<void()> task) = 0;
    virtual void end_stream() = 0;
};

/// A response whose body goes on: server-sent events, long exports.
///
/// What is written is buffered up to Server::Options::stream_bytes_max; above it `write` takes
/// nothing, which is the back-pressure. Destroying the Stream ends the response.
///
/// Threads:  any, one at a time.
class Stream {
  public:
    using Taken = ReplySink::Taken;

    explicit Stream(std::shared_ptr<ReplySink> sink) : sink_(std::move(sink)) {}
    Stream(Stream&&) noexcept = default;
    Stream& operator=(Stream&&) noexcept;
    ~Stream() { end(); }

    /// Takes `bytes` (and leaves it empty) or leaves it as it is. A first write above the limit is
    /// taken when nothing is buffered.
    Taken write(std::string& bytes) { return sink_->write(bytes); }

    /// Calls `task` once, on a network thread, when there is room again or the peer is gone:
    /// write again to learn which. At once if it is so already. A second call replaces the first.
    void when_writable(std::move_only_function<void()> task) {
        sink_->when_writable(std::move(task));
    }

    /// Calls `task` once, on a network thread, when the peer is gone or the server stops; at once
    /// if it is so already. It comes whether or not anybody writes, and also after `end`: whoever
    /// keeps streams learns here which to forget. A second call replaces the first.
    void when_gone(std::move_only_function<void()> task) { sink_->when_gone(std::move(task)); }

    void end();

  private:
    std::shared_ptr<ReplySink> sink_;
};

/// One server-sent event in its wire form; `id` and `event` may be empty. Source: WHATWG HTML,
/// section 9.2.
std::string server_sent_event(std::string_view id, std::string_view event, std::string_view data);

/// The duty to answer one request, exactly once, from any thread. Destroyed unanswered it says 500.
///
/// An answer given inside the handler costs no other thread. Answering a peer that is gone is fine.
class Reply {
  public:
    explicit Reply(std::shared_ptr<ReplySink> sink) : sink_(std::move(sink)) {}
    Reply(Reply&&) noexcept = default;
    Reply& operator=(Reply&&) = delete;
    ~Reply();

    void send(Response response) { std::exchange(sink_, nullptr)->send(std::move(response)); }

    /// Sends the status and headers of `head` (its body is the first bytes) and goes on.
    Stream stream(Response head) {
        auto sink = std::exchange(sink_, nullptr);
        sink->begin_stream(std::move(head));
        return Stream(std::move(sink));
    }

  private:
    std::shared_ptr<ReplySink> sink_;
};

}  // namespace bascule::http
