// SPDX-License-Identifier: Apache-2.0
#include "delivery/letter.h"

#include <utility>

#include "mail/address.h"

namespace todoku::delivery {

Result<std::shared_ptr<const Letter>> make_letter(const store::Delivery& delivery,
                                                  LetterMessage message, std::uint32_t weight,
                                                  KeyRing& keys) {
  std::shared_ptr<const mailauth::dkim::Signer> signer;
  if (!delivery.signing.empty()) {
    auto signing = keys.pinned(delivery.account, delivery.signing);
    if (!signing) return fail("signing keys", std::move(signing.error()));
    signer = std::move(signing->signer);
  }
  const std::size_t octets = message.memory_octets() + sizeof(Letter);
  return std::make_shared<const Letter>(
      Letter{.delivery = delivery.key,
             .account = delivery.account,
             .weight = weight,
             .traffic = delivery.traffic,
             .at_most_once = delivery.at_most_once,
             .started = delivery.started.value_or(delivery.created),
             .signer = std::move(signer),
             .message = std::move(message),
             .bytes = octets});
}

Result<std::shared_ptr<const Letter>> make_letter(const store::Delivery& delivery, Content content,
                                                  std::uint32_t weight, KeyRing& keys,
                                                  const Options& options) {
  auto message = mime::MessageTemplate::build(std::move(content),
                                              {.date_offset_minutes = options.date_offset_minutes});
  if (!message) return fail("message", std::move(message.error()));
  return make_letter(delivery, std::move(*message), weight, keys);
}

}  // namespace todoku::delivery
