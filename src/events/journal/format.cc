// SPDX-License-Identifier: Apache-2.0
#include "events/journal/format.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "store/codec.h"

namespace todoku::events::journal {
namespace {

using store::BlobReader;
using store::EventKind;

constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kCheckOctets = 8;
constexpr std::size_t kLengthOctets = 4;
// Apart from the kinds of events, which go to 127.
constexpr std::uint8_t kStopped = 200;
constexpr std::uint8_t kUnstopped = 201;

std::uint64_t number_in(std::string_view octets) {
  std::uint64_t number = 0;
  for (std::size_t i = octets.size(); i > 0; --i) {
    number = number << 8U | static_cast<std::uint8_t>(octets[i - 1]);
  }
  return number;
}

void put_number(std::string& out, std::uint64_t number, std::size_t octets) {
  for (std::size_t i = 0; i < octets; ++i) out.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t check_of(std::string_view payload) {
  const Sha256 digest = sha256(payload);
  return number_in({reinterpret_cast<const char*>(digest.data()), kCheckOctets});
}

std::string framed(std::string_view payload) {
  std::string frame;
  frame.reserve(kFrameHeadOctets + payload.size());
  put_number(frame, payload.size(), kLengthOctets);
  put_number(frame, check_of(payload), kCheckOctets);
  frame.append(payload);
  return frame;
}

// The payload, taken off the front; nullopt: it is not whole, and nothing is taken.
std::optional<std::string_view> take_frame(std::string_view& octets) {
  if (octets.size() < kFrameHeadOctets) return std::nullopt;
  const std::uint64_t size = number_in(octets.substr(0, kLengthOctets));
  if (size > kPayloadOctetsMax || size > octets.size() - kFrameHeadOctets) return std::nullopt;
  const std::string_view payload = octets.substr(kFrameHeadOctets, size);
  if (number_in(octets.substr(kLengthOctets, kCheckOctets)) != check_of(payload)) {
    return std::nullopt;
  }
  octets.remove_prefix(kFrameHeadOctets + size);
  return payload;
}

// Numbers of neighbours are near each other. Unsigned, because what is read may be anything.
class Near {
 public:
  std::int64_t from_last(std::int64_t number) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(number) -
                                     static_cast<std::uint64_t>(std::exchange(last_, number)));
  }
  std::int64_t after_last(std::int64_t difference) {
    last_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(last_) +
                                      static_cast<std::uint64_t>(difference));
    return last_;
  }

 private:
  std::int64_t last_ = 0;
};

// An instant that is read may be anything, too.
Instant instant_near(Instant written, std::int64_t ms) {
  constexpr std::int64_t kFar = std::int64_t{1} << 45U;
  return ms > -kFar && ms < kFar ? from_epoch_ms(to_epoch_ms(written) + ms) : Instant{};
}

class Packer {
 public:
  explicit Packer(const Record& record) : written_(to_epoch_ms(record.written)) {
    store::put_varint(out_, record.number);
    store::put_zigzag(out_, record.place);
    store::put_zigzag(out_, written_);
  }
  void operator()(const Ended& ended) {
    begin(static_cast<std::uint8_t>(ended.kind), ended.at);
    store::put_zigzag(out_, delivery_.from_last(static_cast<std::int64_t>(ended.key.delivery)));
    store::put_zigzag(out_, batch_.from_last(ended.key.batch));
    store::put_zigzag(out_, seq_.from_last(ended.key.seq));
    store::put_varint(out_, ended.code);
    put_number(out_, ended.address_hash, sizeof ended.address_hash);
  }
  void operator()(const Steered& steered) {
    begin(static_cast<std::uint8_t>(steered.kind), steered.at);
    store::put_zigzag(out_, delivery_.from_last(static_cast<std::int64_t>(steered.delivery)));
    if (steered.kind != EventKind::delivery_started) return;
    store::put_text(out_, steered.signing);
    put_instant(steered.expires);
  }
  void operator()(const Stopped& stop) {
    begin(kStopped, stop.at);
    store::put_zigzag(out_, static_cast<std::int64_t>(stop.account));
    store::put_text(out_, stop.subject);
    out_.push_back(static_cast<char>(stop.reason));
    out_.push_back(static_cast<char>(stop.scope));
    store::put_text(out_, stop.list_id);
    store::put_text(out_, stop.note);
    store::put_varint(out_, static_cast<std::uint64_t>(stop.code));
    put_instant(stop.expires);
  }
  void operator()(const Unstopped& unstop) {
    begin(kUnstopped, unstop.at);
    store::put_zigzag(out_, static_cast<std::int64_t>(unstop.account));
    store::put_text(out_, unstop.subject);
    out_.push_back(static_cast<char>(unstop.reason));
    store::put_text(out_, unstop.list_id);
  }
  [[nodiscard]] const std::string& payload() const { return out_; }

 private:
  void put_instant(const std::optional<Instant>& at) {
    store::put_zigzag(out_, at ? to_epoch_ms(*at) : 0);
  }
  void begin(std::uint8_t kind, Instant at) {
    out_.push_back(static_cast<char>(kind));
    store::put_zigzag(out_, to_epoch_ms(at) - written_);
  }

