// SPDX-License-Identifier: Apache-2.0
// Signing in, who is signed in, and signing out.
#include <algorithm>

#include "access/totp.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/utf8.h"
#include "people/people.h"
#include "people/steps.h"

namespace todoku::people {
namespace {

constexpr std::size_t kGuessedNameMax = 320;
constexpr Milliseconds kWrittenEvery = std::chrono::minutes(1);

struct Candidate {
  store::Person person;
  store::SignInRules rules;
};

// Of nobody an empty one, which nothing opens.
Result<Candidate> read_candidate(store::ReadTransaction& reader, const std::string& email) {
  auto person = reader.person_by_email(email);
  if (!person && person.error().kind == ErrorKind::not_found) return Candidate{};
  if (!person) return fail(std::move(person.error()));
  auto rules = rules_of(reader, person->account);
  if (!rules) return fail(std::move(rules.error()));
  return Candidate{std::move(*person), std::move(*rules)};
}

// The password was right a moment ago: so it is, or somebody has changed it since.
Result<bool> begin_by_password(store::WriteTransaction& transaction, const store::Person& before,
                               const std::string& renewed, const std::string& token_sha256,
                               const Visitor& visitor, Instant now) {
  auto person = transaction.hold_person(before.key);
  if (!person && person.error().kind == ErrorKind::not_found) {
    return stop(ErrorKind::unauthorized, texts::kWrong);
  }
  if (!person) return fail(std::move(person.error()));
  if (person->suspended || person->password_hash != before.password_hash) {
    return stop(ErrorKind::unauthorized, texts::kWrong);
  }
  const bool is_half = !person->sealed_totp.empty();
  if (!renewed.empty()) person->password_hash = renewed;
  if (!is_half) person->seen = now;
  if (auto changed = transaction.change_person(*person); !changed) return fail(changed.error());
  if (auto begun = begin(transaction, *person, token_sha256, visitor); !begun) {
    return fail(begun.error());
  }
  auto noted =
      note(transaction, By::person(*person, visitor),
           is_half ? "person.password_right" : "person.sign_in", person->account, person->email);
  if (!noted) return fail(noted.error());
  return true;
}

// A code is used up by the commit that takes it.
Result<void> take_code(store::Person& person, const SecretBox& box, std::string_view code,
                       bool is_recovery, Instant now) {
  if (is_recovery) {
    const auto found = std::ranges::find(person.recovery, access::recovery_hash(code));
    if (found == person.recovery.end()) return stop(ErrorKind::unauthorized, texts::kWrongCode);
    person.recovery.erase(found);
    return {};
  }
  const auto secret = box.open(person.sealed_totp, totp_context(person.key));
  if (!secret) return fail(secret.error());
  const auto step = access::totp_step(*secret, code, now, person.totp_step_used);
  if (!step) return stop(ErrorKind::unauthorized, texts::kWrongCode);
  person.totp_step_used = *step;
  return {};
}

}  // namespace

Task<Answer<bool>> People::is_first_run() {
  if (has_operator_) co_return false;
  auto found = co_await read([](store::ReadTransaction& reader) -> Result<bool> {
    const auto operators = reader.people(store::AccountKey{}, store::PersonKey{}, 1);
    if (!operators) return fail(operators.error());
    return operators->empty();
  });
  if (found && !*found) has_operator_ = true;
  co_return found;
}

Task<Answer<Opened>> People::sign_in(std::string email, SecretText password, Visitor visitor) {
  const auto address = read_email(email);
  const std::string name = address ? *address : std::string(utf8_prefix(email, kGuessedNameMax));
  auto attempt = turn_at(guesses_, network_of(visitor.from), name);
  if (!attempt) co_return std::unexpected(std::move(attempt.error()));
  const auto found = co_await read(
      [name](store::ReadTransaction& reader) { return read_candidate(reader, name); });
  if (!found) {
    attempt->withdraw();
    co_return std::unexpected(found.error());
  }
  const store::Person& person = found->person;
  // Nobody, and somebody without a password, take as long to refuse.
  const auto verdict =
      co_await passwords_.check(owner_of(visitor.from), password, person.password_hash);
  if (!verdict) {
    attempt->withdraw();
    co_return refuse(verdict.error());
  }
  if (!verdict->is_right || person.suspended || !is_admitted(found->rules, visitor.from)) {
    co_await note_failure(about("person.sign_in_failed", person), person.account,
                          address ? name : "", visitor);
    co_return refuse(ErrorKind::unauthorized, texts::kWrong);
  }
  std::string renewed;
  if (verdict->is_stale) {
    auto made = co_await passwords_.make(owner_of(visitor.from), password);
    if (made) renewed = std::move(*made);  // else at another time
  }
  SecretText token(new_token());
  auto begun = co_await write([person, renewed, hash = sha256_hex(token), visitor,
                               now = store_.clock().now()](store::WriteTransaction& transaction) {
    return begin_by_password(transaction, person, renewed, hash, visitor, now);
  });
  if (!begun) {
    if (begun.error().kind != ErrorKind::unauthorized) attempt->withdraw();
    co_return std::unexpected(std::move(begun.error()));
  }
  attempt->succeeded();
  co_return co_await opened(std::move(token));
}

Task<Answer<Opened>> People::second_factor(Who who, SecretText code, Visitor visitor) {
  co_return co_await finish(std::move(who), std::move(code), false, std::move(visitor));
}

Task<Answer<Opened>> People::recover(Who who, SecretText recovery_code, Visitor visitor) {
  co_return co_await finish(std::move(who), std::move(recovery_code), true, std::move(visitor));
}

Task<Answer<Opened>> People::finish(Who who, SecretText code, bool is_recovery, Visitor visitor) {
  if (!who->is_half()) co_return refuse(ErrorKind::conflict, texts::kNotHalf);
  const auto box = options_.secret_box();
  if (!box) co_return refuse(box.error());
  auto attempt = turn_at(codes_, net::IpAddress(), actor_of(who->person));
  if (!attempt) co_return std::unexpected(std::move(attempt.error()));
  SecretText token(new_token());
  const std::string_view typed = code;  // stays in this frame, which waits
  auto done = co_await write(
      [who, box = *box, typed, is_recovery, hash = sha256_hex(token), visitor,
       now = store_.clock().now()](store::WriteTransaction& transaction) -> Result<bool> {
        auto person = hold_actor(transaction, *who);
        if (!person) return fail(std::move(person.error()));
        auto taken = take_code(*person, *box, typed, is_recovery, now);
        if (!taken) return fail(std::move(taken.error()));
        person->seen = now;
        if (auto changed = transaction.change_person(*person); !changed)
          return fail(changed.error());
        auto rotated = transaction.rotate_sign_in(who->sign_in.key, hash, false, kIdle, kLife);
        if (!rotated) return fail(std::move(rotated.error()));
        auto noted = note(transaction, By::person(*person, visitor),
                          is_recovery ? "person.sign_in_recovery" : "person.sign_in",
                          person->account, person->email);
        if (!noted) return fail(std::move(noted.error()));
        return true;
      });
  if (!done) {
    if (done.error().kind != ErrorKind::unauthorized) attempt->withdraw();
    if (done.error().reason.en == texts::kWrongCode.en) {
      co_await note_failure(about("person.code_failed", who->person), who->person.account,
                            who->person.email, visitor);
    }
    co_return std::unexpected(std::move(done.error()));
  }
  attempt->succeeded();
  co_return co_await opened(std::move(token));
}

Task<Answer<void>> People::check_password(Who who, SecretText password, Visitor visitor) {
  auto attempt = turn_at(guesses_, network_of(visitor.from), who->person.email);
  if (!attempt) co_return std::unexpected(std::move(attempt.error()));
  const auto person = co_await read(
      [key = who->person.key](store::ReadTransaction& reader) { return reader.person(key); });
  if (!person) {
    attempt->withdraw();
    co_return std::unexpected(person.error());
  }
  const auto verdict =
      co_await passwords_.check(owner_of(visitor.from), password, person->password_hash);
  if (!verdict) {
    attempt->withdraw();
    co_return refuse(verdict.error());
  }
  if (!verdict->is_right) {
    co_await note_failure(about("person.password_failed", who->person), who->person.account,
                          who->person.email, visitor);
    co_return refuse(ErrorKind::unauthorized, texts::kWrongPassword);
  }
  attempt->succeeded();
  co_return Answer<void>();
}

Task<Answer<Who>> People::look_up(std::string_view token, net::IpAddress from, Use use) {
  const std::string hash = sha256_hex(token);
  const SteadyInstant begun = clock_.steady_now();
  const auto known = remembered_.find(hash, begun);
  Who who = known.who;
  if (who == nullptr) {
    auto read = co_await read_who(hash);
    if (!read) co_return read;
    who = *read;
    remembered_.put(hash, who, known.forgotten, begun);
  }
  const Instant now = store_.clock().now();
  if (now >= who->sign_in.end || now >= who->sign_in.idle_end) {
    co_return refuse(ErrorKind::unauthorized, texts::kSignedOut);
  }
  if (!who->networks.empty() && !net::contain(who->networks, from)) {
    co_return refuse(ErrorKind::unauthorized, texts::kElsewhere);
  }
  if (use == Use::looks || now - who->sign_in.used < kWrittenEvery) co_return who;
  auto used = co_await store_.write(
      store::WritePriority::claims, [who](store::WriteTransaction& transaction) {
        return transaction.use_sign_in(who->sign_in.key, who->is_half() ? kHalfLife : kIdle);
      });
  if (!used) co_return refuse(std::move(used.error()));
  if (!*used) co_return refuse(ErrorKind::unauthorized, texts::kSignedOut);
  auto read = co_await read_who(hash);
  if (read) remembered_.put(hash, *read, known.forgotten, begun);
  co_return read;
}

Task<Answer<void>> People::sign_out(Who who, Visitor visitor) {
  auto done = co_await write([who, visitor](store::WriteTransaction& transaction) -> Result<bool> {
    auto person = transaction.hold_person(who->person.key);
    if (!person) return fail(std::move(person.error()));
    auto ended = transaction.end_sign_in(who->person.key, who->sign_in.key);
    if (!ended) return fail(std::move(ended.error()));
    if (auto dropped = transaction.drop_texts(who->person.key); !dropped) {
      return fail(dropped.error());
    }
    auto noted = note(transaction, By::person(who->person, visitor), "person.sign_out",
                      who->person.account, who->person.email);
    if (!noted) return fail(std::move(noted.error()));
    return true;
  });
  if (!done && done.error().kind != ErrorKind::not_found) {
    co_return std::unexpected(std::move(done.error()));
  }
  co_return Answer<void>();
}

Task<Answer<std::vector<store::SignIn>>> People::sign_ins(Who who) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  co_return co_await read(
      [key = who->person.key](store::ReadTransaction& reader) { return reader.sign_ins(key); });
}

