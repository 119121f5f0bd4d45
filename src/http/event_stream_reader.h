// SPDX-License-Identifier: Apache-2.0
// Reads a stream of server-sent events (HTML Living Standard, section 9.2.6) as it comes, in pieces
// that are cut anywhere. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace todoku::http {

struct ServerSentEvent {
  std::string type;  // "message" where none was said
  std::string data;  // lines with LF between them
  std::string id;    // of this event, or the latest before it
};

class EventStreamReader {
 public:
  // Of a line, and of an event: a server may go on without end.
  static constexpr std::size_t kOctetsMax = std::size_t{1} << 20U;

  // Called with each event that has data. False: nothing more is read.
  using Take = std::function<bool(const ServerSentEvent&)>;

  // True: it may go on; false: `take` said so. Errors: limit_exceeded (kOctetsMax), after which the
  // reader is of no use.
  [[nodiscard]] Result<bool> update(std::string_view piece, const Take& take);

  // The id to come again with (Last-Event-ID): the latest whose event, with data or without, has
  // ended. Empty: none was said.
  [[nodiscard]] const std::string& last_id() const { return last_id_; }
  // How long the server wishes a client to wait until it comes again.
  [[nodiscard]] std::optional<Milliseconds> retry() const { return retry_; }

  // The connection was lost: what of an event has come is not one (the same section), the id stays.
  void begin_anew();

 private:
  [[nodiscard]] Result<bool> take_line(std::string_view line, const Take& take);
  void take_field(std::string_view name, std::string_view value);

  std::string line_;  // what has come of it
  bool after_cr_ = false;
  bool has_begun_ = false;
  std::string type_;
  std::string data_;
  bool has_data_ = false;
  std::string id_;
  std::string last_id_;
  std::optional<Milliseconds> retry_;
};

}  // namespace todoku::http
