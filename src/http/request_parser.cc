// SPDX-License-Identifier: Apache-2.0
// The only file that knows Boost.Beast.
#include "http/request_parser.h"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "http/authority.h"

namespace todoku::http {
namespace {

namespace beast_http = boost::beast::http;
using BeastView = boost::beast::string_view;
using BeastError = boost::beast::error_code;

// "0\r\n\r\n". Beast 1.81 aborts in debug builds when less of a last chunk comes for a second time.
constexpr std::size_t kLastChunkMin = 5;

std::string_view to_std(BeastView text) {
  return {text.data(), text.size()};
}

// Beast's parser, writing what it finds into a Request without maps and nodes of its own.
class Wire final : public beast_http::basic_parser<true> {
 public:
  Wire(Request& request, std::size_t head_max) : request_(&request) {
    // The caller counts: Beast's limit is per call, not per head.
    header_limit(static_cast<std::uint32_t>(head_max) + 1);
    body_limit(boost::none);
  }

  bool has_request_line = false;
  bool has_head = false;
  std::string_view piece;
  std::uint64_t chunk_left = 0;  // of the chunk under way

 private:
  void on_request_impl(beast_http::verb /*verb*/, BeastView method, BeastView target, int version,
                       BeastError& /*error*/) override {
    has_request_line = true;
    request_->method_name = to_std(method);
    request_->method = http::parse_method(to_std(method));
    request_->target = to_std(target);
    request_->is_http_1_1 = version >= 11;
  }
  void on_response_impl(int /*code*/, BeastView /*reason*/, int /*version*/,
                        BeastError& /*error*/) override {}
  void on_field_impl(beast_http::field /*name*/, BeastView name_text, BeastView value,
                     BeastError& /*error*/) override {
    // Trailer fields are dropped: nothing here has a use for them, and merging them into the head
    // would let a client add fields after they were judged (RFC 9110 section 6.5.1).
    if (!has_head) request_->headers.add(to_std(name_text), to_std(value));
  }
  void on_header_impl(BeastError& /*error*/) override { has_head = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         BeastError& /*error*/) override {}
  std::size_t on_body_impl(BeastView body, BeastError& /*error*/) override {
    piece = to_std(body);
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t size, BeastView /*extensions*/,
                            BeastError& /*error*/) override {
    chunk_left = size;
  }
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, BeastView body,
                                 BeastError& /*error*/) override {
    piece = to_std(body);
    chunk_left -= body.size();
    return body.size();
  }
  void on_finish_impl(BeastError& /*error*/) override {}

  Request* request_;
};

Failure to_failure(const BeastError& error) {
  if (error == beast_http::error::bad_version) {
    return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  }
  return {400, "the request is not valid HTTP: " + error.message()};
}

std::unexpected<Failure> refuse(int status, std::string reason) {
  return std::unexpected(Failure{status, std::move(reason)});
}

// Splits the target into path and query (RFC 9112 section 3.2). False if it is none for us.
bool split_target(Request& request) {
  std::string_view target = request.target;
  if (target == "*") {
    request.raw_path = request.path = "*";
    return request.method == Method::options;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size()) continue;
    if (!equals_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    // The absolute form, which every server accepts; the authority repeats Host.
    target.remove_prefix(scheme.size());
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
    if (target.empty() || target.front() == '?') {
      request.raw_path = "/";
      if (!target.empty()) request.query = target.substr(1);
      request.path = "/";
      return true;
    }
    break;
  }
  if (!target.starts_with('/')) return false;
  const std::size_t question = std::min(target.find('?'), target.size());
  request.raw_path = target.substr(0, question);
  if (question < target.size()) request.query = target.substr(question + 1);
  if (!request.raw_path.contains('%')) {
    request.path = request.raw_path;
    return true;
  }
  auto decoded = percent_decode(request.raw_path);
  if (!decoded) return false;
  request.path = std::move(*decoded);
  return true;
}

}  // namespace

class RequestParser::Impl {
 public:
  explicit Impl(std::size_t head_max) : head_max_(head_max) {}

  void start(Request& into) {
    request_ = &into;
    into.clear();
    wire_.emplace(into, head_max_);
    head_octets_ = 0;
    expects_continue_ = false;
    chunked_ = false;
    length_.reset();
    given_out_ = 0;
  }

  std::expected<Step, Failure> step(std::string_view input) {
    if (!wire_->has_head) return read_head(input);
    return read_body(input);
  }

