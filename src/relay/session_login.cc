// SPDX-License-Identifier: Apache-2.0
// The half of Session that says who it is: the exchange of AUTH, and whether what was found then
// still holds.
#include <utility>

#include "async/timer.h"
#include "base/digest.h"
#include "relay/session.h"
#include "relay/words.h"

namespace todoku::relay {
namespace {

using smtp::SaslStep;
using smtp::ServerAnswer;

// Who has failed is answered no sooner than so, whatever the fault was.
constexpr Milliseconds kFailurePause{500};
// Who finds the queue of those whose passwords are computed full asks again for so long.
constexpr Milliseconds kComputingPatience = std::chrono::seconds(10);
constexpr Milliseconds kComputingPause{100};

}  // namespace

void Session::forget_exchange() {
  sasl_.reset();
  claimed_.reset();
  offered_.clear();
  attempt_ = {};
}

Task<ServerAnswer> Session::authenticate(SaslStep step) {
  if (step.kind == SaslStep::Kind::ask) {
    if (auto no = co_await await_turn()) co_return ServerAnswer{.reply = std::move(*no)};
    auto proven = co_await prove();
    if (!proven) {
      attempt_.withdraw();
      tell_login("it could not be looked up or computed");
      co_return ServerAnswer{.reply = words::no_login_now()};
    }
    step = std::move(*proven);
  }
  switch (step.kind) {
    case SaslStep::Kind::succeeded:
      break;
    case SaslStep::Kind::failed:
      tell_login(step.reply.code != 535 ? "the exchange is not as its mechanism says"
                 : claimed_             ? "wrong password"
                                        : "unknown user name");
      if (step.reply.code == 535) {
        world_.metrics.login_failures.add();
        co_await async::sleep_for(kFailurePause);
      }
      forget_exchange();
      [[fallthrough]];
    case SaslStep::Kind::ask:
    case SaslStep::Kind::challenge:
      co_return ServerAnswer{.reply = std::move(step.reply)};
  }
  // Only now, so that nobody learns by guessing which names there are.
  const LoginFault fault =
      claimed_ ? fault_of(*claimed_, client_, world_.clock.now()) : LoginFault::revoked;
  std::optional<Reply> no;
  if (fault != LoginFault::none) {
    no = words::refused(fault);
    tell_login(words::reason(fault));
  } else if ((no = take_places(*claimed_))) {
    tell_login("the password is right, too many connections are open");
  }
  if (no) {
    attempt_.withdraw();
    co_return ServerAnswer{.reply = std::move(*no)};
  }
  attempt_.succeeded();
  login_ = std::move(claimed_);
  opened_with_.reset();
  if (sasl_->right() < offered_.size()) opened_with_ = offered_[sasl_->right()].stored_key;
  world_.metrics.logins.add();
  co_return ServerAnswer{.reply = std::move(step.reply)};
}

// Before the store is asked about the name: what it is answered if it may not be.
Task<std::optional<Reply>> Session::await_turn() {
  const SteadyInstant until = world_.clock.steady_now() + kComputingPatience;
  for (;;) {
    const SteadyInstant now = world_.clock.steady_now();
    access::LoginGuard::Turn turn = world_.guard.ask(client_, sasl_->user(), now);
    if (turn.attempt) {
      attempt_ = std::move(turn.attempt);
      co_return std::nullopt;
    }
    if (turn.locked > Milliseconds(0)) {
      tell_login(turn.of_network ? "locked out: too many wrong passwords from this network"
                                 : "locked out: too many wrong passwords for this user name "
                                   "from this network");
      co_await async::sleep_for(kFailurePause);
      co_return words::locked(turn.locked, turn.of_network);
    }
    // A program that opens hundreds of connections at once is right with each.
    bool waited = false;
    if (now < until) waited = co_await async::sleep_for(kComputingPause);
    if (!waited) {
      tell_login("too many logins of this user name or network are under way");
      co_return words::no_login_now();
    }
  }
}

std::optional<Reply> Session::take_places(const Login& login) {
  const store::SmtpCredential& who = login.credential;
  // What was held until now is its own, and would count against it.
  place_ = {};
  account_place_ = {};
  place_ = world_.names.enter("c " + who.name, who.settings.connections_max);
  if (!place_) return words::too_many_of_credential();
  account_place_ = world_.names.enter("a " + std::to_string(static_cast<std::int64_t>(who.account)),
                                      world_.options.connections_per_account_max);
  if (account_place_) return std::nullopt;
  place_ = {};
  return words::too_many_of_account();
}

Task<Result<SaslStep>> Session::prove() {
  auto login = co_await world_.logins.find(sasl_->user());
  if (!login) co_return fail(std::move(login.error()));
  claimed_ = std::move(*login);
  offered_.clear();
  if (claimed_) offered_ = secrets_at(*claimed_, world_.clock.now());
  if (!sasl_->has_password()) co_return sasl_->give(offered_);
  KnownPasswords& known = world_.logins.passwords();
  const auto mark = known.mark_of(offered_, sasl_->password());
  if (attempt_.repeats(mark)) {
    attempt_.withdraw();
    co_return sasl_->refuse();
  }
  const auto compare = [this, &known, &mark]() -> Result<SaslStep> {
    const auto which = claimed_ ? known.knows(mark) : std::nullopt;
    if (which) return sasl_->recognise(*which);
    SaslStep step = sasl_->give(offered_);
    if (step.kind == SaslStep::Kind::succeeded) known.remember(mark, sasl_->right());
    return step;
  };
  if (claimed_ && known.knows(mark)) co_return compare();
  // One line for all who are not proven yet: neither does who guesses stand in the line of the
  // account that he claims, nor does the wait tell whether there is one.
  constexpr async::FilePool::Owner kUnproven{};
  const SteadyInstant until = world_.clock.steady_now() + kComputingPatience;
  for (;;) {
    auto step = co_await world_.pool.run(kUnproven, compare);
    const bool full = !step && step.error().kind == ErrorKind::unavailable;
    if (step && step->kind == SaslStep::Kind::failed) attempt_.failed(mark);
    if (!full || world_.clock.steady_now() >= until) co_return step;
    // A program that opens hundreds of connections at once has one password for all of them, which
    // is known when it was computed for the first.
    const bool waited = co_await async::sleep_for(kComputingPause);
    if (!waited) co_return step;
  }
}

Task<Result<std::shared_ptr<const Login>>> Session::current_login() {
  if (user_) return world_.logins.user_of(*user_);
  if (listener_.is_for_devices()) return world_.logins.device_of(listener_.device_account);
  return world_.logins.find(login_->credential.name);
}

std::optional<Reply> Session::refusal_of(const Login* login) const {
  const LoginFault fault =
      login != nullptr ? fault_of(*login, client_, world_.clock.now()) : LoginFault::revoked;
  if (fault != LoginFault::none) return words::refused(fault);
  // Who replaces a password that was stolen means also whoever has logged in with it.
  if (opened_with_ && !still_opens(*login, *opened_with_, world_.clock.now())) {
    return words::refused(LoginFault::replaced);
  }
  if (login->credential.held) return words::held(login->credential);
  return std::nullopt;
}

// A message may take its client minutes, and what was taken away meanwhile does not hold any more.
Task<std::optional<Reply>> Session::judge_again() {
  auto login = co_await current_login();
  if (!login) co_return words::no_mail_now();
  const Login* now = login->get();
  const bool is_same = now != nullptr && now->credential.name == login_->credential.name &&
                       now->account.key == login_->account.key;
  if (auto refusal = refusal_of(is_same ? now : nullptr)) co_return refusal;
  login_ = std::move(*login);
  co_return std::nullopt;
}

// Of a user, who is let in by the first message.
std::optional<Reply> Session::let_in(std::shared_ptr<const Login> login) {
  const bool is_in = login_ && login_->credential.name == login->credential.name;
  login_ = std::move(login);
  if (is_in) return std::nullopt;
  if (auto full = take_places(*login_)) {
    login_.reset();
    return full;
  }
  world_.metrics.logins.add();
  return std::nullopt;
}

}  // namespace todoku::relay
