// SPDX-License-Identifier: Apache-2.0
#include "delivery/letter_material.h"

#include <utility>

namespace todoku::delivery {
namespace {

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
  if (const auto& relayed = content.content.relayed) {
    auto head = transaction.attachment_part(delivery.key, 0, 0,
                                            static_cast<std::size_t>(relayed->head_octets));
    if (!head) return fail(std::move(head.error()));
    content.relayed_head = std::move(*head);
  }
  for (const auto& kept : delivery.attachments) {
    content.content.attachments.push_back({kept.file_name, kept.mime_type, {}, kept.content_id});
    content.data_outside.push_back(static_cast<std::uint64_t>(kept.size));
  }
  return content;
}

}  // namespace

Result<LetterMaterial> read_material(store::ReadTransaction& transaction, store::DeliveryKey key,
                                     const Options& options) {
  auto delivery = transaction.delivery(key);
  if (!delivery) return fail(delivery.error());
  auto content = read_content(transaction, *delivery, options);
  if (!content) return fail(content.error());
  const auto account = transaction.account(delivery->account);
  if (!account) return fail(account.error());
  return LetterMaterial{std::move(*delivery),
                        std::move(*content),
                        account->name,
                        {.weight = account->weight, .sandbox = account->sandbox}};
}

Task<Result<void>> find_keys(KeyRing& keys, const store::Delivery& delivery) {
  if (delivery.signing.empty()) co_return Result<void>{};
  const auto known = keys.pinned(delivery.account, delivery.signing);
  if (known || known.error().kind != ErrorKind::not_found) co_return Result<void>{};
  co_return co_await keys.look_again();
}

}  // namespace todoku::delivery
