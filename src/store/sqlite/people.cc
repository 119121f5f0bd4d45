// SPDX-License-Identifier: Apache-2.0
// People who sign in, what they are signed in with, and links that are good once (store/people.h).
#include "store/people.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "store/api_keys.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

// A row of PERSON_COLUMNS.
Result<Person> person_in(const Query& row) {
  Person found{.key = PersonKey{row.integer(0)},
               .account = AccountKey{row.integer(1)},
               .email = std::string(row.text(2)),
               .name = std::string(row.text(3)),
               .role = Role::viewer,
               .language = std::string(row.text(5)),
               .password_hash = std::string(row.text(6)),
               .sealed_totp = std::string(row.blob(7)),
               .sealed_totp_offered = std::string(row.blob(8)),
               .totp_step_used = row.integer(9),
               .recovery = {},
               .suspended = row.flag(11),
               .created = row.instant(12),
               .confirmed = row.optional_instant(13),
               .seen = row.optional_instant(14),
               .stands_for = std::string(row.text(15))};
  const auto role = unpack_role(row.integer(4));
  if (!role) return fail(role.error());
  found.role = *role;
  auto recovery = unpack_recovery(row.blob(10));
  if (!recovery) return fail(std::move(recovery.error()));
  found.recovery = std::move(*recovery);
  return found;
}

// A row of SIGN_IN_COLUMNS.
SignIn sign_in_in(const Query& row) {
  return {.key = SignInKey{row.integer(0)},
          .person = PersonKey{row.integer(1)},
          .token_sha256 = std::string(row.text(2)),
          .half = row.flag(3),
          .acting_for = AccountKey{row.integer(4)},
          .created = row.instant(5),
          .used = row.instant(6),
          .idle_end = row.instant(7),
          .end = row.instant(8),
          .from = std::string(row.text(9)),
          .agent = std::string(row.text(10))};
}

// token, purpose, person, created, ends
Result<Link> link_in(const Query& row) {
  const auto purpose = unpack_link_purpose(row.integer(1));
  if (!purpose) return fail(purpose.error());
  return Link{.token_sha256 = std::string(row.text(0)),
              .purpose = *purpose,
              .person = PersonKey{row.integer(2)},
              .created = row.instant(3),
              .end = row.instant(4)};
}

Result<Person> the_person(Query& query) {
  if (query.next()) return person_in(query);
  return query.failed() ? fail(query.error()) : no_such_person();
}

}  // namespace

// ---- questions ---------------------------------------------------------------------------------

Result<Person> Queries::person(PersonKey key) {
  auto query = db_.query("SELECT " PERSON_COLUMNS " FROM people WHERE key = ?");
  query.bind(key);
  return the_person(query);
}

Result<Person> Queries::person_by_email(std::string_view email) {
  auto query = db_.query("SELECT " PERSON_COLUMNS " FROM people WHERE email = ?");
  query.bind(email);
  return the_person(query);
}

Result<std::vector<Person>> Queries::people(AccountKey account, PersonKey after,
                                            std::int64_t limit) {
  auto query = db_.query("SELECT " PERSON_COLUMNS
                         " FROM people WHERE account = ? AND key > ? ORDER BY key LIMIT ?");
  query.bind(account, after, limit);
  std::vector<Person> all;
  while (query.next()) {
    auto found = person_in(query);
    if (!found) return fail(std::move(found.error()));
    all.push_back(std::move(*found));
  }
  if (query.failed()) return fail(query.error());
  return all;
}

Result<SignIn> Queries::sign_in(std::string_view token_sha256) {
  auto query =
      db_.query("SELECT " SIGN_IN_COLUMNS " FROM sign_ins WHERE token = ? AND idle_ends > ?");
  query.bind(token_sha256, now_);
  if (query.next()) return sign_in_in(query);
  return query.failed() ? fail(query.error()) : no_such_sign_in();
}