  const std::int64_t written_;
  std::string out_;
  Near delivery_;
  Near batch_;
  Near seq_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view payload) : in_(payload) {}

  std::optional<Record> record() {
    Record record;
    record.number = in_.varint();
    record.place = in_.zigzag();
    const std::int64_t written = in_.zigzag();
    record.written = instant_near(Instant{}, written);
    if (to_epoch_ms(record.written) != written) return std::nullopt;
    while (!in_.at_end() && !in_.failed()) {
      auto entry = next(record.written);
      if (!entry) return std::nullopt;
      record.entries.push_back(std::move(*entry));
    }
    if (in_.failed()) return std::nullopt;
    return record;
  }

 private:
  std::optional<Entry> next(Instant written) {
    const std::uint8_t kind = in_.octet();
    const Instant at = instant_near(written, in_.zigzag());
    if (kind == kStopped) return stopped(at);
    if (kind == kUnstopped) return unstopped(at);
    const auto event = store::event_kind(kind);
    if (!event || (!is_ended(*event) && !is_steered(*event))) return std::nullopt;
    const store::DeliveryKey delivery{delivery_.after_last(in_.zigzag())};
    if (is_steered(*event)) return steered(*event, at, delivery);
    Ended ended{.kind = *event, .at = at, .key = {.delivery = delivery}};
    const std::int64_t batch = batch_.after_last(in_.zigzag());
    const std::int64_t seq = seq_.after_last(in_.zigzag());
    const std::uint64_t code = in_.varint();
    if (!std::in_range<std::uint32_t>(batch) || !std::in_range<std::uint32_t>(seq) ||
        !std::in_range<std::uint16_t>(code)) {
      return std::nullopt;
    }
    ended.key.batch = static_cast<std::uint32_t>(batch);
    ended.key.seq = static_cast<std::uint32_t>(seq);
    ended.code = static_cast<std::uint16_t>(code);
    ended.address_hash = number_in(in_.octets(sizeof ended.address_hash));
    return ended;
  }

  std::optional<Entry> steered(EventKind kind, Instant at, store::DeliveryKey delivery) {
    Steered steered{.kind = kind, .at = at, .delivery = delivery};
    if (kind != EventKind::delivery_started) return steered;
    steered.signing = in_.text();
    if (!read_instant(steered.expires)) return std::nullopt;
    return steered;
  }

  // False: it is none.
  bool read_instant(std::optional<Instant>& instant) {
    const std::int64_t ms = in_.zigzag();
    if (ms != 0) instant = instant_near(Instant{}, ms);
    return !instant || to_epoch_ms(*instant) == ms;
  }

  std::optional<Entry> stopped(Instant at) {
    Stopped stop{.at = at, .account = store::AccountKey{in_.zigzag()}};
    stop.subject = in_.text();
    const std::uint8_t reason = in_.octet();
    const std::uint8_t scope = in_.octet();
    stop.list_id = in_.text();
    stop.note = in_.text();
    const std::uint64_t code = in_.varint();
    if (!read_instant(stop.expires)) return std::nullopt;
    if (!is_reason(reason) || scope < 1 || scope > 3 || code > 999) return std::nullopt;
    stop.reason = static_cast<StopReason>(reason);
    stop.scope = static_cast<StopScope>(scope);
    stop.code = static_cast<int>(code);
    return stop;
  }

  std::optional<Entry> unstopped(Instant at) {
    Unstopped unstop{.at = at, .account = store::AccountKey{in_.zigzag()}};
    unstop.subject = in_.text();
    const std::uint8_t reason = in_.octet();
    unstop.list_id = in_.text();
    if (!is_reason(reason)) return std::nullopt;
    unstop.reason = static_cast<StopReason>(reason);
    return unstop;
  }

  static bool is_reason(std::uint8_t number) { return number >= 1 && number <= kStopReasons; }

  BlobReader in_;
  Near delivery_;
  Near batch_;
  Near seq_;
};

}  // namespace

bool is_ended(EventKind kind) {
  switch (kind) {
    case EventKind::sent:
    case EventKind::hard_error:
    case EventKind::soft_error:
    case EventKind::dropped:
    case EventKind::expired:
    case EventKind::cancelled:
    case EventKind::unknown:
      return true;
    default:
      return false;
  }
}

bool is_steered(EventKind kind) {
  switch (kind) {
    case EventKind::delivery_started:
    case EventKind::delivery_paused:
    case EventKind::delivery_resumed:
    case EventKind::delivery_stopped:
    case EventKind::delivery_failed:
      return true;
    default:
      return false;
  }
}

std::uint64_t hash_of(std::string_view address) {
  return std::max<std::uint64_t>(check_of(address), 1);
}

std::string pack(const Header& header) {
  std::string payload;
  store::put_varint(payload, kFormat);
  store::put_text(payload, header.store);
  store::put_varint(payload, header.ordinal);
  return std::string(kMagic) + framed(payload);
}

std::string pack(const Record& record) {
  std::string frames;
  std::optional<Packer> packer(record);
  for (const Entry& entry : record.entries) {
    if (packer->payload().size() >= kPayloadOctetsFull) {
      frames += framed(packer->payload());
      packer.emplace(record);
    }
    std::visit(*packer, entry);
  }
  return frames + framed(packer->payload());
}

Result<SegmentReader> SegmentReader::of(std::string_view octets) {
  if (!octets.starts_with(kMagic)) return fail(ErrorKind::corrupt, "it is no file of a journal");
  octets.remove_prefix(kMagic.size());
  const auto payload = take_frame(octets);
  if (!payload) return fail(ErrorKind::corrupt, "the head of a file of the journal is damaged");
  BlobReader in(*payload);
  const std::uint64_t format = in.varint();
  Header header{.store = std::string(in.text()), .ordinal = in.varint()};
  if (in.failed() || !in.at_end() || format != kFormat) {
    return fail(ErrorKind::corrupt, "a file of the journal has a form that is not known here");
  }
  return SegmentReader(std::move(header), octets);
}

std::optional<Record> SegmentReader::next() {
  std::string_view rest = rest_;
  const auto payload = take_frame(rest);
  if (!payload) return std::nullopt;
  auto record = Unpacker(*payload).record();
  if (record) rest_ = rest;
  return record;
}

}  // namespace todoku::events::journal
