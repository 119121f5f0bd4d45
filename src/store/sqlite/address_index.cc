// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/address_index.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/digest.h"
#include "store/records.h"
#include "store/sqlite/keys.h"

namespace todoku::store::sqlite {
namespace {

std::uint64_t big_endian(std::string_view octets) {
  std::uint64_t value = 0;
  std::memcpy(&value, octets.data(), sizeof value);
  return std::byteswap(value);
}

// Recipients without a run that one question looks through: some milliseconds.
constexpr std::int64_t kTailRowsMax = 16'384;

struct Run {
  std::int64_t id = 0;
  std::int64_t chunks = 0;
};

// Reads chunk after chunk of one run, keeping the one it has.
class RunReader {
 public:
  RunReader(Connection& db, Run run) : db_(db), run_(run) {}

  [[nodiscard]] Result<std::string_view> chunk(std::int64_t index) {
    if (index == index_) return chunk_;
    auto query = db_.query("SELECT entries FROM address_chunks WHERE id = ?");
    query.bind((run_.id << kChunkBits) | index);
    if (query.next()) chunk_ = query.blob(0);
    if (query.failed()) return fail(query.error());
    if (chunk_.empty() || chunk_.size() % kEntryOctets != 0) {
      return fail(ErrorKind::corrupt, "the index of addresses is damaged");
    }
    index_ = index;
    return chunk_;
  }

  // The last chunk that may hold entries below `bound`: the last one that begins below it, else -1.
  [[nodiscard]] Result<std::int64_t> last_chunk_below(const AddressEntry& bound) {
    // Hashes are uniform, so a chunk is near its proportional place; and the nearer to one that is
    // known, the less is it off. After a few guesses what is left is halved.
    constexpr int kGuesses = 4;
    std::int64_t low = -1;            // begins below the bound
    std::int64_t high = run_.chunks;  // every chunk from here on begins at or above it
    std::int64_t guess = chunks_between(0, bound.hash);
    for (int probes = 1; high - low > 1; ++probes) {
      const std::int64_t probe = std::clamp(guess, low + 1, high - 1);
      const auto octets = chunk(probe);
      if (!octets) return fail(octets.error());
      const AddressEntry first = entry_at(*octets, 0);
      if (first < bound) {
        low = probe;
        // The next chunk begins above the last entry.
        if (bound <= entry_at(*octets, octets->size() / kEntryOctets - 1)) break;
      } else {
        high = probe;
      }
      guess = probes < kGuesses ? probe + chunks_between(first.hash, bound.hash)
                                : low + (high - low) / 2;
    }
    return low;
  }

 private:
  // How many chunks lie between two hashes, rounded down, if they are as uniform as they should be.
  [[nodiscard]] std::int64_t chunks_between(std::uint64_t from, std::uint64_t to) const {
    __extension__ using Wide = __int128;
    return static_cast<std::int64_t>(
        ((static_cast<Wide>(to) - static_cast<Wide>(from)) * static_cast<Wide>(run_.chunks)) >>
        64U);
  }

  Connection& db_;
  Run run_;
  std::int64_t index_ = -1;
  std::string chunk_;
};

// Entries are sorted by hash and then by recipient, so the newest of a hash are its last: found
// from the end of its entries backwards.
Result<void> find_in_run(Connection& db, const Run& run, const AddressEntry& first,
                         std::int64_t below, std::size_t most, std::vector<std::int64_t>& found) {
  RunReader reader(db, run);
  auto index = reader.last_chunk_below({first.hash, below});
  if (!index) return fail(index.error());
  std::size_t taken = 0;
  for (; *index >= 0; --*index) {
    const auto octets = reader.chunk(*index);
    if (!octets) return fail(octets.error());
    for (std::size_t i = octets->size() / kEntryOctets; i-- > 0;) {
      const AddressEntry entry = entry_at(*octets, i);
      if (entry < first) return {};
      if (entry.hash != first.hash || entry.recipient >= below) continue;
      found.push_back(entry.recipient);
      if (++taken == most) return {};
    }
  }
  return {};
}

// What is looked for: by its hash in the runs, by itself among those that no run has yet.
struct Sought {
  std::uint64_t hash = 0;
  std::string_view address;  // empty: `mark` is
  const Mark* mark = nullptr;

