// SPDX-License-Identifier: Apache-2.0
#include "delivery/letter_message.h"

namespace todoku::delivery {

void LetterMessage::begin(const CopyFor& copy, OutgoingMessage& out) const {
  if (const auto* relayed = std::get_if<RelayedMessage>(&message_)) {
    out.view_ = {.headers = relayed->headers(),
                 .head = relayed->head(),
                 .body = relayed->body(),
                 .size = relayed->size(),
                 .has_leading_dot = relayed->has_leading_dot(),
                 .is_eight_bit = relayed->is_eight_bit(),
                 .needs_smtputf8 = relayed->needs_smtputf8()};
    return;
  }
  const mime::ComposedMessage& composed = out.composed_;
  std::get<mime::MessageTemplate>(message_).compose(
      {copy.address, mime::view_codes(copy.insert_codes, out.codes_)}, copy.identity,
      out.composed_);
  out.view_ = {.headers = composed.headers(),
               .head = composed.head(),
               .body = composed.body(),
               .size = composed.size(),
               .has_leading_dot = composed.has_leading_dot(),
               .charset_fell_back = composed.charset_fell_back()};
}

std::uint64_t LetterMessage::octets_of(std::span<const InsertCode> insert_codes,
                                       OutgoingMessage& scratch) const {
  if (const auto* relayed = std::get_if<RelayedMessage>(&message_)) return relayed->size();
  return std::get<mime::MessageTemplate>(message_).expanded_octets(
      mime::view_codes(insert_codes, scratch.codes_));
}

std::size_t LetterMessage::memory_octets() const {
  return std::visit([](const auto& message) { return message.memory_octets(); }, message_);
}

void OutgoingMessage::trim(std::size_t octets_max) {
  view_ = {};
  composed_.trim(octets_max);
}

}  // namespace todoku::delivery
