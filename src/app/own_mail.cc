// SPDX-License-Identifier: Apache-2.0
#include "app/own_mail.h"

#include "mime/message_id.h"

namespace todoku::app {

std::optional<store::RecipientKey> copy_named_by(std::string_view message_id,
                                                 const InstanceSecret& secret) {
  const auto copy = mime::open_message_id(message_id, secret);
  if (!copy) return std::nullopt;
  return store::RecipientKey{
      .delivery = store::DeliveryKey{copy->delivery}, .batch = copy->batch, .seq = copy->seq};
}

}  // namespace todoku::app
