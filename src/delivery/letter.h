// SPDX-License-Identifier: Apache-2.0
// A letter: everything that the recipients of one delivery share when their mail is made. Built
// once per delivery, immutable, shared by all connections.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "delivery/key_ring.h"
#include "delivery/letter_message.h"
#include "delivery/options.h"
#include "mail/content.h"
#include "mail/states.h"
#include "store/deliveries.h"

namespace todoku::delivery {

struct Letter {
  store::DeliveryKey delivery{};
  store::AccountKey account{};
  std::uint32_t weight = 1;  // of the account
  TrafficClass traffic = TrafficClass::transactional;
  bool at_most_once = false;
  Instant started{};
  std::shared_ptr<const mailauth::dkim::Signer> signer;  // null: not signed
  LetterMessage message;
  std::size_t bytes = 0;  // approximate memory
};

// Errors: not_found if a pinned signing key is gone.
[[nodiscard]] Result<std::shared_ptr<const Letter>> make_letter(const store::Delivery& delivery,
                                                                LetterMessage message,
                                                                std::uint32_t weight,
                                                                KeyRing& keys);
// Of a message that is composed. `content` holds the attachments' data. Errors also: invalid_input
// if no message can be made of it.
[[nodiscard]] Result<std::shared_ptr<const Letter>> make_letter(const store::Delivery& delivery,
                                                                Content content,
                                                                std::uint32_t weight, KeyRing& keys,
                                                                const Options& options);

}  // namespace todoku::delivery
