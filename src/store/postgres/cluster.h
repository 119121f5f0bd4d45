// SPDX-License-Identifier: Apache-2.0
// What nodes that are known to have stopped give up (cluster.cc): statements that their ends, in
// writes_nodes.cc, are made of. Their parameter: the nodes.
#pragma once

#include "store/postgres/link.h"

namespace todoku::store::postgres {

extern const Sql kStopLeading;
extern const Sql kGiveSources;

}  // namespace todoku::store::postgres
