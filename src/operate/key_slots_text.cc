// SPDX-License-Identifier: Apache-2.0
// Key slots in words, and as they are stored:
//   1 ZONE asked ending fault fault_since WHERE
//   lost fault since WHERE              where there is one: versions before know no such line
//   slot stage since tried in_zone      for each slot, and after it
//   key algorithm SEALED RECORD         for each of its keys
// Words with a space between; those in capitals in base64, "-" where empty.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "doctor/reason_words.h"
#include "operate/key_slots.h"

namespace todoku::operate {
namespace {

constexpr std::string_view kNothing = "-";

struct FaultWords {
  SlotFault fault;
  std::string_view code;
  Sentence words;  // {}: where
};

constexpr std::array<FaultWords, 10> kFaults{{
    {SlotFault::none, "none", {"", ""}},
    {SlotFault::zone_unknown,
     "zone_unknown",
     {"the name servers of the platform's zone could not be found: {}",
      "プラットフォームのゾーンの DNS サーバーが見つかりません: {}"}},
    {SlotFault::zone_lacks,
     "zone_lacks",
     {"a name server of the platform's zone does not have the key: {}",
      "プラットフォームのゾーンの DNS サーバーに鍵がありません: {}"}},
    {SlotFault::zone_silent,
     "zone_silent",
     {"a name server of the platform's zone does not answer: {}",
      "プラットフォームのゾーンの DNS サーバーが応答しません: {}"}},
    {SlotFault::alias_missing,
     "alias_missing",
     {"a name server of the domain does not have the CNAME: {}",
      "ドメインの DNS サーバーに CNAME がありません: {}"}},
    {SlotFault::alias_silent,
     "alias_silent",
     {"a name server of the domain does not answer: {}",
      "ドメインの DNS サーバーが応答しません: {}"}},
    {SlotFault::alias_unknown,
     "alias_unknown",
     {"the name servers of the domain could not be found: {}",
      "ドメインの DNS サーバーが見つかりません: {}"}},
    {SlotFault::not_through,
     "not_through",
     {"by the CNAME a resolver gets something else than the key: {}",
      "CNAME の先で、リゾルバーが鍵を得られません: {}"}},
    {SlotFault::not_written,
     "not_written",
     {"the platform's zone could not be changed: {}",
      "プラットフォームのゾーンを更新できません: {}"}},
    {SlotFault::other_zone,
     "other_zone",
     {"dkim.platform_zone is not the zone that the CNAMEs lead into: {}",
      "dkim.platform_zone が、CNAME の参照先のゾーンと異なります: {}"}},
}};

std::string text_of(std::string_view value) {
  return value.empty() ? std::string(kNothing) : to_base64(value);
}

std::string time_of(const std::optional<Instant>& at) {
  return at ? fmt::format("{}", at->time_since_epoch().count()) : std::string(kNothing);
}

// Takes words off a line; once one is not what it has to be, all is lost.
class LineReader {
 public:
  explicit LineReader(std::string_view line) : line_(line) {}

  std::string_view word() {
    const std::string_view taken = line_.substr(0, line_.find(' '));
    line_.remove_prefix(std::min(line_.size(), taken.size() + 1));
    if (taken.empty()) good_ = false;
    return taken;
  }
  std::int64_t number(std::int64_t most) {
    const std::string_view text = word();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most) {
      good_ = false;
      return 0;
    }
    return value;
  }
  std::optional<Instant> time() {
    if (line_.substr(0, line_.find(' ')) == kNothing) {
      (void)word();
      return std::nullopt;
    }
    return Instant(Instant::duration(number(std::numeric_limits<std::int64_t>::max())));
  }
  std::string text() {
    const std::string_view given = word();
    if (given == kNothing) return {};
    auto octets = from_base64(given);
    if (!octets) good_ = false;
    return std::move(octets).value_or(std::string());
  }
  // Everything was there, and nothing more.
  [[nodiscard]] bool is_whole() const { return good_ && line_.empty(); }

