// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/letter_cache.h"

#include <algorithm>
#include <utility>

namespace todoku::delivery::courier {
namespace {

struct Material {
  store::Delivery delivery;
  Content content;
  std::uint32_t weight = 1;
};

Result<Material> read_material(store::ReadTransaction& transaction, store::DeliveryKey key) {
  auto delivery = transaction.delivery_head(key);
  if (!delivery) return fail(delivery.error());
  auto content = transaction.content(key);
  if (!content) return fail(content.error());
  const auto account = transaction.account(delivery->account);
  if (!account) return fail(account.error());
  return Material{std::move(*delivery), std::move(*content), account->weight};
}

}  // namespace

std::shared_ptr<const Letter> LetterCache::find(store::DeliveryKey delivery) {
  const std::lock_guard lock(mutex_);
  const auto found = by_delivery_.find(delivery);
  if (found == by_delivery_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->second;
}

void LetterCache::keep(store::DeliveryKey delivery, std::shared_ptr<const Letter> letter) {
  const std::lock_guard lock(mutex_);
  if (by_delivery_.contains(delivery)) return;
  bytes_ += letter->bytes;
  recent_.emplace_front(delivery, std::move(letter));
  by_delivery_[delivery] = recent_.begin();
  while (bytes_ > options_.content_cache_bytes && recent_.size() > 1) {
    bytes_ -= recent_.back().second->bytes;
    by_delivery_.erase(recent_.back().first);
    recent_.pop_back();
  }
}

Task<Result<std::shared_ptr<const Letter>>> LetterCache::letter(store::DeliveryKey delivery) {
  if (auto found = find(delivery)) co_return found;
  auto material = co_await store_.read([delivery](store::ReadTransaction& transaction) {
    return read_material(transaction, delivery);
  });
  if (!material) co_return fail(std::move(material.error()));
  auto letter = make_letter(material->delivery, std::move(material->content), material->weight,
                            keys_, options_);
  if (letter) keep(delivery, *letter);
  co_return letter;
}

std::size_t LetterCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace todoku::delivery::courier