  [[nodiscard]] bool is_it(std::string_view stored) const {
    if (mark != nullptr) return !stored.empty() && has_mark(attached_in(stored), *mark);
    // Either the whole address, or what is left of it without the domain of its batch.
    return equals_ignoring_case(stored, address) ||
           equals_ignoring_case(stored, address.substr(0, address.rfind('@') + 1));
  }
};

// Recipients in [`first`, `below`) that no run has yet, newest first. Returns down to which it has
// looked.
Result<std::int64_t> find_in_tail(Connection& db, const Sought& sought, std::int64_t below,
                                  std::size_t most, std::vector<std::int64_t>& found) {
  const auto indexed = db.integer("SELECT value FROM meta WHERE name = 'address_indexed'");
  if (!indexed) return indexed;
  auto query = sought.mark == nullptr
                   ? db.query(
                         "SELECT id, address FROM recipients WHERE id > ? AND id < ?"
                         " ORDER BY id DESC LIMIT ?")
                   : db.query(
                         "SELECT id, codes FROM recipients WHERE id > ? AND id < ?"
                         " ORDER BY id DESC LIMIT ?");
  query.bind(*indexed, below, kTailRowsMax);
  std::int64_t looked = 0;
  std::size_t taken = 0;
  while (query.next()) {
    if (sought.is_it(sought.mark == nullptr ? query.text(1) : query.blob(1))) {
      found.push_back(query.integer(0));
      ++taken;
    }
    if (++looked == kTailRowsMax || taken == most) return query.integer(0);
  }
  if (query.failed()) return fail(query.error());
  return 0;  // everything that no run has was looked at
}

}  // namespace

Result<AddressHash> load_address_hash(Connection& db) {
  auto query = db.query("SELECT value FROM meta WHERE name = 'address_secret'");
  if (query.next()) {
    if (const auto hash = AddressHash::from_secret(query.blob(0))) return *hash;
  }
  if (query.failed()) return fail(query.error());
  return fail(ErrorKind::corrupt, "the database has lost the secret of its address index");
}

AddressEntry entry_at(std::string_view chunk, std::size_t index) {
  const std::string_view octets = chunk.substr(index * kEntryOctets, kEntryOctets);
  return {big_endian(octets), static_cast<std::int64_t>(big_endian(octets.substr(8)))};
}

void put_entry(std::string& chunk, const AddressEntry& entry) {
  const std::uint64_t hash = std::byteswap(entry.hash);
  const std::uint64_t recipient = std::byteswap(static_cast<std::uint64_t>(entry.recipient));
  chunk.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  chunk.append(reinterpret_cast<const char*>(&recipient), sizeof recipient);
}

namespace {

Result<AddressMatches> find(Connection& db, const Sought& sought, std::int64_t below,
                            std::size_t most) {
  const std::uint64_t wanted = sought.hash;
  AddressMatches matches;
  std::vector<std::int64_t>& found = matches.rows;
  const auto tail_from = find_in_tail(db, sought, below, most, found);
  if (!tail_from) return fail(tail_from.error());
  std::vector<Run> runs;
  auto live = db.query("SELECT id, chunks FROM address_runs WHERE state = 2");
  while (live.next()) runs.push_back({live.integer(0), live.integer(1)});
  if (live.failed()) return fail(live.error());
  for (const Run& run : runs) {
    auto done = find_in_run(db, run, {wanted, *tail_from}, below, most, found);
    if (!done) return fail(std::move(done.error()));
  }
  auto recent = db.query(
      "SELECT recipient FROM address_recent WHERE hash = ? AND recipient >= ? AND recipient < ?"
      " ORDER BY recipient DESC LIMIT ?");
  recent.bind(std::bit_cast<std::int64_t>(wanted), *tail_from, below, most);
  while (recent.next()) found.push_back(recent.integer(0));
  if (recent.failed()) return fail(recent.error());

  std::ranges::sort(found, std::greater());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.size() >= most) {
    found.resize(most);
    matches.next = found.back();
  } else if (*tail_from > 0) {
    matches.next = *tail_from;
  }
  return matches;
}

}  // namespace

Result<AddressMatches> find_address(Connection& db, const AddressHash& hash,
                                    std::string_view address, std::int64_t below,
                                    std::size_t most) {
  return find(db, {.hash = hash(address), .address = address}, below, most);
}

Result<AddressMatches> find_mark(Connection& db, const AddressHash& hash, const Mark& mark,
                                 std::int64_t below, std::size_t most) {
  return find(db, {.hash = hash_of(hash, mark), .mark = &mark}, below, most);
}

}  // namespace todoku::store::sqlite