 private:
  std::string_view line_;
  bool good_ = true;
};

bool read_head(std::string_view line, KeySlots& slots) {
  LineReader words(line);
  if (words.number(1) != 1) return false;
  slots.zone = words.text();
  slots.asked = words.number(1) == 1;
  slots.ending = words.number(1) == 1;
  slots.fault = static_cast<SlotFault>(words.number(static_cast<int>(SlotFault::other_zone)));
  slots.fault_since = words.time();
  slots.where = words.text();
  return words.is_whole();
}

bool read_lost(LineReader words, SlotTrouble& lost) {
  lost.fault = static_cast<SlotFault>(words.number(static_cast<int>(SlotFault::other_zone)));
  lost.since = words.time();
  lost.where = words.text();
  return words.is_whole() && lost.fault != SlotFault::none && lost.since;
}

bool read_slot(LineReader words, KeySlot& slot) {
  slot.stage = static_cast<SlotStage>(words.number(static_cast<int>(SlotStage::drained)));
  slot.since = words.time().value_or(Instant());
  slot.tried = words.time();
  slot.in_zone = words.number(1) == 1;
  return words.is_whole();
}

bool read_key(LineReader words, KeySlot& slot) {
  SlotKey key;
  key.algorithm = words.word();
  key.sealed_private_key = words.text();
  key.dns_record = words.text();
  slot.keys.push_back(std::move(key));
  return words.is_whole();
}

}  // namespace

std::string_view to_string(SlotStage stage) {
  switch (stage) {
    case SlotStage::free:
      return "free";
    case SlotStage::published:
      return "published";
    case SlotStage::settling:
      return "settling";
    case SlotStage::signing:
      return "signing";
    case SlotStage::leaving:
      return "leaving";
    case SlotStage::drained:
      return "drained";
  }
  return "free";
}

std::string_view to_string(SlotFault fault) {
  return kFaults[static_cast<std::size_t>(fault)].code;
}

std::string fault_words(SlotFault fault, std::string_view where, Language language) {
  const std::string_view words = kFaults[static_cast<std::size_t>(fault)].words.in(language);
  // A server or a name, or what a resolver has said.
  return fmt::format(fmt::runtime(words), language == Language::japanese
                                              ? doctor::reason_in_japanese(where)
                                              : std::string(where));
}

std::string pack_slots(const KeySlots& slots) {
  std::string packed = fmt::format(
      "1 {} {} {} {} {} {}\n", text_of(slots.zone), slots.asked ? 1 : 0, slots.ending ? 1 : 0,
      static_cast<int>(slots.fault), time_of(slots.fault_since), text_of(slots.where));
  if (const SlotTrouble& lost = slots.lost; lost.fault != SlotFault::none) {
    packed += fmt::format("lost {} {} {}\n", static_cast<int>(lost.fault), time_of(lost.since),
                          text_of(lost.where));
  }
  for (const KeySlot& slot : slots.slots) {
    packed += fmt::format("slot {} {} {} {}\n", static_cast<int>(slot.stage), time_of(slot.since),
                          time_of(slot.tried), slot.in_zone ? 1 : 0);
    for (const SlotKey& key : slot.keys) {
      packed += fmt::format("key {} {} {}\n", key.algorithm, text_of(key.sealed_private_key),
                            text_of(key.dns_record));
    }
  }
  return packed;
}

Result<KeySlots> unpack_slots(std::string_view packed) {
  KeySlots slots;
  const auto broken = [] {
    return fail(ErrorKind::corrupt, "what is stored of a domain's key slots cannot be read");
  };
  std::size_t lines = 0;
  std::size_t read = 0;  // slots
  while (!packed.empty()) {
    const std::string_view line = packed.substr(0, packed.find('\n'));
    packed.remove_prefix(std::min(packed.size(), line.size() + 1));
    if (++lines == 1) {
      if (!read_head(line, slots)) return broken();
      continue;
    }
    LineReader words(line);
    const std::string_view kind = words.word();
    if (kind == "lost" && read == 0) {
      if (!read_lost(words, slots.lost)) return broken();
    } else if (kind == "slot" && read < kSlots) {
      if (!read_slot(words, slots.slots[read++])) return broken();
    } else if (kind != "key" || read == 0 || !read_key(words, slots.slots[read - 1])) {
      return broken();
    }
  }
  if (read != kSlots) return broken();
  return slots;
}

}  // namespace todoku::operate
