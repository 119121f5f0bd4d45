// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/letter_cache.h"

#include <utility>

#include <fmt/format.h>

namespace todoku::delivery::courier {
namespace {

struct Material {
  store::Delivery delivery;
  Content content;
  std::string account;
  std::uint32_t weight = 1;
};

Result<Material> read_material(store::ReadTransaction& transaction, store::DeliveryKey key) {
  auto delivery = transaction.delivery_head(key);
  if (!delivery) return fail(delivery.error());
  auto content = transaction.content(key);
  if (!content) return fail(content.error());
  const auto account = transaction.account(delivery->account);
  if (!account) return fail(account.error());
  return Material{std::move(*delivery), std::move(*content), account->name, account->weight};
}

}  // namespace

Task<Result<std::shared_ptr<const Letter>>> LetterCache::letter(store::DeliveryKey delivery) {
  if (auto found = shelf_.find(delivery)) co_return found;
  auto material = co_await store_.read([delivery](store::ReadTransaction& transaction) {
    return read_material(transaction, delivery);
  });
  if (!material) co_return fail(std::move(material.error()));
  auto letter = make_letter(material->delivery, std::move(material->content), material->weight,
                            keys_, options_);
  if (!letter) {
    co_return fail(fmt::format("delivery {} of {}", material->delivery.id, material->account),
                   std::move(letter.error()));
  }
  co_return shelf_.keep(std::move(*letter));
}

}  // namespace todoku::delivery::courier
