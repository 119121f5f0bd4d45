// SPDX-License-Identifier: Apache-2.0
// What a letter sends: a message that is composed for each recipient, or one that is relayed as it
// came, or converted where a receiver would not take it so; all of it in memory, or with parts that
// are read in slices (content_slices.h). Who sends it asks for a recipient's copy and need not know
// which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "delivery/content_slices.h"
#include "delivery/relayed_message.h"
#include "mail/content.h"
#include "mail/header_field.h"
#include "mail/open_token.h"
#include "mail/unsubscribe_token.h"
#include "mailauth/dkim/canonical.h"
#include "mime/composed_message.h"
#include "mime/message_template.h"
#include "mime/seven_bit.h"
#include "store/keys.h"

namespace todoku::delivery {

// One recipient's copy, ready to be signed and gather-written: head(), then the pieces of body(); a
// signature's field goes before them. Kept per connection: its memory is used again by the next
// LetterMessage::begin(), until which its views are valid as long as the letter lives.
class OutgoingMessage {
 public:
  OutgoingMessage() = default;
  OutgoingMessage(const OutgoingMessage&) = delete;
  OutgoingMessage& operator=(const OutgoingMessage&) = delete;

  // The fields in the order in which they stand in head().
  [[nodiscard]] std::span<const HeaderField> headers() const { return view_.headers; }
  [[nodiscard]] std::string_view head() const { return view_.head; }
  [[nodiscard]] std::span<const std::string_view> body() const { return view_.body; }
  // Where in the body something belongs that is not in memory. Not empty: the copy is read by
  // LetterMessage::slices().
  [[nodiscard]] std::span<const ContentGap> gaps() const { return gaps_; }
  // Of head and body, what belongs into gaps included.
  [[nodiscard]] std::size_t size() const { return view_.size; }
  // False promises that no line begins with ".".
  [[nodiscard]] bool has_leading_dot() const { return view_.has_leading_dot; }
  // What the receiver must offer (RFC 6152, RFC 6531). A composed message needs neither.
  [[nodiscard]] bool is_eight_bit() const { return view_.is_eight_bit; }
  [[nodiscard]] bool needs_smtputf8() const { return view_.needs_smtputf8; }
  // Composed in UTF-8 although the delivery asked for another charset.
  [[nodiscard]] bool charset_fell_back() const { return view_.charset_fell_back; }

  // Private memory held.
  [[nodiscard]] std::size_t memory_octets() const { return composed_.memory_octets(); }
  // Gives it back where it is more than `octets_max`; the message is then empty.
  void trim(std::size_t octets_max);

 private:
  friend class LetterMessage;

  struct View {
    std::span<const HeaderField> headers;
    std::string_view head;
    std::span<const std::string_view> body;
    std::size_t size = 0;
    bool has_leading_dot = false;
    bool is_eight_bit = false;
    bool needs_smtputf8 = false;
    bool charset_fell_back = false;
  };

  View view_;
  std::vector<ContentGap> gaps_;
  mime::ComposedMessage composed_;
  std::vector<mime::InsertCodeView> codes_;
  std::string pixel_token_;
  std::string unsubscribe_token_;
  std::string token_scratch_;
};

// Whom a copy is for, and what makes it the same on every retry.
struct CopyFor {
  std::string_view address;
  std::span<const InsertCode> insert_codes;
  mime::Identity identity;
};

// How each copy of a composed message says in its URLs whose it is.
struct CopyTokens {
  store::AccountKey account{};
  std::string list_id;                                    // which its readers leave; empty: none
  std::shared_ptr<const OpenTokens> opens;                // null: no pixel
  std::shared_ptr<const UnsubscribeTokens> unsubscribes;  // null: no link of ours
};

// Immutable; any number of threads may ask, each for a message of its own.
class LetterMessage {
 public:
  LetterMessage(mime::MessageTemplate composed) : message_(std::move(composed)) {}
  LetterMessage(RelayedMessage relayed);
  // In slices. Of a composed message the parts are the data of its attachments, in their order
  // (mime::MessageOptions::data_outside); of a relayed one there is one part, its body.
  LetterMessage(mime::MessageTemplate composed, OutsideContent outside);
  LetterMessage(RelayedMessage relayed, OutsideContent outside);
  // One that is relayed in slices: the source's part 0, of so many octets, which are looked through
  // once. Errors: those of the source and of RelayedScan.
  [[nodiscard]] static Task<Result<LetterMessage>> relay_in_slices(
      std::shared_ptr<const ContentSource> source, std::uint64_t octets,
      RelayedMessage::Options options);

