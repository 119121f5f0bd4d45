// SPDX-License-Identifier: Apache-2.0
// Whether a database can be a store, apart from its tables: its version, its encoding, what its
// user may do, whether it keeps what it has said to be committed.
#pragma once

#include "base/result.h"
#include "store/postgres/link.h"

namespace todoku::store::postgres {

// unsupported: too old, or of an encoding that is not UTF-8. unauthorized: the user has no schema.
[[nodiscard]] Result<void> check_database(Link& link);

// unauthorized: the user may not read and write every table that the schema makes, with what to do.
// Others that stand beside them, as somebody's backup, are not asked of.
[[nodiscard]] Result<void> check_rights(Link& link);

// unauthorized: it may not make tables.
[[nodiscard]] Result<void> check_right_to_migrate(Link& link);

// unsupported: what is committed may be lost. Warns of a server that is not safe from a crash of
// its machine.
[[nodiscard]] Result<void> check_durability(Link& link);

// Asked of each new connection: a server that was set up otherwise meanwhile, or has taken over.
extern const Sql kNewConnection;

// What that answered. unavailable: it only reads, or (`must_keep`) what is committed may be lost.
[[nodiscard]] Result<void> check_new(const Table& said, bool must_keep);

// The number of the server's history (link.h); 0 where the database does not tell, as those do
// whose nodes share their storage. unavailable: the connection is lost.
[[nodiscard]] Result<std::int64_t> ask_timeline(Link& link, Milliseconds most);

// unsupported: a store is being carried into it (carry_target.h), or was, and that is unfinished.
[[nodiscard]] Result<void> check_whole(Link& link);

// Everything that a store needs: these, and that the schema has every step (schema.h). `must_keep`:
// durability, too.
[[nodiscard]] Result<void> check_fit(Link& link, bool must_keep);

}  // namespace todoku::store::postgres
