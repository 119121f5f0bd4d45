// SPDX-License-Identifier: Apache-2.0
// The policy's state as the store keeps it (store::Webhook::state), but for its status, which has a
// column of its own. Pure.
//
//   state = octet zigzag octet text varint *parked
//           form of this, 1; failing since (0: it is not); its owner was told; cursor; how many
//   parked = text varint varint zigzag zigzag
//           id, order key, tries, first tried, due
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "events/webhooks/endpoint_policy.h"
#include "store/webhooks.h"

namespace todoku::events::webhooks {

[[nodiscard]] std::string pack_state(const EndpointState& state);
// `status` is the row's, and counts: its owner may have switched it on. Errors: corrupt.
[[nodiscard]] Result<EndpointState> unpack_state(std::string_view packed,
                                                 store::WebhookStatus status);

[[nodiscard]] store::WebhookStatus stored_status(EndpointState::Status status);

}  // namespace todoku::events::webhooks