Task<Answer<void>> People::end_sign_in(Who who, store::SignInKey key, Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  auto done =
      co_await write([who, key, visitor](store::WriteTransaction& transaction) -> Result<bool> {
        if (auto person = hold_actor(transaction, *who); !person) return fail(person.error());
        auto ended = transaction.end_sign_in(who->person.key, key);
        if (!ended && ended.error().kind == ErrorKind::not_found) {
          return stop(ErrorKind::not_found, texts::kNoSignIn);
        }
        if (!ended) return fail(std::move(ended.error()));
        auto noted = note(transaction, By::person(who->person, visitor), "person.sign_in_ended",
                          who->person.account, who->person.email);
        if (!noted) return fail(std::move(noted.error()));
        return true;
      });
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Answer<void>();
}

Task<Answer<std::int64_t>> People::end_other_sign_ins(Who who, Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  co_return co_await write(
      [who, visitor](store::WriteTransaction& transaction) -> Result<std::int64_t> {
        if (auto person = hold_actor(transaction, *who); !person) return fail(person.error());
        auto ended = transaction.end_sign_ins(who->person.key, who->sign_in.key);
        if (!ended) return ended;
        auto noted = note(transaction, By::person(who->person, visitor), "person.sign_ins_ended",
                          who->person.account, who->person.email);
        if (!noted) return fail(std::move(noted.error()));
        return ended;
      });
}

}  // namespace todoku::people
