// SPDX-License-Identifier: Apache-2.0
// For contrast: the same work as functions of a transaction would do it, row by row, on a link that
// waits for each statement (Link::set_singly). Accepting and claiming need no code of their own:
// there the merged form with one item is the same statements.
#pragma once

#include "ids.h"
#include "link.h"
#include "store/work.h"

namespace todoku::pg_sketch {

Result<void> settle_singly(Link& link, const store::Settle& item);
Result<void> stage_singly(Link& link, Ids& ids, const store::StageRows& item);
// Of `limit` domains, one after the other. How many batches it found.
Result<std::int64_t> due_singly(Link& link, std::int64_t limit);

}  // namespace todoku::pg_sketch
