// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/reading_place.h"

#include "store/codec.h"

namespace todoku::events::webhooks {
namespace {

void put(std::string& out, const store::EventPlace& place) {
  store::put_varint(out, place.generation);
  store::put_varint(out, place.commit);
  store::put_varint(out, place.entry);
}

store::EventPlace take(store::BlobReader& in) {
  store::EventPlace place;
  place.generation = in.varint();
  place.commit = in.varint();
  place.entry = static_cast<std::uint32_t>(in.varint());
  return place;
}

}  // namespace

std::string pack(const ReadingPlace& place) {
  std::string packed;
  store::put_varint(packed, place.replays.size());
  for (const Replay& replay : place.replays) {
    packed.push_back(replay.delivery ? '\1' : '\0');
    if (replay.delivery) {
      store::put_zigzag(packed, static_cast<std::int64_t>(*replay.delivery));
    }
    put(packed, replay.after);
    put(packed, replay.until);
  }
  store::put_varint(packed, place.orders);
  put(packed, place.after);
  return packed;
}

Result<ReadingPlace> unpack_reading_place(std::string_view packed) {
  ReadingPlace place;
  if (packed.empty()) return place;
  store::BlobReader in(packed);
  const std::uint64_t replays = in.varint();
  for (std::uint64_t i = 0; i < replays && !in.failed(); ++i) {
    Replay replay;
    if (in.octet() != 0) replay.delivery = store::DeliveryKey{in.zigzag()};
    replay.after = take(in);
    replay.until = take(in);
    place.replays.push_back(replay);
  }
  place.orders = in.varint();
  place.after = take(in);
  if (in.failed() || !in.at_end()) {
    return fail(ErrorKind::corrupt, "how far an endpoint has read cannot be read");
  }
  return place;
}

}  // namespace todoku::events::webhooks
