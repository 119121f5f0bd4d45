// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/stop_filter.h"

#include <algorithm>
#include <utility>

namespace todoku::store::sqlite {
namespace {

constexpr std::int64_t kBitsOfEntry = 12;
constexpr std::int64_t kBitsOfLine = 512;
constexpr int kBitsSet = 6;  // of an entry's place
constexpr unsigned kBitShift = 9;
constexpr std::int64_t kGrowth = 4;
// Read at once: others wait for the filter while these are taken in.
constexpr std::int64_t kPage = 2'000;

// The finalizer of MurmurHash3: each bit of `place` changes half of these.
std::uint64_t mix(std::uint64_t value) {
  value ^= value >> 33U;
  value *= 0xFF51'AFD7'ED55'8CCDU;
  value ^= value >> 33U;
  value *= 0xC4CE'B9FE'1A85'EC53U;
  return value ^ (value >> 33U);
}

// Does it with the line and each bit of a place, until `with` says false.
template <class With>
bool each_bit(std::int64_t place, std::size_t lines, With with) {
  const std::uint64_t mixed = mix(static_cast<std::uint64_t>(place >> kStopSlotBits));
  const auto line = static_cast<std::size_t>(((mixed >> 32U) * lines) >> 32U);
  std::uint64_t bits = mix(mixed + 0x9E37'79B9'7F4A'7C15U);
  for (int i = 0; i < kBitsSet; ++i, bits >>= kBitShift) {
    const std::uint64_t bit = bits & (kBitsOfLine - 1);
    if (!with(line, static_cast<std::size_t>(bit >> 6U), 1ULL << (bit & 63U))) return false;
  }
  return true;
}

}  // namespace

StopFilter::Bits::Bits(std::int64_t most)
    : entries_max(most),
      lines(static_cast<std::size_t>((most * kBitsOfEntry + kBitsOfLine - 1) / kBitsOfLine)) {}

bool StopFilter::Bits::has(std::int64_t place) const {
  return each_bit(place, lines.size(),
                  [this](std::size_t line, std::size_t word, std::uint64_t bit) {
                    return (lines[line][word] & bit) != 0;
                  });
}

void StopFilter::Bits::add(std::int64_t place) {
  std::uint64_t fresh = 0;
  each_bit(place, lines.size(), [&](std::size_t line, std::size_t word, std::uint64_t bit) {
    fresh |= ~lines[line][word] & bit;
    lines[line][word] |= bit;
    return true;
  });
  if (fresh != 0) ++entries;
}

bool StopFilter::may_have(std::int64_t place) const {
  const std::lock_guard lock(mutex_);
  return !used_ || used_->has(place);
}

void StopFilter::add(std::int64_t place) {
  const std::lock_guard lock(mutex_);
  if (used_) used_->add(place);
  if (next_) next_->add(place);
}

bool StopFilter::crowded() const {
  const std::lock_guard lock(mutex_);
  return !used_ || (used_->entries > used_->entries_max && used_->entries_max < kEntriesMost);
}

void StopFilter::begin(std::int64_t entries) {
  auto bits = std::make_unique<Bits>(std::clamp(entries, kEntriesLeast, kEntriesMost));
  const std::lock_guard lock(mutex_);
  next_ = std::move(bits);
}

bool StopFilter::include(std::span<const std::int64_t> places) {
  const std::lock_guard lock(mutex_);
  if (!next_) return false;
  for (const std::int64_t place : places) next_->add(place);
  return next_->entries <= next_->entries_max / 2 || next_->entries_max == kEntriesMost;
}

void StopFilter::complete() {
  std::unique_ptr<Bits> old;  // freed outside
  const std::lock_guard lock(mutex_);
  old = std::exchange(used_, std::move(next_));
}

std::int64_t StopFilter::begun_for() const {
  const std::lock_guard lock(mutex_);
  return next_ ? next_->entries_max : 0;
}

// ---- making it ---------------------------------------------------------------------------------

Result<bool> StopFilterMaker::step() {
  if (filter_.begun_for() == 0) {
    if (!filter_.crowded()) return false;
    auto begun = begin(StopFilter::kEntriesLeast);
    if (!begun) return fail(std::move(begun.error()));
  }
  std::vector<std::int64_t> places;
  const auto last = read_page(places);
  if (!last) return fail(last.error());
  if (!filter_.include(places)) {
    auto begun = begin(filter_.begun_for() * kGrowth);
    if (!begun) return fail(std::move(begun.error()));
    return true;
  }
  if (*last) {
    filter_.complete();
    updated_ = -1;
    id_ = 0;
  }
  return true;
}

Result<void> StopFilterMaker::begin(std::int64_t entries) {
  updated_ = -1;
  id_ = 0;
  return write_([this, entries](Connection&) -> Result<void> {
    filter_.begin(entries);
    return {};
  });
}

// True: it is the last one.
Result<bool> StopFilterMaker::read_page(std::vector<std::int64_t>& places) {
  auto query = reader_.query(
      "SELECT id, updated FROM suppressions INDEXED BY suppressions_updated"
      " WHERE (updated, id) > (?1, ?2) ORDER BY updated, id LIMIT ?3");
  query.bind(updated_, id_, kPage);
  while (query.next()) {
    id_ = query.integer(0);
    updated_ = query.integer(1);
    places.push_back(id_);
  }
  if (query.failed()) return fail(query.error());
  return std::ssize(places) < kPage;
}

}  // namespace todoku::store::sqlite
