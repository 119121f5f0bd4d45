// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/fate.h"

#include <cstring>
#include <string>

#include "base/digest.h"
#include "base/safeguard.h"

namespace todoku::store::postgres {
namespace {

// For this transaction only. What its holder leaves behind when it is stopped in the middle must
// not hold locks for ever. A COMMIT is not ended by either.
const Sql kLimits{"begin: limits",
                  "SELECT set_config('statement_timeout', $1, true),"
                  " set_config('lock_timeout', $2, true),"
                  " set_config('idle_in_transaction_session_timeout', '10s', true),"
                  " set_config('jit', 'off', true)"};
const Sql kTakeOff{"begin: token", "INSERT INTO flights VALUES($2, " STORE_NOW ", 0) RETURNING at"};
// Who gives up waiting must not leave a session behind that goes on.
const Sql kFenceLimit{"fate: limit", "SELECT set_config('statement_timeout', $1, true)"};
const Sql kFence{"fate: fence",
                 "INSERT INTO flights VALUES($2, " STORE_NOW ", 1) ON CONFLICT DO NOTHING"};
// After the one that waits: it sees what was committed meanwhile.
const Sql kFenced{"fate: fenced", "SELECT fenced FROM flights WHERE token = $1"};

}  // namespace

std::int64_t new_token() {
  const std::string octets = random_octets(sizeof(std::int64_t));
  std::int64_t token = 0;
  std::memcpy(&token, octets.data(), sizeof token);
  return token;
}

void add_begin(Link& link, std::int64_t token, Told told, const TimeLimits& limits) {
  const std::string statement = std::to_string(limits.statement.count());
  const std::string lock = std::to_string(limits.lock.count());
  link.add(kBegin)
      .add(kLimits, Params() << std::string_view(statement) << std::string_view(lock))
      .add(kTakeOff, Params() << told << token);
}

Result<bool> was_committed(Link& link, std::int64_t token, Milliseconds most) {
  if (!stands(Safeguard::unknown_commit_asked)) return false;
  // Before who asks gives up: a session that waits for a transaction that hangs would hang, too.
  const std::string limit = std::to_string(most.count() * 3 / 4);
  const auto answers = link.add(kBegin)
                           .add(kFenceLimit, Params() << std::string_view(limit))
                           .add(kFence, Params() << Told() << token)
                           .add(kFenced, Params() << token)
                           .add(kCommit)
                           .fly(most);
  if (!answers) return fail(answers.error());
  return !(*answers)[3].empty() && !(*answers)[3].flag(0, 0);
}

}  // namespace todoku::store::postgres
