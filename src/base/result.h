// SPDX-License-Identifier: Apache-2.0
// How an operation says that it failed: Result<T>, an Error value with a kind and one sentence.
//
// An SMTP reply or a bounced recipient is not an Error: it is data (mail/reply.h, mail/attempt.h).
// A broken invariant of ours is not an Error either: it is a check() (base/check.h).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace todoku {

enum class ErrorKind : std::uint8_t {
  invalid_input,   // what was given breaks a rule; the detail names field, value and limit
  not_found,       // no such thing, or not yours
  conflict,        // the thing is in a state that forbids this
  limit_exceeded,  // a quota, size or rate is used up
  unauthorized,    // the caller is not who it must be
  unavailable,     // temporary: try again later (disk full, resolver silent, queue full)
  timeout,         // a deadline passed
  closed,          // the peer or the owner ended it
  io,              // the operating system refused
  corrupt,         // stored or received bytes are not what they must be
  unsupported,     // understood, but not something we do
  cancelled,       // we stopped it ourselves
};

// The word for logs, metrics and tests, equal to the enumerator's name.
[[nodiscard]] std::string_view to_string(ErrorKind kind);

struct Error {
  ErrorKind kind;
  std::string detail;  // one human sentence with the facts, no trailing full stop needed

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;

// Makes the unexpected half of a Result: `return fail(ErrorKind::timeout, "...")`.
[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string detail) {
  return std::unexpected<Error>(Error{kind, std::move(detail)});
}

// Passes an Error on, optionally with context before it: `return fail(result.error())`.
[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}
[[nodiscard]] inline std::unexpected<Error> fail(std::string_view context, Error error) {
  error.detail = std::string(context) + ": " + error.detail;
  return std::unexpected<Error>(std::move(error));
}

}  // namespace todoku
