// SPDX-License-Identifier: Apache-2.0
// In what order the recipients of a batch take the turns that their delivery's pace gives it. Each
// batch is given a few at a time (mail/pace.h), and one that was tried and deferred is due again
// before most of the others have been begun: in the order of the list it would be first every time,
// and a batch whose first ones are deferred again and again would never come to the rest.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace todoku::delivery::policy {

// New ones and those that go again by turns; each kind in its own order, and what is left of one
// after the other has ended. `again_first`: whose turn is the first, which has to change from claim
// to claim: a slow pace gives one turn to each.
template <class Recipient, class GoesAgain>
void by_turns(std::vector<Recipient>& all, bool again_first, GoesAgain goes_again) {
  std::vector<Recipient> fresh;
  std::vector<Recipient> again;
  for (Recipient& each : all) (goes_again(each) ? again : fresh).push_back(std::move(each));
  all.clear();
  all.reserve(fresh.size() + again.size());
  std::vector<Recipient>& first = again_first ? again : fresh;
  std::vector<Recipient>& second = again_first ? fresh : again;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) all.push_back(std::move(first[i]));
    if (i < second.size()) all.push_back(std::move(second[i]));
  }
}

}  // namespace todoku::delivery::policy