  [[nodiscard]] bool has_body() const { return chunked_ || length_.value_or(0) > 0; }
  [[nodiscard]] std::optional<std::uint64_t> content_length() const {
    return chunked_ ? std::nullopt : std::optional(length_.value_or(0));
  }
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }
  [[nodiscard]] bool keep_alive() const { return wire_->keep_alive(); }
  [[nodiscard]] bool complete() const { return wire_->is_done(); }
  [[nodiscard]] std::optional<std::uint64_t> body_left() const {
    if (complete()) return 0;
    if (chunked_) return std::nullopt;
    return length_.value_or(0) - given_out_;
  }

 private:
  std::expected<Step, Failure> read_head(std::string_view input) {
    std::size_t consumed = 0;
    if (!wire_->got_some()) {
      // RFC 9112 section 2.2: empty lines before a request line are ignored.
      while (input.substr(consumed).starts_with("\r\n")) consumed += 2;
      if (input.substr(consumed) == "\r") return counted({.consumed = consumed}, 1);
    }
    const std::string_view rest = input.substr(consumed);
    if (rest.empty()) return counted({.consumed = consumed}, 0);
    BeastError error;
    const std::size_t taken =
        wire_->put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    consumed += taken;
    if (error && error != beast_http::error::need_more &&
        error != beast_http::error::header_limit) {
      return std::unexpected(to_failure(error));
    }
    if (!wire_->has_head) return counted({.consumed = consumed}, rest.size() - taken);
    auto step = counted({.event = Event::head, .consumed = consumed}, 0);
    if (!step) return step;
    if (auto sound = judge_head(); !sound) return std::unexpected(std::move(sound.error()));
    return step;
  }

  // Holds the head to its limit: what was consumed of it so far and what waits.
  std::expected<Step, Failure> counted(Step step, std::size_t waiting) {
    head_octets_ += step.consumed;
    if (head_octets_ + waiting <= head_max_) return step;
    if (!wire_->has_request_line) {
      return refuse(414, fmt::format("the request line is longer than {} octets", head_max_));
    }
    return refuse(431,
                  fmt::format("the request's header fields are longer than {} octets", head_max_));
  }

  std::expected<void, Failure> judge_head() {
    const Headers& headers = request_->headers;
    // RFC 9112 section 3.2: exactly one Host, or else caches and we may see different requests.
    const std::size_t hosts = headers.count("Host");
    if (hosts > 1 || (hosts == 0 && request_->is_http_1_1)) {
      return refuse(400, "the request must have exactly one Host field");
    }
    if (const auto host = headers.get("Host"); !host.empty() && !parse_authority(host)) {
      return refuse(400, "Host is neither a host name nor an address, with or without a port");
    }
    if (!split_target(*request_)) {
      return refuse(400, "the request target is neither a path nor a URL");
    }
    if (const auto coding = headers.find("Transfer-Encoding")) {
      // RFC 9112 section 6.1: with HTTP/1.0 the framing is faulty, and other codings are unknown.
      if (!request_->is_http_1_1) return refuse(400, "Transfer-Encoding needs HTTP/1.1");
      if (!equals_ignoring_case(*coding, "chunked")) {
        return refuse(501, "the only Transfer-Encoding understood is chunked");
      }
      chunked_ = true;
    }
    if (!chunked_) {
      if (const auto length = wire_->content_length()) length_ = *length;
    }
    if (const auto expectation = headers.find("Expect")) {
      if (!equals_ignoring_case(*expectation, "100-continue")) {
        return refuse(417, "the only expectation understood is 100-continue");
      }
      // RFC 9110 section 10.1.1: ignored from HTTP/1.0 clients.
      expects_continue_ = request_->is_http_1_1 && !wire_->is_done();
    }
    return {};
  }

  std::expected<Step, Failure> read_body(std::string_view input) {
    if (wire_->is_done()) return Step{.event = Event::end};
    // Beast loops on an empty buffer without asking for more.
    if (input.empty()) return Step{};
    std::size_t consumed = 0;
    for (;;) {
      wire_->piece = {};
      const std::string_view rest = input.substr(consumed);
      if (rest.empty()) return Step{.consumed = consumed};
      if (chunked_ && wire_->chunk_left == 0 && rest.size() < kLastChunkMin &&
          rest.front() == '0') {
        return Step{.consumed = consumed};
      }
      BeastError error;
      const std::size_t taken =
          wire_->put(boost::asio::const_buffer(rest.data(), rest.size()), error);
      consumed += taken;
      if (error && error != beast_http::error::need_more) {
        return std::unexpected(to_failure(error));
      }
      // Without a piece it was a chunk's head or the trailer fields, or waits for their end.
      if (wire_->piece.empty() && (error ? rest.size() : taken) > head_max_) {
        return refuse(400, fmt::format("a chunk's head or the trailer fields are longer than {} "
                                       "octets",
                                       head_max_));
      }
      if (error) return Step{.consumed = consumed};
      if (!wire_->piece.empty()) {
        given_out_ += wire_->piece.size();
        return Step{.event = Event::body, .consumed = consumed, .piece = wire_->piece};
      }
      if (wire_->is_done()) return Step{.event = Event::end, .consumed = consumed};
    }
  }

  const std::size_t head_max_;
  Request* request_ = nullptr;
  std::optional<Wire> wire_;
  std::size_t head_octets_ = 0;
  bool expects_continue_ = false;
  bool chunked_ = false;
  std::optional<std::uint64_t> length_;
  std::uint64_t given_out_ = 0;
};

RequestParser::RequestParser(std::size_t head_max) : impl_(std::make_unique<Impl>(head_max)) {}
RequestParser::~RequestParser() = default;

void RequestParser::start(Request& into) {
  impl_->start(into);
}
std::expected<RequestParser::Step, Failure> RequestParser::step(std::string_view input) {
  return impl_->step(input);
}
bool RequestParser::has_body() const {
  return impl_->has_body();
}
std::optional<std::uint64_t> RequestParser::content_length() const {
  return impl_->content_length();
}
bool RequestParser::expects_continue() const {
  return impl_->expects_continue();
}
bool RequestParser::keep_alive() const {
  return impl_->keep_alive();
}
std::optional<std::uint64_t> RequestParser::body_left() const {
  return impl_->body_left();
}
bool RequestParser::complete() const {
  return impl_->complete();
}

}  // namespace todoku::http
