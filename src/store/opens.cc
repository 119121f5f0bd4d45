// SPDX-License-Identifier: Apache-2.0
#include "store/opens.h"

#include <algorithm>

#include "store/store.h"

namespace todoku::store {

Result<void> add_opens(ReadTransaction& transaction, AccountKey account, std::span<Story> stories) {
  if (stories.empty()) return {};
  std::vector<PublicId> ids;
  std::ranges::transform(stories, std::back_inserter(ids), &Story::email_id);
  const auto opens = transaction.opens_of(account, ids);
  if (!opens) return fail(opens.error());
  for (const OpenRecord& open : *opens) {
    const auto story = std::ranges::find(stories, open.id, &Story::email_id);
    if (story == stories.end()) continue;
    story->opened = open.opened;
    story->complained = open.complained;
  }
  return {};
}

}  // namespace todoku::store
