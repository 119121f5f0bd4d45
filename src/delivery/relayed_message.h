// SPDX-License-Identifier: Apache-2.0
// A message that came whole and goes on as it came, but for header fields that a relay puts in
// front of it (RFC 5321 section 4.4, RFC 6409 section 8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/header_field.h"
#include "mime/line_scan.h"

namespace todoku::delivery {

// A field to put in front. The value is ASCII and may be folded.
struct AddedField {
  std::string name;
  std::string value;
  bool only_if_missing = false;  // Date and Message-ID; not Received
};

class RelayedMessage {
 public:
  struct Options {
    std::vector<AddedField> added;  // the first one comes first
    bool smtputf8 = false;          // the sender asked for it (RFC 6531)
  };

  // Lines end with CRLF; a message that has a bare CR or LF, which receivers read in different ways
  // (SMTP smuggling), or a NUL is refused. Errors: invalid_input.
  [[nodiscard]] static Result<RelayedMessage> build(std::string octets, const Options& options);

  // One that was looked through before (mail/content.h): its header section with the blank line,
  // and `outside` octets of a body that stays where it is. Errors: invalid_input.
  struct Known {
    std::uint64_t outside = 0;
    bool has_leading_dot = false;
    bool is_eight_bit = false;
    bool has_long_line = false;
  };
  [[nodiscard]] static Result<RelayedMessage> of_head(std::string_view head, const Known& known,
                                                      const Options& options);

  // As of mime::ComposedMessage, for every recipient the same. Views live as long as the message,
  // wherever it is moved.
  [[nodiscard]] std::span<const HeaderField> headers() const { return parts_->headers; }
  [[nodiscard]] std::string_view head() const { return parts_->head; }
  [[nodiscard]] std::span<const std::string_view> body() const { return {&parts_->body, 1}; }
  // What is not in memory included.
  [[nodiscard]] std::size_t size() const {
    return parts_->head.size() + parts_->body.size() + parts_->outside;
  }
  [[nodiscard]] bool has_leading_dot() const { return parts_->has_leading_dot; }
  [[nodiscard]] bool is_eight_bit() const { return parts_->is_eight_bit; }
  // Of over mime::kWireLineOctetsMax.
  [[nodiscard]] bool has_long_line() const { return parts_->has_long_line; }
  [[nodiscard]] bool needs_smtputf8() const { return parts_->smtputf8; }
  [[nodiscard]] std::size_t memory_octets() const;

 private:
  friend class RelayedScan;

  struct Parts {
    std::string octets;
    std::string head;  // with what was added, and the blank line
    std::vector<HeaderField> headers;
    std::string_view body;
    std::size_t outside = 0;  // octets of the body that are not in memory
    bool has_leading_dot = false;
    bool is_eight_bit = false;
    bool has_long_line = false;
    bool smtputf8 = false;
  };

  explicit RelayedMessage(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}

  std::unique_ptr<const Parts> parts_;
};

// Looks through a message once, in slices that are cut anywhere, for what must be known of it
// before it is sent.
class RelayedScan {
 public:
  // The header section, which is in memory with its letter.
  static constexpr std::size_t kHeadOctetsMax = 1UL << 20U;

  // The next octets. Errors: invalid_input, see RelayedMessage::build().
  [[nodiscard]] Result<void> update(std::string_view slice);
  // After the last of them: the message without its body, which stays where it is, behind the
  // head_octets(). Errors: invalid_input.
  [[nodiscard]] Result<RelayedMessage> finish(const RelayedMessage::Options& options);
  [[nodiscard]] std::size_t head_octets() const { return head_.size(); }
  [[nodiscard]] std::uint64_t octets() const { return lines_.octets(); }

 private:
  friend class RelayedMessage;
  [[nodiscard]] Result<void> look_for_head(std::string_view slice);
  [[nodiscard]] Result<std::unique_ptr<RelayedMessage::Parts>> parts(
      const RelayedMessage::Options& options);

  std::string head_;  // with the blank line
  bool head_is_whole_ = false;
  mime::LineScan lines_;
};

}  // namespace todoku::delivery
