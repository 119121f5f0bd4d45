// SPDX-License-Identifier: Apache-2.0
// Before anything is measured: whether the merged operations answer as store/work.h says, each item
// for itself. Ends the program where they do not.
#pragma once

#include "ids.h"
#include "link.h"

namespace todoku::pg_sketch {

// How many flights a bad item among 64 costs, of those that had to be repeated in halves.
// `other` plays another node.
std::uint64_t try_answers(Link& link, Link& other, Ids& ids);

}  // namespace todoku::pg_sketch
