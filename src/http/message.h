// SPDX-License-Identifier: Apache-2.0
// What handlers see of HTTP: a Request, a Body to read, a Response to give back. Plain types; how
// they travel is the server's affair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "base/wipe.h"
#include "http/headers.h"
#include "http/query.h"
#include "net/endpoint.h"

namespace todoku::http {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, other };

// The word of the wire, e.g. "DELETE"; "OTHER" has no word of its own.
[[nodiscard]] std::string_view to_string(Method method);
// Case-sensitive (RFC 9110 section 9.1).
[[nodiscard]] Method parse_method(std::string_view text);

// The standard's phrase for a status, e.g. "Not Found"; "Unknown" for numbers without one.
[[nodiscard]] std::string_view reason_phrase(int status);

// The variable segments of a route that matched, decoded.
class PathParameters {
 public:
  struct Entry {
    std::string_view name;  // owned by the route
    std::string value;
  };
  void clear() { entries_.clear(); }
  void add(std::string_view name, std::string value) {
    entries_.push_back({name, std::move(value)});
  }
  // Empty if the route has no such segment.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

// The head of one request. Lives as long as its handler runs; the server uses it again afterwards.
struct Request {
  Method method = Method::get;
  std::string method_name;  // as received
  std::string target;       // as received
  std::string path;         // decoded; "*" for OPTIONS of the whole server
  std::string raw_path;     // still encoded, without the query
  std::string query;        // raw, after the '?'
  bool is_http_1_1 = true;
  Headers headers;
  PathParameters parameters;
  net::Endpoint remote;    // 0.0.0.0:0 over a Unix socket
  net::Endpoint local;     // ours of this connection; likewise
  bool is_secure = false;  // came over TLS
  std::string id;          // unique in this process and the next ones; sent back as X-Request-Id

  // Parsed anew by each call.
  [[nodiscard]] Query query_parameters() const { return Query::parse(query); }
  // Forgets everything but keeps the memory.
  void clear();
};

// The body of one request, to be read at most once, in order.
class Body {
 public:
  virtual ~Body() = default;

  // The next piece, valid until the next call; empty at the end, again and again.
  // Errors: limit_exceeded (longer than the route allows), timeout (too slow), closed (the peer
  // left), invalid_input (broken framing), cancelled. After an error of its own connection the
  // server answers by itself (413, 408, 400, 503, or not at all) and ignores the handler's
  // response.
  [[nodiscard]] virtual Task<Result<std::string_view>> read() = 0;

  // The whole body on routes that are not streaming, without waiting; on streaming routes after
  // receive(), before it empty. Valid as long as the request.
  [[nodiscard]] virtual std::string_view text() const { return {}; }
  // Waits until the whole body is here, for text(): so a handler can decide by the head alone
  // whether it wants one. To be called instead of read(). `owner`: whose share of the memory for
  // bodies it takes; 0: nobody is known. Errors as there, and unavailable (no memory; 503).
  [[nodiscard]] virtual Task<Result<void>> receive(std::uint64_t /*owner*/) {
    co_return Result<void>{};
  }

  // Of a body that was received as nobody's: now it is known whose share it takes.
  virtual void give_to(std::uint64_t /*owner*/) {}

  // What the client announced; nullopt for a chunked body.
  [[nodiscard]] virtual std::optional<std::uint64_t> length() const = 0;

  // Reads to the end. Errors: as read(), and limit_exceeded beyond `limit` octets.
  [[nodiscard]] Task<Result<std::string>> read_all(std::size_t limit);
};

// A body that is already here: for tests and for handlers calling one another.
class TextBody final : public Body {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  ~TextBody() override { wipe(text_); }  // it may be a secret, and nobody is in a hurry
  TextBody(const TextBody&) = delete;
  TextBody& operator=(const TextBody&) = delete;
  [[nodiscard]] Task<Result<std::string_view>> read() override;
  [[nodiscard]] std::string_view text() const override { return text_; }
  [[nodiscard]] std::optional<std::uint64_t> length() const override { return text_.size(); }

 private:
  std::string text_;
  bool taken_ = false;
};

// Produces the body of a response while it is being sent.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next piece, valid until the next call; empty at the end. An error cuts the connection, so
  // that the client cannot take the part for the whole.
  [[nodiscard]] virtual Task<Result<std::string_view>> read() = 0;
  // Exact, if known; else the body is sent chunked, one chunk a piece.
  [[nodiscard]] virtual std::optional<std::uint64_t> length() const { return std::nullopt; }
  // The server is stopping: an endless source ends soon. Called on the connection's thread.
  virtual void stop() {}
  // Before the first read(), for sources that may have nothing for long: `has_left` is true once
  // the client has closed, or sent more than its request. Good until the last read() has returned.
  virtual void begin(std::function<bool()> has_left) { static_cast<void>(has_left); }
};

struct Response {
  int status = 200;
  // A literal, or else in place until the response is sent. Empty: no Content-Type.
  std::string_view content_type;
  std::string body;
  std::unique_ptr<BodySource> source;  // if set, instead of `body`
  // Content-Length, Transfer-Encoding, Connection and Date are the server's. Control characters in
  // values are sent as spaces.
  Headers headers;

  [[nodiscard]] static Response json(int status, std::string body);
  [[nodiscard]] static Response text(int status, std::string body);
};

// A request that no handler answers: no route, wrong method, unreadable, too large, too slow, or a
// handler threw.
struct Failure {
  int status = 500;
  std::string reason;  // one sentence for the client
};

// Shapes the response to a failure. The request may be incomplete if it could not be read. The
// server sees to Allow, Connection and Content-Length. Called from every thread of the server.
using FailureResponder = std::function<Response(const Failure&, const Request&)>;

// {"status":404,"error":"Not Found","message":"<reason>"}
[[nodiscard]] Response plain_failure(const Failure& failure, const Request& request);

}  // namespace todoku::http
