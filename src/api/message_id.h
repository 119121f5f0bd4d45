// SPDX-License-Identifier: Apache-2.0
// What is told of the Message-IDs of mails that were accepted.
#pragma once

#include <optional>
#include <string>

#include "api/api.h"
#include "intake/repeats.h"

namespace todoku::api {

// The transaction that a request has made, or of which it got the answer once more; nullopt if it
// is not there any more.
[[nodiscard]] Task<std::optional<store::DeliveryKey>> delivery_made(Api& api,
                                                                    store::AccountKey account,
                                                                    intake::Made made);

// Of a transaction, whose copies are one mail; empty if it is not known.
[[nodiscard]] std::string message_id_of(const Api& api,
                                        std::optional<store::DeliveryKey> transaction);
// In a header of the answer, if it is known.
void tell_message_id(const Api& api, std::optional<store::DeliveryKey> transaction,
                     http::Response& response);

}  // namespace todoku::api
