// SPDX-License-Identifier: Apache-2.0
// Readers of events (store/event_readers.h).
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kMakeReader{"event readers: make",
                      "INSERT INTO event_readers(name, node, state) VALUES($1, 0, '')"
                      " ON CONFLICT DO NOTHING"};
// What is held is judged as it is then: of two that take it at once one finds the other's node.
const Sql kHoldReader{"event readers: hold",
                      "SELECT node FROM event_readers WHERE name = $1 FOR NO KEY UPDATE"};
const Sql kTakeReader{"event readers: take",
                      "UPDATE event_readers r SET node = $2 WHERE name = $1 AND NOT EXISTS (SELECT"
                      " 1 FROM nodes n WHERE n.key = r.node AND n.key <> $2 AND n.void = 0)"
                      " RETURNING state"};
const Sql kSaveReader{"event readers: save",
                      "UPDATE event_readers SET state = $3 WHERE name = $1 AND node = $2"};
const Sql kGiveReader{"event readers: give",
                      "UPDATE event_readers SET node = 0 WHERE name = $1 AND node = $2"};

}  // namespace

Result<std::string> Changes::take_event_reader(NodeKey node, std::string_view name) {
  const auto taken = session_.add(kMakeReader, Params() << name)
                         .add(kHoldReader, Params() << name)
                         .add(kTakeReader, Params() << name << node)
                         .fly();
  if (!taken) return fail(taken.error());
  if (taken->back().empty()) return reads_elsewhere();
  return std::string(taken->back().text(0, 0));
}

Result<void> Changes::save_event_reader(NodeKey node, std::string_view name,
                                        std::string_view state) {
  if (auto sound = check_reader_state(state); !sound) return sound;
  const auto saved = session_.ask(kSaveReader, Params() << name << node << Octets{state});
  if (!saved) return fail(saved.error());
  if (saved->changes() == 0) return reads_elsewhere();
  return {};
}

Result<void> Changes::give_event_reader(NodeKey node, std::string_view name) {
  const auto given = session_.ask(kGiveReader, Params() << name << node);
  if (!given) return fail(given.error());
  return {};
}

}  // namespace todoku::store::postgres
