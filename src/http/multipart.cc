// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "http/header_value.h"

namespace todoku::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
// RFC 2046 section 5.1.1 allows 70; some clients are more generous.
constexpr std::size_t kBoundaryMax = 200;
// White space that gateways may add after a boundary (RFC 2046 section 5.1.1).
constexpr std::size_t kPaddingMax = 256;

using Kind = MultipartEvent::Kind;

}  // namespace

Result<std::string> multipart_boundary(std::string_view content_type) {
  const ParameterizedValue parsed = parse_parameterized(content_type);
  if (!equals_ignoring_case(parsed.value, "multipart/form-data")) {
    return fail(ErrorKind::invalid_input, "Content-Type is not multipart/form-data");
  }
  const std::string* boundary = parsed.find("boundary");
  if (boundary == nullptr || boundary->empty()) {
    return fail(ErrorKind::invalid_input, "Content-Type multipart/form-data has no boundary");
  }
  if (boundary->size() > kBoundaryMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the multipart boundary is longer than {} characters", kBoundaryMax));
  }
  return *boundary;
}

// The buffer starts with a line end so that the first boundary line, which has none before it,
// looks like all others.
MultipartParser::MultipartParser(std::string_view boundary, MultipartLimits limits)
    : delimiter_(fmt::format("\r\n--{}", boundary)), limits_(limits), buffer_(kLineEnd) {
  check(!boundary.empty(), "a multipart boundary is not empty");
}

void MultipartParser::push(std::string_view piece) {
  buffer_.erase(0, consumed_);
  consumed_ = 0;
  if (state_ == State::finished || state_ == State::failed) return;
  buffer_.append(piece);
}

Result<MultipartEvent> MultipartParser::next() {
  if (failure_) return fail(*failure_);
  Result<MultipartEvent> event = step();
  if (!event) {
    state_ = State::failed;
    failure_ = event.error();
  }
  return event;
}

Result<MultipartEvent> MultipartParser::step() {
  switch (state_) {
    case State::preamble:
      return read_preamble();
    case State::headers:
      return read_headers();
    case State::body:
      return read_body();
    case State::finished:
    case State::failed:
      break;
  }
  consumed_ = buffer_.size();
  return MultipartEvent{.kind = Kind::finished};
}

Result<MultipartEvent> MultipartParser::read_preamble() {
  const Found found = find_delimiter();
  if (preamble_ + found.at > limits_.preamble_max) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the multipart body has no boundary line within its first {} octets",
                            limits_.preamble_max));
  }
  switch (found.tail) {
    case Tail::part_follows:
      consume(found.after);
      state_ = State::headers;
      return read_headers();
    case Tail::closes:
      consume(found.after);
      state_ = State::finished;
      return MultipartEvent{.kind = Kind::finished};
    case Tail::bare_lf:
      return bare_lf();
    case Tail::unknown:
    case Tail::none:
      break;
  }
  preamble_ += found.at;
  consume(found.at);
  if (ended_) return truncated("before its first boundary");
  return MultipartEvent{};
}

// The buffer begins with the CRLF of the delimiter line, so that a part without headers has its
// empty line, too.
Result<MultipartEvent> MultipartParser::read_headers() {
  const std::string_view rest = buffered();
  const std::size_t end = rest.find("\r\n\r\n");
  const std::size_t size_max = limits_.part_header_max + kLineEnd.size();
  if (rest.substr(0, std::min(end, size_max)).contains("\n\n")) return bare_lf();
  // Not found yet: up to three octets of the empty line may be among what is there.
  const std::size_t size =
      end == std::string_view::npos ? rest.size() - std::min<std::size_t>(rest.size(), 3) : end;
  if (size > size_max) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("the headers of multipart part {} are longer than {} octets",
                            part_number_ + 1, limits_.part_header_max));
  }
  if (end == std::string_view::npos) {
    if (ended_) return truncated(fmt::format("in the headers of part {}", part_number_ + 1));
    return MultipartEvent{};
  }
  if (part_number_ == limits_.parts_max) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("the multipart body has more than {} parts", limits_.parts_max));
  }
  ++part_number_;
  part_ = Part();
  const std::size_t first = std::min(kLineEnd.size(), end);
  if (auto parsed = parse_headers(rest.substr(first, end - first)); !parsed) {
    return fail(parsed.error());
  }
  // The second CRLF of the empty line stays: an empty part's delimiter begins with it.
  consume(end + kLineEnd.size());
  state_ = State::body;
  if (auto usable = interpret_headers(); !usable) return fail(usable.error());
  body_begins_ = true;
  return MultipartEvent{.kind = Kind::part_begin};
}

Result<void> MultipartParser::parse_headers(std::string_view block) {
  while (!block.empty()) {
    // RFC 5322 section 2.2.3: a line that begins with white space continues the one before.
    std::size_t end = block.find(kLineEnd);
    while (end != std::string_view::npos && end + 2 < block.size() &&
           (block[end + 2] == ' ' || block[end + 2] == '\t')) {
      end = block.find(kLineEnd, end + 2);
    }
    const std::string_view line = block.substr(0, end);
    block.remove_prefix(end == std::string_view::npos ? block.size() : end + 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("multipart part {} has a header line without a name and a colon",
                              part_number_));
    }
    std::string value(trim(line.substr(colon + 1)));
    std::erase_if(value, [](char c) { return c == '\r' || c == '\n'; });
    part_.headers.add(trim(line.substr(0, colon)), value);
  }
  return {};
}

