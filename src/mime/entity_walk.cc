// SPDX-License-Identifier: Apache-2.0
#include "mime/entity_walk.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "mime/seven_bit.h"

namespace todoku::mime {
namespace {

constexpr std::string_view kWalkLineEnd = "\r\n";
constexpr std::size_t kBoundaryOctetsMax = 200;  // RFC 2046 section 5.1.1 says 70

std::unexpected<Error> unclear(std::string_view clause) {
  return fail(ErrorKind::invalid_input, std::string(clause));
}

bool is_composite_encoding(DeclaredEncoding encoding) {
  // RFC 2045 section 6.4.
  return encoding == DeclaredEncoding::none || encoding == DeclaredEncoding::seven_bit ||
         encoding == DeclaredEncoding::eight_bit || encoding == DeclaredEncoding::binary;
}

bool says_structure(const EntityType& type) {
  return type.type == "multipart" || type.type == "message";
}

// RFC 2046 section 5.2, RFC 6532 section 3.7 and RFC 6533: messages that are parts as they are.
bool is_message(const EntityType& type) {
  return type.is("message", "rfc822") || type.is("message", "news");
}

// Why its body has to stay as it is.
const char* fixed_because(const Entity& entity) {
  const EntityType& type = entity.head.type;
  if (type.type == "message" && !type.subtype.starts_with("global")) {
    return "has a part of a message type that may not be encoded";
  }
  if (type.is("application", "pkcs7-mime") || type.is("application", "x-pkcs7-mime")) {
    return "has a signature that another encoding would break";
  }
  if (!is_composite_encoding(entity.head.encoding)) {
    return "has a part that does not keep to its own transfer encoding";
  }
  return nullptr;
}

}  // namespace

Result<void> EntityWalk::update(std::string_view slice) {
  while (!slice.empty()) {
    const bool cut_in_end = pending_.ends_with('\r') && slice.starts_with('\n');
    const std::size_t end = cut_in_end ? std::string_view::npos : slice.find(kWalkLineEnd);
    if (!cut_in_end && end == std::string_view::npos) {
      pending_ += slice;
      if (pending_.size() > kSevenBitLineOctetsMax) {
        return fail(ErrorKind::limit_exceeded, "has a line that is too long to be converted");
      }
      return {};
    }
    Result<void> taken;
    if (cut_in_end) {
      pending_.pop_back();
      slice.remove_prefix(1);
      taken = take_line(pending_, kWalkLineEnd);
      pending_.clear();
    } else if (pending_.empty()) {
      taken = take_line(slice.substr(0, end), kWalkLineEnd);
      slice.remove_prefix(end + kWalkLineEnd.size());
    } else {
      pending_ += slice.substr(0, end);
      slice.remove_prefix(end + kWalkLineEnd.size());
      taken = take_line(pending_, kWalkLineEnd);
      pending_.clear();
    }
    if (!taken) return taken;
  }
  return {};
}

Result<void> EntityWalk::finish() {
  if (!pending_.empty()) {
    const std::string line = std::exchange(pending_, {});
    if (auto taken = take_line(line, {}); !taken) return taken;
  }
  if (place_ == Place::head) {
    // A message without a body; a part would be cut short.
    if (entities_ > 0) return unclear("has a header section that does not end");
    if (auto ended = end_head(); !ended) return ended;
  }
  // Parts without their last delimiter end where the message does, for every reader.
  if (place_ != Place::leaf) return {};
  if (std::exchange(line_end_is_open_, false)) handler_.line_end();
  return handler_.leaf_end(false);
}

Result<void> EntityWalk::take_line(std::string_view line, std::string_view end) {
  if (line.size() > kSevenBitLineOctetsMax) {
    return fail(ErrorKind::limit_exceeded, "has a line that is too long to be converted");
  }
  const Match matched = match(line);
  if (matched == Match::almost) return unclear("has a line that is almost a delimiter of parts");
  if (matched != Match::none) {
    if (place_ == Place::head) return unclear("has a header section that does not end");
    return take_delimiter(line, end);
  }
  switch (place_) {
    case Place::head:
      head_ += line;
      head_ += end;
      if (head_.size() > kPartHeadOctetsMax) {
        return fail(ErrorKind::limit_exceeded, "has a header section that is too large");
      }
      return line.empty() && !end.empty() ? end_head() : Result<void>();
    case Place::leaf:
      if (std::exchange(line_end_is_open_, !end.empty())) handler_.line_end();
      handler_.line(line);
      return {};
    case Place::between:
      handler_.between(line);
      handler_.between(end);
      return {};
  }
  return {};
}

EntityWalk::Match EntityWalk::match(std::string_view line) const {
  if (!line.starts_with("--")) return Match::none;
  line.remove_prefix(2);
  bool is_innermost = true;
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    if (frame->boundary.empty()) continue;
    if (!line.starts_with(frame->boundary)) {
      is_innermost = false;
      continue;
    }
    // Who left inner parts open leaves it to the reader where they end.
    if (!is_innermost) return Match::almost;
    std::string_view rest = line.substr(frame->boundary.size());
    const bool closes = rest.starts_with("--");
    if (closes) rest.remove_prefix(2);
    const bool padded = rest.find_first_not_of(" \t") == std::string_view::npos;
    if (!padded) return Match::almost;
    return closes ? Match::end : Match::next_part;
  }
  return Match::none;
}

