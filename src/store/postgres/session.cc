// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/session.h"

#include <utility>

namespace todoku::store::postgres {

void Session::begun(Instant now, Instant wall, Milliseconds flight_max) {
  now_ = now;
  wall_ = wall;
  flight_max_ = flight_max;
  failure_.reset();
  error_.reset();
  lacks_.reset();
}

Session& Session::add(const Sql& sql, const Params& params) {
  if (!error_) link_.add(sql, params);
  return *this;
}

Result<std::vector<Table>> Session::fly() {
  if (error_) return fail(*error_);
  auto answers = link_.fly(flight_max_);
  if (!answers) {
    error_ = answers.error();
    failure_ = link_.failure();
  }
  return answers;
}

Result<Table> Session::ask(const Sql& sql, const Params& params) {
  auto answers = add(sql, params).fly();
  if (!answers) return fail(std::move(answers.error()));
  return std::move(answers->back());
}

void Session::undo_ids() {
  for (; !taken_.empty(); taken_.pop_back()) {
    const Taken& taken = taken_.back();
    ids_.undo(taken.account, taken.kind, taken.first, taken.count);
  }
}

std::unexpected<Error> Session::run_again(IdNeeds needs) {
  lacks_ = std::move(needs);
  error_ = Error{ErrorKind::unavailable, "ids are used up; try again"};
  return fail(*error_);
}

Result<std::int64_t> Session::take_numbers(std::int64_t count) {
  if (error_) return fail(*error_);
  if (const auto first = ids_.take_present_numbers(count)) return *first;
  return run_again({.ids = {}, .numbers = count});
}

Result<PublicId> Session::take_ids(AccountKey account, IdKind kind, std::int64_t count) {
  if (error_) return fail(*error_);
  if (missing_.contains(account)) return fail(ErrorKind::not_found, "there is no such account");
  if (const auto first = ids_.take_present(account, kind, count)) {
    taken_.push_back({account, kind, *first, count});
    return *first;
  }
  // Together with what it has taken before, which it will take again.
  IdNeeds needs;
  needs.add(account, kind, count);
  for (const Taken& taken : taken_) needs.add(taken.account, taken.kind, taken.count);
  return run_again(std::move(needs));
}

}  // namespace todoku::store::postgres
