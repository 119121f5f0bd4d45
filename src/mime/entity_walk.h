// SPDX-License-Identifier: Apache-2.0
// Goes through a raw message line by line and says which of them belong to what: header sections,
// bodies of leaf parts, and what lies between parts (RFC 2046 section 5.1). What comes out, put one
// behind the other, is what came in. Internal to mime: SevenBitScan and SevenBitWriter use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mime/entity_type.h"

namespace todoku::mime {

// A part, a multipart, or a message.
struct Entity {
  EntityHead head;
  bool is_leaf = true;
  bool is_sealed = false;      // lies within something that is signed
  bool lacks_version = false;  // is a message, says no MIME-Version, and can be given one
  // Why the body cannot get another encoding, a clause; nullptr: it can.
  const char* fixed = nullptr;
};

class EntityHandler {
 public:
  virtual ~EntityHandler() = default;
  // With its header section as it stands, the blank line included.
  [[nodiscard]] virtual Result<void> entity(const Entity& entity, std::string_view head) = 0;
  // Of the body of the leaf that came last: a line without its end, and ends of lines.
  virtual void line(std::string_view text) = 0;
  virtual void line_end() = 0;
  // The body is over; `delimited`: by a delimiter, whose own line end comes next.
  [[nodiscard]] virtual Result<void> leaf_end(bool delimited) = 0;
  // What belongs to no leaf.
  virtual void between(std::string_view octets) = 0;
};

class EntityWalk {
 public:
  explicit EntityWalk(EntityHandler& handler) : handler_(handler) {}

  // Octets cut anywhere. Errors: what the handler says; invalid_input for a structure that cannot
  // be read surely; limit_exceeded.
  [[nodiscard]] Result<void> update(std::string_view slice);
  [[nodiscard]] Result<void> finish();

 private:
  enum class Place : std::uint8_t { head, leaf, between };
  // What is open: a multipart, or a message in a message (no boundary).
  struct Frame {
    std::string boundary;
    bool is_digest = false;
    bool is_sealed = false;
  };
  enum class Match : std::uint8_t { none, almost, next_part, end };

  [[nodiscard]] Result<void> take_line(std::string_view line, std::string_view end);
  [[nodiscard]] Result<void> take_delimiter(std::string_view line, std::string_view end);
  [[nodiscard]] Result<void> end_head();
  [[nodiscard]] Result<void> begin_multipart(const Entity& entity);
  [[nodiscard]] Match match(std::string_view line) const;
  [[nodiscard]] bool begins_message() const {
    return frames_.empty() || frames_.back().boundary.empty();
  }

  EntityHandler& handler_;
  Place place_ = Place::head;
  std::vector<Frame> frames_;
  std::string pending_;  // of a line whose end has not come
  std::string head_;
  std::size_t entities_ = 0;
  bool line_end_is_open_ = false;  // of a leaf: it may be the delimiter's
};

}  // namespace todoku::mime