Result<void> EntityWalk::take_delimiter(std::string_view line, std::string_view end) {
  if (place_ == Place::leaf) {
    if (auto ended = handler_.leaf_end(true); !ended) return ended;
    if (std::exchange(line_end_is_open_, false)) handler_.between(kWalkLineEnd);
  }
  // Messages that are parts of this multipart end here, too.
  while (frames_.back().boundary.empty()) frames_.pop_back();
  handler_.between(line);
  handler_.between(end);
  if (match(line) == Match::next_part) {
    place_ = Place::head;
    head_.clear();
  } else {
    frames_.pop_back();
    place_ = Place::between;
  }
  return {};
}

Result<void> EntityWalk::end_head() {
  if (++entities_ > kPartsMax) return fail(ErrorKind::limit_exceeded, "has too many parts");
  Entity entity{.head = read_entity_head(head_)};
  if (entity.head.trouble != nullptr) return unclear(entity.head.trouble);
  const bool is_whole_message = begins_message();
  const bool in_digest = !frames_.empty() && frames_.back().is_digest;
  entity.is_sealed =
      (!frames_.empty() && frames_.back().is_sealed) || (is_whole_message && entity.head.is_signed);
  // RFC 2046 section 5.1.5.
  if (in_digest && !entity.head.has_type) entity.head.type = {true, "message", "rfc822", {}};
  const EntityType& type = entity.head.type;
  // Readers take it for MIME all the same, and it can be said in front of everything else. In a
  // message within another it is said only where it has no structure that could be read or not.
  entity.lacks_version = is_whole_message && !entity.head.has_mime_version &&
                         (entities_ == 1 || !says_structure(type));
  const bool is_mime = !is_whole_message || entity.head.has_mime_version || entity.lacks_version;
  const bool has_structure = says_structure(type);
  if (has_structure && !type.sound) return unclear("has a content type that cannot be read surely");
  if (entity.head.has_type && type.subtype.empty()) {
    return unclear("has a content type that cannot be read surely");
  }
  if (!is_mime) {
    entity.fixed = "says no MIME-Version, so that its encoding would not be understood";
    if (has_structure) return unclear(entity.fixed);
  } else if (type.type == "multipart" || is_message(type)) {
    entity.is_leaf = false;
    if (!is_composite_encoding(entity.head.encoding)) {
      return unclear("has an encoded part that consists of parts");
    }
  } else {
    entity.fixed = fixed_because(entity);
  }
  if (auto told = handler_.entity(entity, head_); !told) return told;
  place_ = entity.is_leaf ? Place::leaf : is_message(type) ? Place::head : Place::between;
  head_.clear();
  return entity.is_leaf ? Result<void>() : begin_multipart(entity);
}

Result<void> EntityWalk::begin_multipart(const Entity& entity) {
  if (frames_.size() >= kPartNestingMax) {
    return fail(ErrorKind::limit_exceeded, "has parts within parts within parts, too deep");
  }
  const EntityType& type = entity.head.type;
  if (is_message(type)) {
    frames_.push_back({.boundary = {}, .is_digest = false, .is_sealed = entity.is_sealed});
    return {};
  }
  const std::string& boundary = type.boundary;
  if (boundary.empty() || boundary.size() > kBoundaryOctetsMax || boundary.ends_with(' ') ||
      !is_ascii(boundary)) {
    return unclear("has parts without a boundary between them");
  }
  for (const Frame& frame : frames_) {
    if (frame.boundary.empty()) continue;
    if (frame.boundary.starts_with(boundary) || boundary.starts_with(frame.boundary)) {
      return unclear("has boundaries that one can take for each other");
    }
  }
  const bool is_signed = type.subtype == "signed" || type.subtype == "encrypted";
  frames_.push_back({.boundary = boundary,
                     .is_digest = type.subtype == "digest",
                     .is_sealed = entity.is_sealed || is_signed});
  return {};
}

}  // namespace todoku::mime