  [[nodiscard]] bool is_relayed() const { return std::holds_alternative<RelayedMessage>(message_); }
  // A line of over 998 octets, which only a relayed message may have.
  [[nodiscard]] bool has_long_line() const;
  [[nodiscard]] bool needs_smtputf8() const;
  // What it has to become for a receiver that takes this, and no line of over 998 octets; nullopt:
  // it goes as it is. A composed message always does.
  [[nodiscard]] std::optional<mime::WireOctets> must_become(mime::WireOctets taken) const;
  // A relayed message for receivers that take this (mime/seven_bit.h). Made once and kept with the
  // letter; for one in slices, all of them are gone through. Errors: those of the source.
  struct Converted {
    std::shared_ptr<const LetterMessage> message;  // null: it cannot be
    std::string why_not;                           // "has a signature that ..."
  };
  [[nodiscard]] Task<Result<Converted>> converted(mime::WireOctets taken) const;

  // Replaces what `out` held.
  void begin(const CopyFor& copy, OutgoingMessage& out) const;
  // At least the size of the copy with these insert codes, however large they make it, and not much
  // more; making it takes a small multiple of this as memory. `scratch` keeps what it held, or not.
  [[nodiscard]] std::uint64_t octets_of(std::span<const InsertCode> insert_codes,
                                        OutgoingMessage& scratch) const;

  [[nodiscard]] bool is_in_slices() const { return outside_.source != nullptr; }
  // Of a copy of so many octets, those for which there must be memory while it is sent.
  [[nodiscard]] std::uint64_t octets_in_memory(std::uint64_t octets) const;
  // Memory that goes with a copy while it is sent, beside its own.
  [[nodiscard]] std::size_t slice_octets() const {
    return is_in_slices() ? outside_.slice_octets() : 0;
  }
  // The copy's body, after `front`. Both outlive the reader.
  [[nodiscard]] SliceReader slices(std::span<const std::string_view> front,
                                   const OutgoingMessage& copy) const {
    return {outside_, front, copy.body(), copy.gaps()};
  }
  // What a signature of the copy says of its body. Where copies have the same body, all slices are
  // gone through once for all of them, and not again for a retry. Errors: those of the source.
  [[nodiscard]] Task<Result<mailauth::dkim::BodyHash>> body_hash(const OutgoingMessage& copy) const;

  // Before any copy is made.
  void set_tokens(CopyTokens tokens) { tokens_ = std::move(tokens); }

  [[nodiscard]] std::size_t memory_octets() const;

 private:
  class Hashes;
  class Conversions;

  [[nodiscard]] static std::shared_ptr<Conversions> no_conversions();
  // Into `out`, for this copy.
  void write_tokens(const CopyFor& copy, OutgoingMessage& out) const;
  [[nodiscard]] static Converted convert_whole(const RelayedMessage& message,
                                               mime::WireOctets taken);
  [[nodiscard]] Converted convert_slices(const RelayedMessage& message, mime::SevenBitPlan plan,
                                         mime::WireOctets taken) const;

  std::variant<mime::MessageTemplate, RelayedMessage> message_;
  OutsideContent outside_;
  std::shared_ptr<Hashes> hashes_;            // null: nothing is outside
  std::shared_ptr<Conversions> conversions_;  // null: it is composed
  CopyTokens tokens_;
};

}  // namespace todoku::delivery
