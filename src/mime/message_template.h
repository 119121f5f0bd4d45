// SPDX-License-Identifier: Apache-2.0
// A delivery's message with everything done that can be done once, and the composing of one
// recipient's copy from it (RFC 5322, RFC 2045-2049, RFC 8058).
//
// Composing is pure: the same template, recipient and identity give the same octets, so a retry
// repeats them exactly. All output is 7-bit with lines of at most 990 octets and CRLF line ends,
// and each header field stands once, whatever the content and the insert codes hold.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mime/composed_message.h"
#include "mime/content.h"
#include "mime/insert_code.h"

namespace todoku::mime {

struct MessageOptions {
  // Of the time zone that Date is written in; the default is Japan's. -1439 to 1439.
  int date_offset_minutes = 540;
  // Gmail's Feedback-ID: up to four non-empty parts of printable ASCII without ":" and spaces, the
  // last one naming the sender. Empty: no such field.
  std::vector<std::string> feedback_id;
  // How large the data of each attachment is, where it is somewhere else and not in the content: a
  // copy has a gap there (ComposedMessage::gaps()). Empty: it is in the content.
  std::vector<std::uint64_t> data_outside;
  // Of the image in HTML whose opening is to be told (Content::open_tracking), up to where each
  // copy's own segment begins (mime/open_pixel.h). Empty: no mail has one.
  std::string pixel_url;
  // Of the page where a recipient leaves, up to where each copy's own segment begins, https
  // (RFC 8058): where the sender gave no URL of its own, or one that a recipient's codes make
  // impossible, it is what List-Unsubscribe has; and it is what kUnsubscribeKey becomes in texts,
  // the same for one copy. At most kUnsubscribeUrlOctetsMax. Empty: never, and nothing.
  std::string unsubscribe_url;
  // Beside it, for programs that unsubscribe by mail: a mailto URI up to where the same segment
  // begins, which is in the subject then. At most kUnsubscribeUrlOctetsMax. Empty: none. Never
  // where the sender gave a mailto of its own, or the page is not ours.
  std::string unsubscribe_mailto;
  // What makes the ids of its inline parts the delivery's own: content_id_tail().
  std::string content_id_tail = "@localhost.invalid";
};

// The recipient's own.
struct RecipientFields {
  std::string_view address;
  std::span<const InsertCodeView> codes;
  std::string_view pixel_token;        // of the pixel's URL, if the message has one
  std::string_view unsubscribe_token;  // of MessageOptions::unsubscribe_url; empty: no such link
};

// What makes a copy the same on every retry, and different from all others.
struct Identity {
  std::int64_t delivery = 0;
  // Where the recipient is in its delivery. All copies of a transaction (Content::header_to is not
  // empty) are one message, so these do not matter there.
  std::uint32_t batch = 0;
  std::uint32_t seq = 0;
  std::string_view message_id_domain;     // A-labels
  std::array<std::uint8_t, 16> secret{};  // of this instance, so that nobody can guess an id
  Instant date{};                         // when the delivery started
};

// "<digits@domain>", the Message-ID of a copy (mime/message_id.h). `is_one_for_all`: of a
// transaction, whose copies are one message. Known as soon as the delivery is stored, so that it
// can be told before the mail is made.
void append_message_id(std::string& out, const Identity& identity, bool is_one_for_all);

// ".hash@domain", which a delivery's ids of inline parts end in (mime/inline_parts.h). What
// `identity` says of a recipient makes no difference.
[[nodiscard]] std::string content_id_tail(const Identity& identity);

// With a copy's own segment it stays within the line that begins with the field's name, of 998
// octets at most (RFC 5322 section 2.1.1).
inline constexpr std::size_t kUnsubscribeUrlOctetsMax = 100;
inline constexpr std::size_t kUnsubscribeTokenOctetsMax = 830;

class MessageTemplate {
 public:
  // Errors: invalid_input, naming the field: what check_composable() finds, options out of range.
  [[nodiscard]] static Result<MessageTemplate> build(Content content,
                                                     const MessageOptions& options);

  MessageTemplate(MessageTemplate&&) noexcept;
  MessageTemplate& operator=(MessageTemplate&&) noexcept;
  ~MessageTemplate();

  // Replaces what `out` held. Const and without shared state: any number of threads may compose
  // from one template, each into its own message.
  void compose(const RecipientFields& recipient, const Identity& identity,
               ComposedMessage& out) const;

  // At least the size of what compose() makes for these codes, however much they are, and not much
  // more (mime/message_size.h). Whoever composes for values that nobody has checked asks first:
  // compose() takes a small multiple of this as memory.
  [[nodiscard]] std::uint64_t expanded_octets(std::span<const InsertCodeView> codes) const;

  // Each copy has a segment of its own in it: RecipientFields::pixel_token.
  [[nodiscard]] bool has_pixel() const;
  // Likewise: RecipientFields::unsubscribe_token.
  [[nodiscard]] bool may_link_to_us() const;

  // For caches that are limited by memory.
  [[nodiscard]] std::size_t memory_octets() const;

  // Immutable innards; declared here because the composer's steps share them.
  struct Parts;

 private:
  explicit MessageTemplate(std::unique_ptr<const Parts> parts);
  std::unique_ptr<const Parts> parts_;
};

}  // namespace todoku::mime
