// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/letter_cache.h"

#include <utility>

#include <fmt/format.h>

namespace todoku::delivery::courier {
namespace {

struct Material {
  store::Delivery delivery;
  LetterContent content;
  std::string account;
  std::uint32_t weight = 1;
};

// The data of attachments only if it may stay in memory.
Result<LetterContent> read_content(store::ReadTransaction& transaction, store::Delivery& delivery,
                                   const Options& options) {
  std::uint64_t octets = 0;
  for (const auto& kept : delivery.attachments) octets += static_cast<std::uint64_t>(kept.size);
  if (!delivery.attachments.empty() && !goes_in_slices(octets, options)) {
    auto whole = transaction.content(delivery.key);
    if (!whole) return fail(std::move(whole.error()));
    return LetterContent{.content = std::move(*whole), .data_outside = {}};
  }
  LetterContent content{.content = std::move(delivery.content), .data_outside = {}};
  for (const auto& kept : delivery.attachments) {
    content.content.attachments.push_back({kept.file_name, kept.mime_type, {}});
    content.data_outside.push_back(static_cast<std::uint64_t>(kept.size));
  }
  return content;
}

Result<Material> read_material(store::ReadTransaction& transaction, store::DeliveryKey key,
                               const Options& options) {
  auto delivery = transaction.delivery(key);
  if (!delivery) return fail(delivery.error());
  auto content = read_content(transaction, *delivery, options);
  if (!content) return fail(content.error());
  const auto account = transaction.account(delivery->account);
  if (!account) return fail(account.error());
  return Material{std::move(*delivery), std::move(*content), account->name, account->weight};
}

}  // namespace

// Whoever accepted the mail may know a key that was not heard of here yet. One that is gone is
// make_letter()'s to tell.
Task<Result<void>> LetterCache::find_keys(const store::Delivery& delivery) {
  if (delivery.signing.empty()) co_return Result<void>{};
  const auto known = keys_.pinned(delivery.account, delivery.signing);
  if (known || known.error().kind != ErrorKind::not_found) co_return Result<void>{};
  co_return co_await keys_.look_again();
}

Task<Result<std::shared_ptr<const Letter>>> LetterCache::letter(store::DeliveryKey delivery) {
  if (auto found = shelf_.find(delivery)) co_return found;
  const std::uint64_t cleared = shelf_.cleared();
  auto material =
      co_await store_.read([delivery, &options = options_](store::ReadTransaction& transaction) {
        return read_material(transaction, delivery, options);
      });
  if (!material) co_return fail(std::move(material.error()));
  const auto keys_known = co_await find_keys(material->delivery);
  if (!keys_known) co_return fail(keys_known.error());
  auto letter = make_letter(material->delivery, std::move(material->content), material->weight,
                            keys_, options_, store_);
  if (!letter) {
    co_return fail(fmt::format("delivery {} of {}", material->delivery.id, material->account),
                   std::move(letter.error()));
  }
  co_return shelf_.keep(std::move(*letter), cleared);
}

}  // namespace todoku::delivery::courier
