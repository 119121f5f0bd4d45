// SPDX-License-Identifier: Apache-2.0
// A transaction as the functions of a person's request see it: statement after statement, each
// waited for. Its owner begins and ends it.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/address_hash.h"
#include "store/dictionary.h"
#include "store/postgres/ids.h"
#include "store/postgres/link.h"
#include "store/postgres/wire.h"

namespace todoku::store::postgres {

class Session {
 public:
  Session(Link& link, Ids& ids, AddressHash hash) : link_(link), ids_(ids), hash_(hash) {}

  // -- for the functions

  // One statement and its answer, after those that were added: a round trip. After the first one
  // that fails, all do: the transaction is rolled back already.
  [[nodiscard]] Result<Table> ask(const Sql& sql, const Params& params = {});
  // Several at once: add them, then fly().
  Session& add(const Sql& sql, const Params& params = {});
  [[nodiscard]] Result<std::vector<Table>> fly();

  // The store's time: when the transaction began.
  [[nodiscard]] Instant now() const { return now_; }
  // What the calendar says, where that is not the same: reservations are for an instant of it.
  [[nodiscard]] Instant wall() const { return wall_; }
  [[nodiscard]] const AddressHash& hash() const { return hash_; }
  [[nodiscard]] Dictionary& dictionary() { return dictionary_; }

  // Ids and numbers; they stay taken, whatever becomes of the transaction. If a block is used up
  // this fails, and the function is run again once there is more: so no lock on the rows that
  // blocks are taken from is ever held by a transaction that does anything else.
  [[nodiscard]] Result<std::int64_t> take_numbers(std::int64_t count);
  // not_found without such an account.
  [[nodiscard]] Result<PublicId> take_ids(AccountKey account, IdKind kind, std::int64_t count);

  // -- for the owner

  void begun(Instant now, Instant wall, Milliseconds flight_max);
  // Of the statement that failed; nullopt: none did.
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }
  // What the function has to be run again for, once it is provided.
  [[nodiscard]] const std::optional<IdNeeds>& lacks() const { return lacks_; }
  // The transaction came to nothing, and never will come to anything: what it took is given out
  // again.
  void undo_ids();
  // Accounts that there are no ids for, because they are not there.
  void set_missing(std::set<AccountKey> missing) { missing_.merge(missing); }

 private:
  [[nodiscard]] std::unexpected<Error> run_again(IdNeeds needs);

  Link& link_;
  Ids& ids_;
  const AddressHash hash_;
  NoDictionary dictionary_;
  Instant now_{};
  Instant wall_{};
  Milliseconds flight_max_{};
  std::optional<Failure> failure_;
  std::optional<Error> error_;
  std::optional<IdNeeds> lacks_;
  std::set<AccountKey> missing_;
  struct Taken {
    AccountKey account{};
    IdKind kind{};
    PublicId first = 0;
    std::int64_t count = 0;
  };
  std::vector<Taken> taken_;  // oldest first
};

}  // namespace todoku::store::postgres
