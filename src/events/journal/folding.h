// SPDX-License-Identifier: Apache-2.0
// What the journal knows becomes so in a store that was restored from an older copy: who has his
// mail is not sent it again, who opted out gets none, what was stopped or paused is. Nobody works
// on the store meanwhile. May be broken off and begun anew: what is so already changes nothing.
//
//   entry           in the store
//   outcome         becomes the recipient's state, if it is open and its address is the one meant
//   start           a delivery that was to start is started, as it was; a draft stays one, but is
//                   told of: some of its recipients may have mail
//   pause, resume, stop, failure of a delivery   becomes its course
//   opt-out and the like, and its removal        becomes an entry, or none
//
// What is not in the store any more (accepted after the copy was made) is counted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "events/journal/segments.h"
#include "store/store.h"

namespace todoku::events::journal {

struct Folded {
  std::uint64_t records = 0;
  std::uint64_t missing = 0;      // records that the folder does not have
  std::uint64_t torn = 0;         // octets of it that are not whole records
  std::int64_t outcomes = 0;      // that changed a recipient
  std::int64_t known = 0;         // that the store had already
  std::int64_t elsewhere = 0;     // of recipients that are not in this copy
  std::int64_t steered = 0;       // deliveries started, paused, resumed, stopped or failed
  std::int64_t unfinished = 0;    // begun after the copy, and drafts in it
  std::int64_t stops = 0;         // entries of suppression lists
  std::int64_t removals = 0;      // likewise
  std::int64_t refused = 0;       // of these, what the store would not take
  std::uint64_t last_number = 0;  // of what was folded
  Instant written{};              // when that was
  bool ended = false;             // that was the last record of all
  friend bool operator==(const Folded&, const Folded&) = default;
};

// Records after `number`, until `enough` has passed since the first was found or up to the end; of
// one that was written twice both. Errors: those of the store
// and of read(); what was folded stays so. Blocks: not to be called on a thread that others wait
// for.
struct FoldOrder {
  std::filesystem::path folder;
  std::string store;  // whose journal
  std::uint64_t number = 0;
  Milliseconds enough{};
};
[[nodiscard]] Result<Folded> fold(store::Store& store, const FoldOrder& order);

}  // namespace todoku::events::journal
