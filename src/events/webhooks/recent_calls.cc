// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/recent_calls.h"

#include <utility>

#include "base/utf8.h"
#include "store/codec.h"

namespace todoku::events::webhooks {
namespace {

constexpr char kCallsForm = 1;

}  // namespace

void RecentCalls::add(RecentCall call) {
  calls_.push_back(std::move(call));
  if (calls_.size() > kMax) calls_.pop_front();
}

std::string RecentCalls::pack() const {
  std::string packed(1, kCallsForm);
  store::put_varint(packed, calls_.size());
  for (const RecentCall& call : calls_) {
    store::put_zigzag(packed, to_epoch_ms(call.at));
    store::put_text(packed, call.id);
    store::put_text(packed, call.type);
    store::put_varint(packed, call.events);
    store::put_text(packed, call.request);
    store::put_varint(packed, static_cast<std::uint64_t>(call.status));
    store::put_text(packed, call.answer);
    store::put_text(packed, call.failure);
    store::put_varint(packed, static_cast<std::uint64_t>(call.took.count()));
    store::put_varint(packed, call.has_codes ? 1 : 0);
  }
  return packed;
}

Result<RecentCalls> RecentCalls::unpack(std::string_view packed) {
  RecentCalls calls;
  if (packed.empty()) return calls;
  store::BlobReader in(packed);
  const bool is_known = in.octet() == kCallsForm;
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    RecentCall call;
    call.at = from_epoch_ms(in.zigzag());
    call.id = in.text();
    call.type = in.text();
    call.events = in.varint();
    call.request = in.text();
    call.status = static_cast<int>(in.varint());
    call.answer = in.text();
    call.failure = in.text();
    call.took = Milliseconds(static_cast<std::int64_t>(in.varint()));
    call.has_codes = in.varint() != 0;
    calls.add(std::move(call));
  }
  if (!is_known || in.failed() || !in.at_end()) {
    return fail(ErrorKind::corrupt, "the latest calls of an endpoint cannot be read");
  }
  return calls;
}

std::string shown_text(std::string_view octets) {
  std::string shown;
  while (!octets.empty() && shown.size() < RecentCall::kShownMax) {
    const CodePoint next = decode_utf8(octets);
    const std::size_t length = next.octets == 0 ? 1 : next.octets;
    // A zero octet is no text for a database.
    const bool is_text = next.octets != 0 && next.value != 0;
    const std::string_view piece = is_text ? octets.substr(0, length) : kReplacementCharacter;
    if (shown.size() + piece.size() > RecentCall::kShownMax) break;
    shown.append(piece);
    octets.remove_prefix(length);
  }
  return shown;
}

}  // namespace todoku::events::webhooks
