// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/read_ahead.h"

#include <cstdlib>
#include <utility>

#include "store/sqlite/keys.h"

namespace todoku::store::sqlite {
namespace {

// Of a few questions. More means that the disk does not keep up, and looks would only add to it.
constexpr std::size_t kLooksMax = 1'024;
// About as many short rows as share a page.
constexpr PublicId kNear = 32;

void tell_nobody(const Result<void>& /*result*/) {}

}  // namespace

ReadAhead::ReadAhead(std::vector<std::unique_ptr<Connection>> connections,
                     const LiveFigures& figures, AddressHash hash, const ForwardClock& clock)
    : pool_(std::move(connections), figures, hash, clock, {.queued_max = kLooksMax}) {}

void ReadAhead::batches(std::span<const std::int64_t> recipients) {
  for (const std::int64_t row : recipients) {
    pool_.submit(
        [row](SqliteReadTransaction& reader) -> Result<void> {
          const auto found = reader.queries().batch(batch_of(row));
          if (!found) return fail(found.error());
          return {};
        },
        tell_nobody);
  }
}

void ReadAhead::stories(AccountKey account, std::span<const PublicId> ids) {
  if (ids.empty()) return;
  PublicId last = ids.front();  // who reads it is there at once
  for (const PublicId id : ids.subspan(1)) {
    if (std::abs(id - last) < kNear) continue;
    last = id;
    pool_.submit(
        [account, id](SqliteReadTransaction& reader) -> Result<void> {
          const auto stories = reader.log_stories(account, std::span(&id, 1));
          if (!stories) return fail(stories.error());
          const auto opens = reader.opens_of(account, std::span(&id, 1));
          if (!opens) return fail(opens.error());
          return {};
        },
        tell_nobody);
  }
}

}  // namespace todoku::store::sqlite
