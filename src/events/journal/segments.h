// SPDX-License-Identifier: Apache-2.0
// The files of a journal: journal-00000001.tdj and so on, each written by one process from its
// beginning to its end, and never again. Nobody else's files in the folder are touched. All block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "events/journal/format.h"

namespace todoku::events::journal {

// How far a journal goes; number 0: nothing is in it.
struct End {
  std::string store;
  std::uint64_t number = 0;
  std::int64_t place = 0;
  Instant written{};
  std::uint64_t ordinal = 0;  // of its last segment, whole or not
};

// Errors: io (the folder cannot be read). A folder that is not there holds nothing.
[[nodiscard]] Result<End> end_of(const std::filesystem::path& folder);

struct Reading {
  std::uint64_t records = 0;
  std::uint64_t missing = 0;  // numbers after `number` and up to the last read that no record has
  std::uint64_t torn = 0;     // octets behind the first of them that are not whole records
  bool ended = true;          // else `each` had enough, and there are more
};

// Every record of this store after `number`, by number; of one that was written twice the second
// comes after the first. `each`: false ends it before the next number. Files of which all is told
// are not read but for their heads. Errors: io, and those of `each`.
[[nodiscard]] Result<Reading> read(const std::filesystem::path& folder, std::string_view store,
                                   std::uint64_t number,
                                   const std::function<Result<bool>(const Record&)>& each);

// Removes files that were written to for the last time before that instant, by the folder's clock,
// but never the last one. How many. Errors: io (the folder cannot be read, or some cannot be
// removed; the others are).
Result<std::size_t> drop_older(const std::filesystem::path& folder, Instant before);

// One file. What append() has answered is on the disk.
class Segment {
 public:
  // In the place after `last_ordinal`, or after what is there by now; the folder is made if need
  // be. Errors: io, unavailable (no room); then there is no file.
  [[nodiscard]] static Result<Segment> begin(const std::filesystem::path& folder,
                                             const std::string& store, std::uint64_t last_ordinal);
  ~Segment();
  Segment(Segment&& other) noexcept;
  Segment& operator=(Segment&& other) noexcept;
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  // After an error nothing more is to be appended: what follows a record that is torn is not read.
  [[nodiscard]] Result<void> append(std::string_view octets);
  [[nodiscard]] std::size_t octets() const { return octets_; }
  [[nodiscard]] std::uint64_t ordinal() const { return ordinal_; }

 private:
  Segment(int file, std::uint64_t ordinal) : file_(file), ordinal_(ordinal) {}

  int file_ = -1;
  std::uint64_t ordinal_ = 0;
  std::size_t octets_ = 0;
};

}  // namespace todoku::events::journal
