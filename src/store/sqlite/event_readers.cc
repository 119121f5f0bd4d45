// SPDX-License-Identifier: Apache-2.0
// Readers of events (store/event_readers.h).
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

Result<std::string> SqliteWriteTransaction::take_event_reader(NodeKey node, std::string_view name) {
  auto done = db_.query(
                     "INSERT INTO event_readers(name, node, state) VALUES(?1, ?2, x'')"
                     " ON CONFLICT(name) DO UPDATE SET node = ?2 WHERE NOT EXISTS (SELECT 1"
                     " FROM nodes n WHERE n.key = event_readers.node AND n.key <> ?2"
                     " AND n.void = 0)")
                  .bind(name, node)
                  .run();
  if (!done) return fail(std::move(done.error()));
  if (db_.changes() == 0) return reads_elsewhere();
  auto query = db_.query("SELECT state FROM event_readers WHERE name = ?");
  query.bind(name);
  if (query.next()) return std::string(query.blob(0));
  return fail(query.failed() ? query.error() : Error{ErrorKind::corrupt, "a reader is gone"});
}

Result<void> SqliteWriteTransaction::save_event_reader(NodeKey node, std::string_view name,
                                                       std::string_view state) {
  if (auto sound = check_reader_state(state); !sound) return sound;
  auto done = db_.query("UPDATE event_readers SET state = ? WHERE name = ? AND node = ?")
                  .bind(Blob{state}, name, node)
                  .run();
  if (done && db_.changes() == 0) return reads_elsewhere();
  return done;
}

Result<void> SqliteWriteTransaction::give_event_reader(NodeKey node, std::string_view name) {
  return db_.query("UPDATE event_readers SET node = 0 WHERE name = ? AND node = ?")
      .bind(name, node)
      .run();
}

}  // namespace todoku::store::sqlite
