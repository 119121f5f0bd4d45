// SPDX-License-Identifier: Apache-2.0
// multipart/form-data (RFC 7578, RFC 2046 section 5.1) as a push parser: octets in, events out,
// no input or output of its own. Tolerant of what real clients write (blastengine-api.md sections
// 2.2 and 6.14), strict on truncation. It holds at most one pushed piece, one delimiter and one
// part's headers, however large the body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/headers.h"

namespace todoku::http {

struct MultipartLimits {
  std::size_t parts_max = 256;
  std::size_t part_header_max = std::size_t{8} * 1024;  // octets of one part's header block
  std::size_t preamble_max = std::size_t{64} * 1024;    // octets before the first boundary
};

// The boundary that a Content-Type names. Errors: invalid_input (another type, no boundary).
[[nodiscard]] Result<std::string> multipart_boundary(std::string_view content_type);

// The head of a part.
struct Part {
  std::string name;                      // empty if the part has none
  std::optional<std::string> file_name;  // decoded and made harmless (http/header_value.h)
  std::string media_type;                // lower case; empty if absent or unreadable
  Headers headers;
};

struct MultipartEvent {
  enum class Kind : std::uint8_t {
    need_more,   // push() the next piece, or end_of_input()
    part_begin,  // part() is the new part
    data,        // `data` of this part follows
    part_end,
    finished,  // the closing boundary was read; what follows it is ignored
  };
  Kind kind = Kind::need_more;
  std::string_view data;  // valid until the next push()
};

class MultipartParser {
 public:
  explicit MultipartParser(std::string_view boundary, MultipartLimits limits = {});

  // Gives the next piece of the body, after next() said need_more. It is copied.
  void push(std::string_view piece);
  // Nothing more comes.
  void end_of_input() { ended_ = true; }

  // The next event. Errors, after which every call gives the same one: invalid_input (truncated,
  // broken headers, lines that end with LF alone), limit_exceeded, unsupported (a part encoded in
  // base64 or quoted-printable).
  [[nodiscard]] Result<MultipartEvent> next();

  [[nodiscard]] const Part& part() const { return part_; }
  // 1 for the first part.
  [[nodiscard]] std::size_t part_number() const { return part_number_; }

 private:
  enum class State : std::uint8_t { preamble, headers, body, finished, failed };
  enum class Tail : std::uint8_t { part_follows, closes, unknown, none, bare_lf };

  Result<MultipartEvent> step();
  Result<MultipartEvent> read_preamble();
  Result<MultipartEvent> read_headers();
  Result<MultipartEvent> read_body();
  Result<void> parse_headers(std::string_view block);
  Result<void> interpret_headers();
  // What follows a delimiter whose tail begins at `at`; sets `after` to where reading goes on.
  [[nodiscard]] Tail classify_tail(std::size_t at, std::size_t& after) const;
  // Finds the next delimiter line from the front of the buffer.
  struct Found {
    Tail tail = Tail::none;
    std::size_t at = 0;     // none: octets that are certainly data; else start of the delimiter
    std::size_t after = 0;  // where reading goes on
  };
  [[nodiscard]] Found find_delimiter() const;
  // Where a prefix of the delimiter begins at the end of the buffer.
  [[nodiscard]] std::size_t partial_delimiter() const;
  [[nodiscard]] std::unexpected<Error> truncated(std::string_view where) const;
  [[nodiscard]] std::unexpected<Error> truncated_in_part() const;
  [[nodiscard]] std::unexpected<Error> bare_lf() const;
  [[nodiscard]] std::string_view buffered() const {
    return std::string_view(buffer_).substr(consumed_);
  }
  void consume(std::size_t octets) { consumed_ += octets; }

  std::string delimiter_;  // CRLF "--" boundary
  MultipartLimits limits_;
  State state_ = State::preamble;
  bool ended_ = false;
  bool body_begins_ = false;  // the CRLF of the empty line is still in the buffer
  std::string buffer_;
  std::size_t consumed_ = 0;
  std::size_t preamble_ = 0;
  std::size_t part_number_ = 0;
  Part part_;
  std::optional<Error> failure_;
};

}  // namespace todoku::http
