// SPDX-License-Identifier: Apache-2.0
#include "delivery/message_copies.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "delivery/letter.h"
#include "delivery/letter_material.h"
#include "mailauth/dkim/signing_context.h"
#include "store/personal_data.h"

namespace todoku::delivery {
namespace {

struct Wanted {
  store::Recipient recipient;
  LetterMaterial material;
};

// Of what was stopped only if a server had been asked before.
Result<bool> was_made(store::ReadTransaction& transaction, store::AccountKey account,
                      store::PublicId email_id) {
  const auto stories = transaction.log_stories(account, std::span(&email_id, 1));
  if (!stories) return fail(stories.error());
  return std::ranges::all_of(*stories, [](const store::Story& story) {
    const bool was_stopped =
        story.state == RecipientState::dropped || story.state == RecipientState::cancelled;
    return !was_stopped || std::ranges::any_of(story.attempts, [](const store::Attempt& attempt) {
      return attempt.outcome.stage != Stage::none;
    });
  });
}

// Made again it would be a message that nobody was ever sent.
std::unexpected<Error> erased() {
  return fail(ErrorKind::unsupported, "what it was made of is erased (personal data)");
}

bool names_erased(const std::vector<std::string>& addresses) {
  return std::ranges::find(addresses, store::kErasedAddress) != addresses.end();
}

// In part: who else stood in its header.
bool is_erased(const Content& content) {
  return names_erased(content.header_to) || names_erased(content.header_cc) ||
         (content.subject == store::kErasedText && content.text_part == store::kErasedText);
}

Result<Wanted> read_wanted(store::ReadTransaction& transaction, store::AccountKey account,
                           store::PublicId email_id, const Options& options) {
  auto recipient = transaction.recipient(account, email_id);
  if (!recipient) return fail(std::move(recipient.error()));
  if (recipient->address == store::kErasedAddress) return erased();
  const bool started = recipient->delivery_status == DeliveryStatus::sending ||
                       recipient->delivery_status == DeliveryStatus::sent;
  if (!started) {
    return fail(ErrorKind::conflict, "its delivery has not started: no message of it was made");
  }
  const auto made = was_made(transaction, account, email_id);
  if (!made) return fail(made.error());
  if (!*made) {
    return fail(ErrorKind::cancelled, "it was stopped before it was tried: no message was made");
  }
  auto material = read_material(transaction, recipient->key.delivery, options);
  if (!material) return fail(std::move(material.error()));
  if (is_erased(material->content.content)) return erased();
  return Wanted{std::move(*recipient), std::move(*material)};
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

Task<Result<std::string>> MessageCopies::copy(store::AccountKey account,
                                              store::PublicId email_id) const {
  auto wanted = co_await store_.read(
      [account, email_id, &options = options_](store::ReadTransaction& transaction) {
        return read_wanted(transaction, account, email_id, options);
      });
  if (!wanted) co_return fail(std::move(wanted.error()));
  const store::Recipient& recipient = wanted->recipient;
  LetterMaterial& material = wanted->material;
  const auto keys_known = co_await find_keys(keys_, material.delivery);
  if (!keys_known) co_return fail(keys_known.error());
  auto letter = make_letter(material.delivery, std::move(material.content), material.weight, keys_,
                            options_, store_);
  if (!letter && letter.error().kind == ErrorKind::not_found) {
    co_return fail(ErrorKind::unsupported, "a key that signed it is gone");
  }
  if (!letter) co_return fail(std::move(letter.error()));
  const auto sent = co_await sent_of(*letter);
  if (!sent) co_return fail(sent.error());
  if (!*sent) co_return fail(ErrorKind::cancelled, "it cannot be sent as it is: none was made");
  OutgoingMessage message;
  if (!(*sent)->is_relayed() &&
      (*sent)->octets_of(recipient.insert_codes, message) > options_.message_octets_max) {
    co_return fail(ErrorKind::limit_exceeded, "it is larger than any mail may be: none was made");
  }
  (*sent)->begin({.address = recipient.address,
                  .insert_codes = recipient.insert_codes,
                  .identity = {.delivery = static_cast<std::int64_t>((*letter)->delivery),
                               .batch = recipient.key.batch,
                               .seq = recipient.key.seq,
                               .message_id_domain = options_.message_id_domain,
                               .secret = options_.instance_secret,
                               .date = (*letter)->started}},
                 message);
  auto signatures = co_await signatures_of(**letter, **sent, message);
  if (!signatures) co_return fail(std::move(signatures.error()));
  co_return co_await whole(**sent, message, std::move(*signatures));
}

}  // namespace todoku::delivery
