// SPDX-License-Identifier: Apache-2.0
// One recipient's message, ready to be signed and gather-written. Meant to be kept per connection:
// its memory is used again by the next compose().
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mail/header_field.h"
#include "mime/body_writer.h"
#include "mime/insert_code.h"

namespace todoku::mime {

// The views of a message stay valid until the next compose() into it, and as long as the template
// that it came from exists. On the wire it is head(), then every piece of body().
class ComposedMessage {
 public:
  ComposedMessage() = default;
  ComposedMessage(const ComposedMessage&) = delete;
  ComposedMessage& operator=(const ComposedMessage&) = delete;

  // The fields in the order in which they stand in head().
  [[nodiscard]] std::span<const HeaderField> headers() const { return headers_; }
  // All header fields and the blank line after them. A signature's field goes before it.
  [[nodiscard]] std::string_view head() const { return head_; }
  // The body in order: what is shared lives in the template, what is personal in this object.
  [[nodiscard]] std::span<const std::string_view> body() const { return body_; }
  // Where attachments' data belongs that is not in memory (MessageOptions::data_outside), in order:
  // before this piece of body(), or at its end. It is sent in base64 (append_base64_lines()).
  struct Gap {
    std::size_t before_piece;
    std::size_t attachment;
  };
  [[nodiscard]] std::span<const Gap> gaps() const { return gaps_; }
  // Octets of head and body together, what belongs into gaps included: what SIZE and BDAT announce.
  [[nodiscard]] std::size_t size() const { return head_.size() + body_octets_; }

  // With its angle brackets.
  [[nodiscard]] std::string_view message_id() const { return message_id_; }
  // The delivery asked for ISO-2022-JP, which cannot say this message: it is in UTF-8.
  [[nodiscard]] bool charset_fell_back() const { return charset_fell_back_; }
  // False promises that no line begins with ".": DATA has nothing to double (RFC 5321 section
  // 4.5.2).
  [[nodiscard]] bool has_leading_dot() const { return writer_.has_leading_dot(); }

  // Private memory held, and giving it all back where it is more than `octets_max`; the message is
  // then empty.
  [[nodiscard]] std::size_t memory_octets() const;
  void trim(std::size_t octets_max);

 private:
  friend class Composer;

  struct FieldMark {
    std::string_view name;
    std::size_t begin;
  };

  std::string head_;
  std::vector<FieldMark> marks_;
  std::vector<HeaderField> headers_;
  BodyWriter writer_;
  std::vector<std::string_view> body_;
  std::vector<Gap> gaps_;
  std::size_t body_octets_ = 0;
  std::string_view message_id_;
  bool charset_fell_back_ = false;

  // Working memory of compose().
  InsertValues values_;
  std::string link_;  // of kUnsubscribeKey
  std::string text_;
};

}  // namespace todoku::mime
