// SPDX-License-Identifier: Apache-2.0
#include "delivery/message_copies.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "delivery/letter.h"
#include "delivery/letter_material.h"
#include "delivery/whole_copy.h"
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
  auto letter = make_letter(material.delivery, std::move(material.content), material.terms, keys_,
                            options_, store_);
  if (!letter && letter.error().kind == ErrorKind::not_found) {
    co_return fail(ErrorKind::unsupported, "a key that signed it is gone");
  }
  if (!letter) co_return fail(std::move(letter.error()));
  auto whole = co_await whole_copy(
      std::move(*letter),
      {.key = recipient.key, .address = recipient.address, .insert_codes = recipient.insert_codes},
      options_);
  if (!whole) co_return fail(std::move(whole.error()));
  co_return std::move(whole->octets);
}

}  // namespace todoku::delivery
