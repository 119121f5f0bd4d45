// SPDX-License-Identifier: Apache-2.0
// The hot operations (store/work.h), those of a kind merged into one flight, each answered for
// itself. What fails as a whole has changed nothing: in_halves() repeats it in halves. Items have
// passed store::check_sound().
#pragma once

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ids.h"
#include "link.h"
#include "store/work.h"

namespace todoku::pg_sketch {

template <class Op>
using Items = std::span<const Op* const>;
template <class Op>
using Answers = std::vector<Result<typename Op::Answer>>;

// One flight (and one more, now and then, for ids). Contents stay with the items: who owns them
// moves them into the answers.
Result<Answers<store::Accept>> accept(Link& link, Ids& ids, Items<store::Accept> items);
// Two: the first locks the batches and reads, the second writes.
Result<Answers<store::Settle>> settle(Link& link, Items<store::Settle> items);
// One (and one more if a batch turns out to have nobody who is due: it is given back).
Result<Answers<store::Claim>> claim(Link& link, Items<store::Claim> items);
// One, with arrays.
Result<Answers<store::StageRows>> stage(Link& link, Ids& ids, Items<store::StageRows> items);
// Three waits: a flight, COPY's answer, and the end of what is copied.
Result<Answers<store::StageRows>> stage_by_copy(Link& link, Ids& ids,
                                                Items<store::StageRows> items);
// One statement.
Result<store::DueDomains> due(Link& link, const store::Due& due);

template <class Op, class Run>
Answers<Op> in_halves(Items<Op> items, const Run& run) {
  Result<Answers<Op>> answers = run(items);
  if (answers) return std::move(*answers);
  if (items.size() == 1) {
    Answers<Op> refused;
    refused.push_back(fail(answers.error()));
    return refused;
  }
  Answers<Op> all = in_halves<Op>(items.first(items.size() / 2), run);
  Answers<Op> rest = in_halves<Op>(items.subspan(items.size() / 2), run);
  std::ranges::move(rest, std::back_inserter(all));
  return all;
}

// Rows that several operations write.
std::string pack_codes(const std::vector<InsertCode>& codes);
std::vector<InsertCode> unpack_codes(std::string_view packed);

}  // namespace todoku::pg_sketch
