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
#include "delivery/options.h"
#include "mail/content.h"
#include "mail/states.h"
#include "mime/message_template.h"
#include "store/types.h"

namespace todoku::delivery {

struct Letter {
  store::DeliveryKey delivery{};
  store::AccountKey account{};
  std::uint32_t weight = 1;  // of the account
  TrafficClass traffic = TrafficClass::transactional;
  bool at_most_once = false;
  Instant started{};
  std::shared_ptr<const mailauth::dkim::Signer> signer;  // null: not signed
  mime::MessageTemplate message;
  std::size_t bytes = 0;  // approximate memory
};

// `content` holds the attachments' data. Errors: invalid_input if no message can be made of it,
// not_found if a pinned signing key is gone.
[[nodiscard]] Result<std::shared_ptr<const Letter>> make_letter(const store::Delivery& delivery,
                                                                Content content,
                                                                std::uint32_t weight, KeyRing& keys,
                                                                const Options& options);

}  // namespace todoku::delivery
