#pragma once

#include <algorithm>
#include <atomic>
#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <utility>

#include "server/http/message.h"

namespace bascule::http {

/// What all connections together may hold of request bodies. What has come counts, not what was
/// announced: announcing costs nothing.
class BodyBudget {
  public:
    explicit BodyBudget(std::uint64_t bytes_max) : left_(static_cast<std::int64_t>(bytes_max)) {}

    bool take(std::uint64_t bytes) {
        const auto wanted = static_cast<std::int64_t>(bytes);
        if (left_.fetch_sub(wanted) >= wanted) {
            return true;
        }
        left_.fetch_add(wanted);
        return false;
    }
    void give_back(std::uint64_t bytes) { left_.fetch_add(static_cast<std::int64_t>(bytes)); }

  private:
    std::atomic<std::int64_t> left_;
};

/// Beast's parser, writing straight into our Request: no container of its own in between.
class RequestParser final : public boost::beast::http::basic_parser<true> {
  public:
    using ErrorCode = boost::beast::error_code;

    RequestParser(Request& into, BodyBudget& budget) : request_(into), budget_(budget) {}
    ~RequestParser() override { release_budget(); }

    /// Once the request was answered.
    void release_budget() { budget_.give_back(std::exchange(taken_, 0)); }

    bool http_1_0() const { return http_1_0_; }
    bool over_budget() const { return over_budget_; }
    bool expects_continue() const { return expects_continue_; }

  private:
    using View = boost::beast::string_view;
    static constexpr std::uint64_t reserved_bytes_max = 1 << 20;

    void on_request_impl(boost::beast::http::verb, View method, View target, int version,
                         ErrorCode&) override {
        http_1_0_ = version < 11;
        request_.method_text.assign(method.data(), method.size());
        request_.method = method_of(request_.method_text);
        request_.target.assign(target.data(), target.size());
    }
    void on_response_impl(int, View, int, ErrorCode&) override {}

    void on_field_impl(boost::beast::http::field field, View name, View value,
                       ErrorCode&) override {
        if (field == boost::beast::http::field::expect) {
            expects_continue_ = equal_fold({value.data(), value.size()}, "100-continue");
        }
        request_.headers.add(std::string(name.data(), name.size()),
                             std::string(value.data(), value.size()));
    }
    void on_header_impl(ErrorCode&) override {}

    void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override {
        request_.body.reserve(std::min(length.value_or(0), reserved_bytes_max));
    }
    std::size_t on_body_impl(View bytes, ErrorCode& error) override {
        if (!take(bytes.size(), error)) {
            return 0;
        }
        request_.body.append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t, View, ErrorCode&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, View bytes, ErrorCode& error) override {
        if (!take(bytes.size(), error)) {
            return 0;
        }
        request_.body.append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_finish_impl(ErrorCode&) override {}

    bool take(std::uint64_t bytes, ErrorCode& error) {
        if (!budget_.take(bytes)) {
            over_budget_ = true;
            error = boost::beast::http::error::body_limit;
            return false;
        }
        taken_ += bytes;
        return true;
    }

    Request& request_;
    BodyBudget& budget_;
    std::uint64_t taken_ = 0;
    bool http_1_0_ = false;
    bool over_budget_ = false;
    bool expects_continue_ = false;
};

}  // namespace bascule::http
