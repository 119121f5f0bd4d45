// SPDX-License-Identifier: Apache-2.0
// Who is surely on no suppression list, told from memory: a Bloom filter of the row ids of
// `suppressions` (suppressions.cc), a line of the processor's cache for each of them (Putze et al.,
// "Cache-, Hash- and Space-Efficient Bloom Filters", 2009). Asking a table of ten million entries
// costs more than all else that a claim does for a mail; nearly everybody is on no list.
//
// It is made from the table when the store is opened, on a thread of its own, and made anew when it
// is crowded; until it is there everybody may be on a list. Twelve bits an entry: one in a hundred
// is looked for in vain. What was removed stays in it until it is made anew.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace todoku::store::sqlite {

// The low bits of a row id tell entries of one subject apart.
inline constexpr unsigned kStopSlotBits = 8;

// May be asked by any thread. `place`: the row id of any entry of a subject.
class StopFilter {
 public:
  static constexpr std::int64_t kEntriesLeast = 1 << 15;  // 48 KiB
  static constexpr std::int64_t kEntriesMost = 1 << 26;   // 96 MiB; more make it less sharp

  // False: its subject has no entry.
  [[nodiscard]] bool may_have(std::int64_t place) const;
  // By the writer, before it writes an entry. One of a commit that fails after all does no harm.
  void add(std::int64_t place);

  // The one in use has had more entries than it is made for, or there is none.
  [[nodiscard]] bool crowded() const;
  // From here on what is added goes into the next one, too, which is made for so many.
  // By the writer between commits: so what `include` is given afterwards completes it.
  void begin(std::int64_t entries);
  // False: the next one would be crowded soon; it is to be begun anew, larger.
  [[nodiscard]] bool include(std::span<const std::int64_t> places);
  // All is in it that was there when it was begun: it is the one in use.
  void complete();
  // What the next one is made for; 0: none was begun.
  [[nodiscard]] std::int64_t begun_for() const;

 private:
  using Line = std::array<std::uint64_t, 8>;
  struct Bits {
    explicit Bits(std::int64_t entries);
    [[nodiscard]] bool has(std::int64_t place) const;
    void add(std::int64_t place);

    std::int64_t entries_max;
    std::int64_t entries = 0;  // that set a bit; of one place only the first does
    std::vector<Line> lines;
  };

  mutable std::mutex mutex_;
  std::unique_ptr<Bits> used_;
  std::unique_ptr<Bits> next_;
};

// Makes a filter of what the table has, when it is crowded.
class StopFilterMaker {
 public:
  // Runs a change in a transaction of the writer and waits for its commit.
  using Change = std::function<Result<void>(Connection&)>;
  using Write = std::function<Result<void>(Change)>;

  // `reader` and `filter` must outlive it; the first belongs to its thread.
  StopFilterMaker(Connection& reader, StopFilter& filter, Write write)
      : reader_(reader), filter_(filter), write_(std::move(write)) {}

  // Reads a page towards a new one. False when nothing is to be done.
  [[nodiscard]] Result<bool> step();

 private:
  [[nodiscard]] Result<bool> read_page(std::vector<std::int64_t>& places);
  [[nodiscard]] Result<void> begin(std::int64_t entries);

  Connection& reader_;
  StopFilter& filter_;
  Write write_;
  // Of the last entry that was read; entries that change meanwhile are the writer's to add.
  std::int64_t updated_ = -1;
  std::int64_t id_ = 0;
};

}  // namespace todoku::store::sqlite
