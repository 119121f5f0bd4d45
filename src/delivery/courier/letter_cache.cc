// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/letter_cache.h"

#include <utility>

#include <fmt/format.h>

#include "delivery/letter_material.h"

namespace todoku::delivery::courier {
Task<Result<std::shared_ptr<const Letter>>> LetterCache::letter(store::DeliveryKey delivery) {
  if (auto found = shelf_.find(delivery)) co_return found;
  const std::uint64_t cleared = shelf_.cleared();
  auto material =
      co_await store_.read([delivery, &options = options_](store::ReadTransaction& transaction) {
        return read_material(transaction, delivery, options);
      });
  if (!material) co_return fail(std::move(material.error()));
  const auto keys_known = co_await find_keys(keys_, material->delivery);
  if (!keys_known) co_return fail(keys_known.error());
  auto letter = make_letter(material->delivery, std::move(material->content), material->terms,
                            keys_, options_, store_);
  if (!letter) {
    co_return fail(fmt::format("delivery {} of {}", material->delivery.id, material->account),
                   std::move(letter.error()));
  }
  co_return shelf_.keep(std::move(*letter), cleared);
}

}  // namespace todoku::delivery::courier
