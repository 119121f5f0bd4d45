// SPDX-License-Identifier: Apache-2.0
#include "delivery/whole_copy.h"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "mail/recipient_token.h"
#include "mailauth/dkim/signing_context.h"

namespace todoku::delivery {
namespace {

std::string_view secret_view(const std::array<std::uint8_t, 16>& secret) {
  return {reinterpret_cast<const char*>(secret.data()), secret.size()};
}

Result<std::string> signature_of(const Letter& letter, const OutgoingMessage& message,
                                 const mailauth::dkim::BodyHash& hash,
                                 mailauth::dkim::SigningContext& context) {
  std::string signatures;
  auto done = letter.signer->sign(
      context, {.headers = message.headers(), .body_hash = hash, .signed_at = letter.started},
      signatures);
  if (!done) return fail(std::move(done.error()));
  return signatures;
}

Task<Result<std::string>> signatures_of(const Letter& letter, const LetterMessage& sent,
                                        const OutgoingMessage& message) {
  if (!letter.signer) co_return std::string();
  mailauth::dkim::SigningContext context;
  if (!sent.is_in_slices()) {
    co_return signature_of(letter, message, context.body_hash(message.body()), context);
  }
  const auto hash = co_await sent.body_hash(message);
  if (!hash) co_return fail(hash.error());
  co_return signature_of(letter, message, *hash, context);
}

Task<Result<std::string>> whole(const LetterMessage& sent, const OutgoingMessage& message,
                                std::string signatures) {
  std::string octets;
  octets.reserve(signatures.size() + message.size());
  if (!sent.is_in_slices()) {
    octets += signatures;
    octets += message.head();
    for (const std::string_view piece : message.body()) octets += piece;
    co_return octets;
  }
  const std::vector<std::string_view> front{signatures, message.head()};
  SliceReader slices = sent.slices(front, message);
  slices.begin();
  while (true) {
    const auto slice = co_await slices.next();
    if (!slice) co_return fail(slice.error());
    if (slice->empty()) co_return octets;
    for (const std::string_view piece : *slice) octets += piece;
  }
}

// What a receiver with 8BITMIME gets, and most have it. Null: it could not be converted, so nobody
// got it.
Task<Result<std::shared_ptr<const LetterMessage>>> sent_of(std::shared_ptr<const Letter> letter) {
  const auto must_become = letter->message.must_become(mime::WireOctets::eight_bit);
  if (!must_become) {
    co_return std::shared_ptr<const LetterMessage>(letter, &letter->message);
  }
  auto made = co_await letter->message.converted(*must_become);
  if (!made) co_return fail(std::move(made.error()));
  co_return std::move(made->message);
}

}  // namespace

Task<Result<WholeCopy>> whole_copy(
    std::shared_ptr<const Letter> letter, CopyOf copy,
    const Options& options) {  // NOLINT(*-reference-coroutine-parameters)
  const auto sent = co_await sent_of(letter);
  if (!sent) co_return fail(sent.error());
  if (!*sent) co_return fail(ErrorKind::cancelled, "it cannot be sent as it is: none was made");
  OutgoingMessage message;
  if (!(*sent)->is_relayed() &&
      (*sent)->octets_of(copy.insert_codes, message) > options.message_octets_max) {
    co_return fail(ErrorKind::limit_exceeded, "it is larger than any mail may be: none was made");
  }
  (*sent)->begin({.address = copy.address,
                  .insert_codes = copy.insert_codes,
                  .identity = {.delivery = static_cast<std::int64_t>(letter->delivery),
                               .batch = copy.key.batch,
                               .seq = copy.key.seq,
                               .message_id_domain = options.message_id_domain,
                               .secret = options.instance_secret,
                               .date = letter->started}},
                 message);
  auto signatures = co_await signatures_of(*letter, **sent, message);
  if (!signatures) co_return fail(std::move(signatures.error()));
  const bool fell_back = message.charset_fell_back();
  auto octets = co_await whole(**sent, message, std::move(*signatures));
  if (!octets) co_return fail(std::move(octets.error()));
  WholeCopy made;
  made.octets = std::move(*octets);
  made.charset_fell_back = fell_back;
  co_return made;
}

std::string mail_from_of(const Letter& letter, const store::RecipientKey& key,
                         const Options& options) {
  if (letter.sender) return letter.sender->mail_from;
  return encode_recipient_token({static_cast<std::int64_t>(key.delivery), key.batch, key.seq},
                                secret_view(options.instance_secret)) +
         "@" + options.return_path_domain;
}

}  // namespace todoku::delivery
