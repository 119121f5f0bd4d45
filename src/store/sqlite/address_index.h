// SPDX-License-Identifier: Apache-2.0
// Look-up of recipients by address without a random index on ten million rows.
//
// Every address has a 64-bit keyed hash of its lower-case form, and so has what else recipients are
// found by (store/marks.h): entries of both lie in the same runs, and nothing below tells them
// apart.
// Sorted runs of (hash, recipient)
// are made in the background from what was appended since the last run, and merged into larger
// ones, so every write is sequential and accepting mail pays nothing. A look-up asks each run by
// interpolation (hashes are uniform) and reads the newest recipients, which no run has yet, one by
// one. Entries may be stale: whoever looks up compares the address itself.
//
//   address_runs    one row per run: its level, its state (1 building, 2 live, 3 dead), its size
//   address_chunks  id = run << 24 | n: the n-th page-sized piece of a run's sorted entries
//                   entry = 8 octets hash, 8 octets recipient, both big-endian
//   address_recent  recipients that got an address after their batch was passed by: filled in
//                   later, or changed
//   meta            'address_indexed': recipients up to this row id are in runs (or recent)
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/address_hash.h"
#include "store/marks.h"
#include "store/sqlite/connection.h"

namespace todoku::store::sqlite {

// Reads the installation's secret.
[[nodiscard]] Result<AddressHash> load_address_hash(Connection& db);

inline constexpr std::int64_t kRunBuilding = 1;
inline constexpr std::int64_t kRunLive = 2;
inline constexpr std::int64_t kRunDead = 3;
// A chunk fills one page of the table and leaves no overflow.
inline constexpr std::size_t kEntryOctets = 16;
inline constexpr std::int64_t kChunkEntries = 250;
inline constexpr unsigned kChunkBits = 24;

struct AddressEntry {
  std::uint64_t hash = 0;
  std::int64_t recipient = 0;
  friend auto operator<=>(const AddressEntry&, const AddressEntry&) = default;
};

[[nodiscard]] AddressEntry entry_at(std::string_view chunk, std::size_t index);
void put_entry(std::string& chunk, const AddressEntry& entry);

// Recipients that may have an address, newest first.
struct AddressMatches {
  std::vector<std::int64_t> rows;    // row ids, without repeats
  std::optional<std::int64_t> next;  // there may be more below this row id
};

// Of the recipients below row id `below` the newest `most` at most; fewer where it has looked long
// enough through recipients that no run has yet.
[[nodiscard]] Result<AddressMatches> find_address(Connection& db, const AddressHash& hash,
                                                  std::string_view address, std::int64_t below,
                                                  std::size_t most);
// The same of those that have a mark.
[[nodiscard]] Result<AddressMatches> find_mark(Connection& db, const AddressHash& hash,
                                               const Mark& mark, std::int64_t below,
                                               std::size_t most);

}  // namespace todoku::store::sqlite