Result<std::vector<SignIn>> Queries::sign_ins(PersonKey person) {
  auto query = db_.query("SELECT " SIGN_IN_COLUMNS
                         " FROM sign_ins WHERE person = ? AND idle_ends > ?"
                         " ORDER BY used DESC, key DESC");
  query.bind(person, now_);
  std::vector<SignIn> all;
  while (query.next()) all.push_back(sign_in_in(query));
  if (query.failed()) return fail(query.error());
  return all;
}

Result<Link> Queries::link(std::string_view token_sha256) {
  auto query = db_.query(
      "SELECT token, purpose, person, created, ends FROM sign_in_links"
      " WHERE token = ? AND ends > ?");
  query.bind(token_sha256, now_);
  if (query.next()) return link_in(query);
  return query.failed() ? fail(query.error()) : no_such_link();
}

Result<bool> Queries::has_link(PersonKey person) {
  auto query = db_.query("SELECT 1 FROM sign_in_links WHERE person = ? AND ends > ? LIMIT 1");
  query.bind(person, now_);
  const bool there = query.next();
  if (query.failed()) return fail(query.error());
  return there;
}

Result<SignInRules> Queries::sign_in_rules(AccountKey account) {
  auto query =
      db_.query("SELECT second_factor, networks, approval FROM sign_in_rules WHERE account = ?");
  query.bind(account);
  if (query.next()) {
    return SignInRules{.second_factor = query.flag(0),
                       .networks = unpack_networks(query.text(1)),
                       .approval = query.flag(2)};
  }
  if (query.failed()) return fail(query.error());
  return SignInRules{};
}

Result<std::vector<KeptText>> Queries::kept_texts(PersonKey person, std::string_view place) {
  auto query = place.empty() ? db_.query(
                                   "SELECT place, kept, '' FROM kept_texts WHERE person = ?1"
                                   " AND ?2 = '' ORDER BY kept DESC, place DESC")
                             : db_.query(
                                   "SELECT place, kept, body FROM kept_texts WHERE person = ?1"
                                   " AND place = ?2");
  query.bind(person, place);
  std::vector<KeptText> all;
  while (query.next()) {
    all.push_back({.place = std::string(query.text(0)),
                   .text = std::string(query.text(2)),
                   .kept = query.instant(1)});
  }
  if (query.failed()) return fail(query.error());
  return all;
}

// ---- people ------------------------------------------------------------------------------------

Result<Person> SqliteWriteTransaction::add_person(const NewPerson& wanted) {
  if (auto sound = check_sound(wanted); !sound) return fail(std::move(sound.error()));
  if (wanted.account != AccountKey{}) {
    if (const auto owner = queries_.account(wanted.account); !owner) return fail(owner.error());
  }
  {
    auto count = db_.query("SELECT count(*) FROM people WHERE account = ?");
    count.bind(wanted.account);
    if (!count.next()) return fail(count.error());
    if (count.integer(0) >= kPeopleMax) return too_many_people();
  }
  const auto key = counters_.take_numbers(1);
  if (!key) return fail(key.error());
  const std::string recovery = pack_recovery({});
  auto done =
      db_.query(
             "INSERT INTO people(key, account, email, name, role, language, password_hash, totp,"
             " totp_offered, totp_step, recovery, suspended, created, stands_for)"
             " VALUES(?, ?, ?, ?, ?, ?, '', x'', x'', 0, ?, 0, ?, ?) ON CONFLICT DO NOTHING")
          .bind(*key, wanted.account, std::string_view(wanted.email), std::string_view(wanted.name),
                wanted.role, std::string_view(wanted.language), Blob{recovery}, now_,
                std::string_view(wanted.stands_for))
          .run();
  if (!done) return fail(std::move(done.error()));
  if (db_.changes() == 0) return person_email_taken();
  return queries_.person(PersonKey{*key});
}

// There is one writer.
Result<Person> SqliteWriteTransaction::hold_person(PersonKey key) {
  return queries_.person(key);
}

