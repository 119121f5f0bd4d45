// SPDX-License-Identifier: Apache-2.0
// What is stored before anything is measured, and the items that are handed over.
#pragma once

#include <cstdint>
#include <vector>

#include "link.h"
#include "store/work.h"

namespace todoku::pg_sketch {

inline constexpr std::int64_t kAccounts = 20;
inline constexpr store::NodeKey kNode{1};
inline constexpr store::NodeKey kDeadNode{2};    // void
inline constexpr store::NodeKey kLapsedNode{3};  // nobody has noticed yet
inline constexpr std::int64_t kBatchSize = 500;

// Of `expected` kind or the program ends.
void must(Link& link, const std::string& sql);

// The lease of kNode is longer than any run.
void store_accounts_and_nodes(Link& link);
// A delivery that is being sent. `first` and the `batches` numbers after it are its; the batches
// are held by kNode with token 1.
void store_held(Link& link, std::int64_t first, std::int64_t batches);
// The same free and due, with recipients. offer() makes them free again.
void store_claimable(Link& link, std::int64_t first, std::int64_t batches);
void offer(Link& link, std::int64_t first, std::int64_t batches);
void store_job(Link& link, std::int64_t delivery, std::int64_t job);
// Transactional batches of one recipient, due, over so many domains.
void store_due(Link& link, std::int64_t first, std::int64_t batches, std::int64_t domains);
// A bulk delivery with as much, in `sections` sections.
void store_bulk_due(Link& link, std::int64_t key, std::int64_t batches, std::int64_t domains,
                    std::int64_t sections);

std::vector<store::Accept> some_accepts(std::size_t count);
std::vector<store::NewRecipient> some_recipients(std::size_t count);
store::OutcomeRecord some_outcome(const store::RecipientKey& key);

}  // namespace todoku::pg_sketch