Result<void> MultipartParser::interpret_headers() {
  const ParameterizedValue disposition =
      parse_parameterized(part_.headers.get("Content-Disposition"));
  if (const std::string* name = disposition.find("name")) part_.name = decode_encoded_words(*name);
  part_.file_name = http::file_name(disposition);
  part_.media_type = http::media_type(part_.headers.get("Content-Type"));
  // RFC 7578 section 4.7: deprecated, and nobody sends it; but what is encoded must not be taken
  // for the thing itself.
  const std::string_view encoding = part_.headers.get("Content-Transfer-Encoding");
  if (equals_ignoring_case(encoding, "base64") ||
      equals_ignoring_case(encoding, "quoted-printable")) {
    return fail(ErrorKind::unsupported,
                fmt::format("multipart part {} has Content-Transfer-Encoding {}; send it as binary",
                            part_number_, encoding));
  }
  return {};
}

Result<MultipartEvent> MultipartParser::read_body() {
  Found found = find_delimiter();
  if (body_begins_) {
    // The empty line's CRLF is no data, but it may be the delimiter's.
    if (found.tail != Tail::none && found.at == 0) {
      if (found.tail == Tail::unknown) {
        return ended_ ? truncated_in_part() : Result<MultipartEvent>(MultipartEvent{});
      }
    } else if (found.at < kLineEnd.size()) {
      return ended_ ? truncated_in_part() : Result<MultipartEvent>(MultipartEvent{});
    } else {
      consume(kLineEnd.size());
      found.at -= kLineEnd.size();
      found.after -= std::min(found.after, kLineEnd.size());
    }
    body_begins_ = false;
  }
  if (found.at > 0) {
    const std::string_view data = buffered().substr(0, found.at);
    consume(found.at);
    return MultipartEvent{.kind = Kind::data, .data = data};
  }
  switch (found.tail) {
    case Tail::part_follows:
      consume(found.after);
      state_ = State::headers;
      return MultipartEvent{.kind = Kind::part_end};
    case Tail::closes:
      consume(found.after);
      state_ = State::finished;
      return MultipartEvent{.kind = Kind::part_end};
    case Tail::bare_lf:
      return bare_lf();
    case Tail::unknown:
    case Tail::none:
      break;
  }
  if (ended_) return truncated_in_part();
  return MultipartEvent{};
}

MultipartParser::Found MultipartParser::find_delimiter() const {
  const std::string_view rest = buffered();
  std::size_t from = 0;
  for (;;) {
    const std::size_t at = rest.find(delimiter_, from);
    if (at == std::string_view::npos) {
      return {.tail = Tail::none, .at = partial_delimiter(), .after = 0};
    }
    std::size_t after = 0;
    const Tail tail = classify_tail(at + delimiter_.size(), after);
    if (tail != Tail::none) return {.tail = tail, .at = at, .after = after};
    from = at + kLineEnd.size();  // longer than the boundary: just data
  }
}

MultipartParser::Tail MultipartParser::classify_tail(std::size_t at, std::size_t& after) const {
  const std::string_view rest = buffered().substr(at);
  if (rest.starts_with("--")) {
    after = at + 2;
    return Tail::closes;
  }
  if (rest == "-") return Tail::unknown;
  const std::size_t padding = std::min(rest.find_first_not_of(" \t"), rest.size());
  if (padding > kPaddingMax) return Tail::none;
  const std::string_view line_end = rest.substr(padding);
  if (line_end.starts_with(kLineEnd)) {
    after = at + padding;
    return Tail::part_follows;
  }
  if (line_end.empty() || line_end == "\r") return Tail::unknown;
  return line_end.front() == '\n' ? Tail::bare_lf : Tail::none;
}

std::size_t MultipartParser::partial_delimiter() const {
  const std::string_view rest = buffered();
  std::size_t at = rest.size() - std::min(rest.size(), delimiter_.size() - 1);
  for (; at < rest.size(); ++at) {
    at = std::min(rest.find('\r', at), rest.size());
    if (std::string_view(delimiter_).starts_with(rest.substr(at))) break;
  }
  return std::min(at, rest.size());
}

std::unexpected<Error> MultipartParser::truncated(std::string_view where) const {
  return fail(ErrorKind::invalid_input,
              fmt::format("the multipart body is truncated: it ends {}", where));
}

std::unexpected<Error> MultipartParser::truncated_in_part() const {
  return truncated(
      fmt::format("in part {} (\"{}\"), before its closing boundary", part_number_, part_.name));
}

std::unexpected<Error> MultipartParser::bare_lf() const {
  return fail(ErrorKind::invalid_input,
              "the lines of a multipart body end with CR LF, these with LF alone");
}

}  // namespace todoku::http