Result<void> SqliteWriteTransaction::check_others_in_charge(const Person& person) {
  auto query = db_.query(
      "SELECT 1 FROM people WHERE account = ? AND role = ? AND suspended = 0"
      " AND password_hash <> '' AND key <> ? LIMIT 1");
  query.bind(person.account, person.role, person.key);
  if (query.next()) return {};
  return query.failed() ? fail(query.error()) : last_in_charge();
}

Result<void> SqliteWriteTransaction::change_person(const Person& person) {
  auto fit = check_sound(person);
  if (!fit) return fit;
  const auto before = queries_.person(person.key);
  if (!before) return fail(before.error());
  if (before->account != person.account) return no_such_person();
  if (leaves_charge(*before, person)) fit = check_others_in_charge(*before);
  if (!fit) return fit;
  const std::string recovery = pack_recovery(person.recovery);
  auto done = db_.query(
                     "UPDATE OR IGNORE people SET email = ?, name = ?, role = ?, language = ?,"
                     " password_hash = ?, totp = ?, totp_offered = ?, totp_step = ?, recovery = ?,"
                     " suspended = ?, confirmed = ?, seen = ?, stands_for = ? WHERE key = ?")
                  .bind(std::string_view(person.email), std::string_view(person.name), person.role,
                        std::string_view(person.language), std::string_view(person.password_hash),
                        Blob{person.sealed_totp}, Blob{person.sealed_totp_offered},
                        person.totp_step_used, Blob{recovery}, person.suspended, person.confirmed,
                        person.seen, std::string_view(person.stands_for), person.key)
                  .run();
  if (done && db_.changes() == 0) return person_email_taken();
  return done;
}

Result<void> SqliteWriteTransaction::remove_person(PersonKey key) {
  const auto before = queries_.person(key);
  if (!before) return fail(before.error());
  auto done = is_in_charge(*before) ? check_others_in_charge(*before) : Result<void>();
  for (const auto& sql :
       {Sql("DELETE FROM sign_ins WHERE person = ?"),
        Sql("DELETE FROM sign_in_links WHERE person"
            " = ?"),
        Sql("DELETE FROM kept_texts WHERE person = ?"), Sql("DELETE FROM people WHERE key = ?")}) {
    if (done) done = db_.query(sql).bind(key).run();
  }
  return done;
}

// ---- what they are signed in with --------------------------------------------------------------

Result<void> SqliteWriteTransaction::make_room_for_sign_in(PersonKey person, bool half,
                                                           SignInKey coming) {
  return db_
      .query(
          "DELETE FROM sign_ins WHERE key IN (SELECT key FROM sign_ins WHERE person = ?1"
          " AND half = ?2 AND key <> ?3 ORDER BY used DESC, key DESC LIMIT -1 OFFSET ?4)")
      .bind(person, half, coming, (half ? kHalfSignInsMax : kSignInsMax) - 1)
      .run();
}

Result<SignIn> SqliteWriteTransaction::add_sign_in(const NewSignIn& wanted) {
  if (auto sound = check_sound(wanted); !sound) return fail(std::move(sound.error()));
  if (const auto held = queries_.person(wanted.person); !held) return fail(held.error());
  const auto key = counters_.take_numbers(1);
  if (!key) return fail(key.error());
  auto done = make_room_for_sign_in(wanted.person, wanted.half, SignInKey{*key});
  if (!done) return fail(std::move(done.error()));
  const Instant end = now_ + wanted.life;
  done = db_.query(
                "INSERT INTO sign_ins(key, person, token, half, acting_for, created, used,"
                " idle_ends, ends, came_from, agent)"
                " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING")
             .bind(*key, wanted.person, std::string_view(wanted.token_sha256), wanted.half,
                   wanted.acting_for, now_, std::min(now_ + wanted.idle, end), end,
                   std::string_view(wanted.from), utf8_prefix(wanted.agent, kSignInAgentMax))
             .run();
  if (!done) return fail(std::move(done.error()));
  if (db_.changes() == 0) return sign_in_token_taken();
  auto query = db_.query("SELECT " SIGN_IN_COLUMNS " FROM sign_ins WHERE key = ?");
  query.bind(*key);
  if (!query.next()) return fail(query.error());
  return sign_in_in(query);
}

