// SPDX-License-Identifier: Apache-2.0
// Octets of one connection to requests (RFC 9112): Boost.Beast's parser behind an interface of
// ours, with the checks that it leaves to its user. No input or output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>

#include "http/message.h"

namespace todoku::http {

class RequestParser {
 public:
  enum class Event : std::uint8_t {
    need_more,  // call again with the octets not consumed and some after them
    head,       // the Request is filled
    body,       // `piece` of the body
    end,        // the request is complete; start() the next one
  };
  struct Step {
    Event event = Event::need_more;
    std::size_t consumed = 0;  // octets of the input that are done with
    std::string_view piece;    // into the input
  };

  // `head_max`: octets of request line and header fields together, and of one chunk's head or the
  // trailer fields.
  explicit RequestParser(std::size_t head_max);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Begins the next request; `into` is cleared and filled until the head is complete, and must
  // live as long.
  void start(Request& into);

  // Goes one event further. A Failure ends the connection after its response.
  [[nodiscard]] std::expected<Step, Failure> step(std::string_view input);

  // After the head:
  [[nodiscard]] bool has_body() const;
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;  // nullopt if chunked
  [[nodiscard]] bool expects_continue() const;
  // What the client wishes, by version and Connection.
  [[nodiscard]] bool keep_alive() const;
  // The octets of the body not yet given out; nullopt if chunked and not at the end.
  [[nodiscard]] std::optional<std::uint64_t> body_left() const;
  [[nodiscard]] bool complete() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace todoku::http
