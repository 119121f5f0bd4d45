// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/endpoint_state.h"

#include <utility>

#include "store/codec.h"

namespace todoku::events::webhooks {
namespace {

constexpr char kStateForm = 1;

}  // namespace

std::string pack_state(const EndpointState& state) {
  const bool is_failing = state.status == EndpointState::Status::failing;
  std::string packed(1, kStateForm);
  store::put_zigzag(packed, is_failing ? to_epoch_ms(state.failing_since) : 0);
  packed.push_back(state.owner_told ? '\1' : '\0');
  store::put_text(packed, state.cursor);
  store::put_varint(packed, state.parked.size());
  for (const ParkedEvent& event : state.parked) {
    store::put_text(packed, event.id);
    store::put_varint(packed, event.order_key);
    store::put_varint(packed, static_cast<std::uint64_t>(event.tries));
    store::put_zigzag(packed, to_epoch_ms(event.first_tried));
    store::put_zigzag(packed, to_epoch_ms(event.due));
  }
  return packed;
}

Result<EndpointState> unpack_state(std::string_view packed, store::WebhookStatus status) {
  EndpointState state;
  store::BlobReader in(packed);
  const bool is_known = in.octet() == kStateForm;
  state.failing_since = from_epoch_ms(in.zigzag());
  state.owner_told = in.octet() != 0;
  state.cursor = in.text();
  const std::uint64_t parked = in.varint();
  for (std::uint64_t i = 0; i < parked && !in.failed(); ++i) {
    ParkedEvent event;
    event.id = in.text();
    event.order_key = in.varint();
    event.tries = static_cast<int>(in.varint());
    event.first_tried = from_epoch_ms(in.zigzag());
    event.due = from_epoch_ms(in.zigzag());
    state.parked.push_back(std::move(event));
  }
  if (!is_known || in.failed() || !in.at_end()) {
    return fail(ErrorKind::corrupt, "the state of an endpoint cannot be read");
  }
  switch (status) {
    case store::WebhookStatus::active:
      state.status = EndpointState::Status::active;
      state.owner_told = false;
      break;
    case store::WebhookStatus::failing:
      state.status = EndpointState::Status::failing;
      break;
    case store::WebhookStatus::disabled:
      state.status = EndpointState::Status::disabled;
      break;
  }
  return state;
}

store::WebhookStatus stored_status(EndpointState::Status status) {
  switch (status) {
    case EndpointState::Status::active:
      return store::WebhookStatus::active;
    case EndpointState::Status::failing:
      return store::WebhookStatus::failing;
    case EndpointState::Status::disabled:
      return store::WebhookStatus::disabled;
  }
  return store::WebhookStatus::active;
}

}  // namespace todoku::events::webhooks