Result<SignIn> SqliteWriteTransaction::rotate_sign_in(SignInKey key, std::string_view token_sha256,
                                                      bool half, Milliseconds idle,
                                                      Milliseconds life) {
  if (auto sound = check_token(token_sha256); !sound) return fail(std::move(sound.error()));
  PersonKey person{};
  {
    auto there = db_.query("SELECT person FROM sign_ins WHERE key = ? AND idle_ends > ?");
    there.bind(key, now_);
    if (!there.next()) return there.failed() ? fail(there.error()) : no_such_sign_in();
    person = PersonKey{there.integer(0)};
  }
  const Instant end = now_ + life;
  auto done = make_room_for_sign_in(person, half, key);
  if (!done) return fail(std::move(done.error()));
  done = db_.query(
                "UPDATE OR IGNORE sign_ins SET token = ?2, half = ?3, used = ?4,"
                " idle_ends = ?5, ends = ?6 WHERE key = ?1")
             .bind(key, token_sha256, half, now_, std::min(now_ + idle, end), end)
             .run();
  if (!done) return fail(std::move(done.error()));
  if (db_.changes() == 0) return sign_in_token_taken();
  auto query = db_.query("SELECT " SIGN_IN_COLUMNS " FROM sign_ins WHERE key = ?");
  query.bind(key);
  if (!query.next()) return fail(query.error());
  return sign_in_in(query);
}

Result<bool> SqliteWriteTransaction::use_sign_in(SignInKey key, Milliseconds idle) {
  auto done = db_.query(
                     "UPDATE sign_ins SET used = ?2, idle_ends = min(?3, ends) WHERE key = ?1"
                     " AND idle_ends > ?2")
                  .bind(key, now_, now_ + idle)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() > 0;
}

Result<bool> SqliteWriteTransaction::act_for(SignInKey key, AccountKey account) {
  auto done = db_.query("UPDATE sign_ins SET acting_for = ? WHERE key = ? AND idle_ends > ?")
                  .bind(account, key, now_)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() > 0;
}

Result<void> SqliteWriteTransaction::end_sign_in(PersonKey person, SignInKey key) {
  auto done =
      db_.query("DELETE FROM sign_ins WHERE key = ? AND person = ?").bind(key, person).run();
  if (done && db_.changes() == 0) return no_such_sign_in();
  return done;
}

Result<std::int64_t> SqliteWriteTransaction::end_sign_ins(PersonKey person, SignInKey left) {
  std::int64_t ended = 0;
  {
    auto count =
        db_.query("SELECT count(*) FROM sign_ins WHERE person = ? AND key <> ? AND idle_ends > ?");
    count.bind(person, left, now_);
    if (!count.next()) return fail(count.error());
    ended = count.integer(0);
  }
  auto done =
      db_.query("DELETE FROM sign_ins WHERE person = ? AND key <> ?").bind(person, left).run();
  if (!done) return fail(std::move(done.error()));
  return ended;
}

Result<bool> SqliteWriteTransaction::drop_ended_sign_ins(std::int64_t rows) {
  auto done = db_.query(
                     "DELETE FROM sign_ins WHERE key IN (SELECT key FROM sign_ins"
                     " WHERE idle_ends <= ? ORDER BY idle_ends LIMIT ?)")
                  .bind(now_, rows)
                  .run();
  if (!done) return fail(std::move(done.error()));
  const std::int64_t left = rows - db_.changes();
  if (left <= 0) return true;
  done = db_.query(
                "DELETE FROM sign_in_links WHERE token IN (SELECT token FROM sign_in_links"
                " WHERE ends <= ? ORDER BY ends LIMIT ?)")
             .bind(now_, left)
             .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() >= left;
}

// ---- links that are good once ------------------------------------------------------------------

