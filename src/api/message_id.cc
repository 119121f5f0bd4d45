// SPDX-License-Identifier: Apache-2.0
#include "api/message_id.h"

namespace todoku::api {

Task<std::optional<store::DeliveryKey>> delivery_made(Api& api, store::AccountKey account,
                                                      intake::Made made) {
  if (made.delivery) co_return made.delivery;
  const auto head =
      co_await api.store().read([account, id = made.answer](store::ReadTransaction& t) {
        return t.delivery_head(account, id);
      });
  // What was made is made, whatever can be told of it.
  if (!head) co_return std::nullopt;
  co_return head->key;
}

std::string message_id_of(const Api& api, std::optional<store::DeliveryKey> transaction) {
  if (!api.options().message_id || !transaction) return {};
  return api.options().message_id({.delivery = *transaction}, DeliveryType::transaction);
}

void tell_message_id(const Api& api, std::optional<store::DeliveryKey> transaction,
                     http::Response& response) {
  if (auto id = message_id_of(api, transaction); !id.empty()) {
    response.headers.set(kMessageIdHeader, id);
  }
}

}  // namespace todoku::api
