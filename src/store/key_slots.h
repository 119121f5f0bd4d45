// SPDX-License-Identifier: Apache-2.0
// DKIM keys that rotate by themselves (operate/key_slots.h): a row for each domain of an account
// whose selectors are CNAMEs into the platform's zone, and one for that zone itself, which is
// nobody's. What stands in a row is opaque here.
//
// Any number of processes may move a row on: each change names the revision that it goes by, and of
// two that go by the same one only the first is made (a conditional update).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/domains.h"
#include "store/keys.h"

namespace todoku::store {

// Whose the row of a platform zone is. Its domain is the zone.
inline constexpr AccountKey kPlatform{0};

struct KeySlotsRow {
  AccountKey account{};
  std::string domain;           // A-labels, lower case
  std::int64_t revision = 0;    // 0: it is not stored yet
  std::optional<Instant> look;  // when something is to be done; nullopt: not before it is changed
  std::string state;
};
inline constexpr std::size_t kKeySlotsMax = std::size_t{64} * 1024;

[[nodiscard]] inline Result<void> check_sound(const KeySlotsRow& row) {
  if (row.state.size() <= kKeySlotsMax) return {};
  return fail(ErrorKind::invalid_input, "what is kept of a domain's key slots is too long");
}

class KeySlotsReads {
 public:
  virtual ~KeySlotsReads() = default;
  // In pages, by account and domain: those after `after`, at most `limit`. The platform's are
  // first.
  [[nodiscard]] virtual Result<std::vector<KeySlotsRow>> key_slots(const DomainPlace& after,
                                                                   std::int64_t limit) = 0;
  // nullopt: there is none.
  [[nodiscard]] virtual Result<std::optional<KeySlotsRow>> key_slots_of(
      AccountKey account, std::string_view domain) = 0;
  // Whose time has come, the longest due first.
  [[nodiscard]] virtual Result<std::vector<KeySlotsRow>> key_slots_due(std::int64_t limit) = 0;
};

class KeySlotsWrites {
 public:
  virtual ~KeySlotsWrites() = default;
  // In the place of what has row.revision, or as the first one where that is 0; its revision is one
  // more afterwards. False: what is stored has another revision, or is gone; nothing was done.
  // invalid_input: more than kKeySlotsMax.
  [[nodiscard]] virtual Result<bool> put_key_slots(const KeySlotsRow& row) = 0;
  // False: as above.
  [[nodiscard]] virtual Result<bool> remove_key_slots(const KeySlotsRow& row) = 0;
};

}  // namespace todoku::store