Result<void> SqliteWriteTransaction::add_link(std::string_view token_sha256, LinkPurpose purpose,
                                              PersonKey person, Milliseconds life,
                                              Earlier earlier) {
  auto fit = check_token(token_sha256);
  if (!fit) return fit;
  if (person != PersonKey{}) {
    if (const auto held = queries_.person(person); !held) return fail(held.error());
  }
  Result<void> done;
  if (earlier == Earlier::are_void) {
    done = db_.query("DELETE FROM sign_in_links WHERE person = ? AND purpose = ?")
               .bind(person, purpose)
               .run();
  }
  if (!done) return done;
  done = db_.query(
                "INSERT INTO sign_in_links(token, purpose, person, created, ends)"
                " VALUES(?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
             .bind(token_sha256, purpose, person, now_, now_ + life)
             .run();
  if (done && db_.changes() == 0) return sign_in_token_taken();
  return done;
}

Result<Link> SqliteWriteTransaction::use_link(std::string_view token_sha256) {
  auto found = queries_.link(token_sha256);
  if (!found) return found;
  auto done = db_.query("DELETE FROM sign_in_links WHERE token = ?").bind(token_sha256).run();
  if (!done) return fail(std::move(done.error()));
  return found;
}

Result<void> SqliteWriteTransaction::void_links(PersonKey person) {
  return db_.query("DELETE FROM sign_in_links WHERE person = ?").bind(person).run();
}

// ---- what accounts ask for, and what was typed -------------------------------------------------

Result<void> SqliteWriteTransaction::put_sign_in_rules(AccountKey account,
                                                       const SignInRules& rules) {
  if (auto sound = check_sound(rules); !sound) return sound;
  if (const auto owner = queries_.account(account); !owner) return fail(owner.error());
  if (rules == SignInRules{}) {
    return db_.query("DELETE FROM sign_in_rules WHERE account = ?").bind(account).run();
  }
  const std::string networks = pack_networks(rules.networks);
  return db_
      .query(
          "INSERT INTO sign_in_rules(account, second_factor, networks, approval)"
          " VALUES(?, ?, ?, ?) ON CONFLICT(account) DO UPDATE SET"
          " second_factor = excluded.second_factor, networks = excluded.networks,"
          " approval = excluded.approval")
      .bind(account, rules.second_factor, std::string_view(networks), rules.approval)
      .run();
}

Result<void> SqliteWriteTransaction::keep_text(PersonKey person, std::string_view place,
                                               std::string_view text) {
  if (auto sound = check_kept_text(place, text); !sound) return sound;
  if (const auto held = queries_.person(person); !held) return fail(held.error());
  auto done =
      db_.query("DELETE FROM kept_texts WHERE person = ? AND place = ?").bind(person, place).run();
  if (!done || text.empty()) return done;
  done = db_.query(
                "DELETE FROM kept_texts WHERE person = ?1 AND place IN (SELECT place FROM"
                " kept_texts WHERE person = ?1 ORDER BY kept DESC, place DESC LIMIT -1 OFFSET ?2)")
             .bind(person, kKeptTextsMax - 1)
             .run();
  if (!done) return done;
  return db_.query("INSERT INTO kept_texts(person, place, kept, body) VALUES(?, ?, ?, ?)")
      .bind(person, place, now_, text)
      .run();
}

Result<void> SqliteWriteTransaction::drop_texts(PersonKey person) {
  return db_.query("DELETE FROM kept_texts WHERE person = ?").bind(person).run();
}

Result<bool> SqliteWriteTransaction::drop_old_texts(std::int64_t rows) {
  auto done = db_.query(
                     "DELETE FROM kept_texts WHERE rowid IN (SELECT rowid FROM kept_texts"
                     " WHERE kept <= ? ORDER BY kept LIMIT ?)")
                  .bind(now_ - kKeptTextLife, rows)
                  .run();
  if (!done) return fail(std::move(done.error()));
  return db_.changes() >= rows;
}

}  // namespace todoku::store::sqlite
