// SPDX-License-Identifier: Apache-2.0
// People who sign in, what they are signed in with, and links that are good once (store/people.h).
// Who is there, under which address and in charge of what is changed under one lock
// (lock_people()); what a person has is added under that of their row, so that it goes with them.
#include "store/people.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "store/api_keys.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define PERSON_COLUMNS                                                                       \
  "key, account, email, name, role, language, password_hash, totp, totp_offered, totp_step," \
  " recovery, suspended, created, confirmed, seen, stands_for"
#define SIGN_IN_COLUMNS \
  "key, person, token, half, acting_for, created, used, idle_ends, ends, came_from, agent"
#define LINK_COLUMNS "token, purpose, person, created, ends"

const Sql kPerson{"people: one", "SELECT " PERSON_COLUMNS " FROM people WHERE key = $1"};
const Sql kHoldPerson{"people: hold",
                      "SELECT " PERSON_COLUMNS " FROM people WHERE key = $1 FOR UPDATE"};
const Sql kPersonByEmail{"people: by address",
                         "SELECT " PERSON_COLUMNS " FROM people WHERE email = $1"};
const Sql kPeopleOf{"people: of an account",
                    "SELECT " PERSON_COLUMNS
                    " FROM people WHERE account = $1 AND key > $2 ORDER BY key LIMIT $3"};
const Sql kLockPeople{"people: lock", "SELECT name FROM meta WHERE name = 'people' FOR UPDATE"};
const Sql kCountPeople{"people: count", "SELECT count(*) FROM people WHERE account = $1"};
const Sql kOthersInCharge{"people: others in charge",
                          "SELECT key FROM people WHERE account = $1 AND role = $2"
                          " AND suspended = 0 AND password_hash <> '' AND key <> $3 LIMIT 1"};
const Sql kInsertPerson{"people: insert",
                        "INSERT INTO people(key, account, email, name, role, language,"
                        " password_hash, totp, totp_offered, totp_step, recovery, suspended,"
                        " created, stands_for)"
                        " VALUES($1, $2, $3, $4, $5, $6, '', '', '', 0, $7, 0, $8, $9)"
                        " ON CONFLICT DO NOTHING RETURNING " PERSON_COLUMNS};
const Sql kChangePerson{"people: change",
                        "UPDATE people SET email = $2, name = $3, role = $4, language = $5,"
                        " password_hash = $6, totp = $7, totp_offered = $8, totp_step = $9,"
                        " recovery = $10, suspended = $11, confirmed = $12, seen = $13,"
                        " stands_for = $14"
                        " WHERE key = $1 AND NOT EXISTS (SELECT 1 FROM people o"
                        " WHERE o.email = $2 AND o.key <> $1)"};
const Sql kDropPerson{"people: drop", "DELETE FROM people WHERE key = $1"};

const Sql kSignIn{"sign-ins: one",
                  "SELECT " SIGN_IN_COLUMNS " FROM sign_ins WHERE token = $1 AND idle_ends > $2"};
const Sql kSignInsOf{"sign-ins: of a person", "SELECT " SIGN_IN_COLUMNS
                                              " FROM sign_ins WHERE person = $1"
                                              " AND idle_ends > $2 ORDER BY used DESC, key DESC"};
const Sql kMakeRoomForSignIn{
    "sign-ins: make room",
    "DELETE FROM sign_ins WHERE key = ANY(ARRAY(SELECT key FROM sign_ins WHERE person = $1"
    " AND half = $2 AND key <> $3 ORDER BY used DESC, key DESC OFFSET $4))"};
const Sql kInsertSignIn{"sign-ins: insert",
                        "INSERT INTO sign_ins(key, person, token, half, acting_for, created, used,"
                        " idle_ends, ends, came_from, agent)"
                        " VALUES($1, $2, $3, $4, $5, $6, $6, least($7::bigint, $8), $8, $9, $10)"
                        " ON CONFLICT DO NOTHING RETURNING " SIGN_IN_COLUMNS};
const Sql kHoldSignIn{"sign-ins: hold",
                      "SELECT person FROM sign_ins WHERE key = $1 AND idle_ends > $2 FOR UPDATE"};
const Sql kRotateSignIn{"sign-ins: rotate",
                        "UPDATE sign_ins SET token = $2, half = $3, used = $4,"
                        " idle_ends = least($5::bigint, $6), ends = $6 WHERE key = $1"
                        " AND NOT EXISTS (SELECT 1 FROM sign_ins o WHERE o.token = $2"
                        " AND o.key <> $1) RETURNING " SIGN_IN_COLUMNS};
const Sql kUseSignIn{"sign-ins: use",
                     "UPDATE sign_ins SET used = $2, idle_ends = least($3, ends)"
                     " WHERE key = $1 AND idle_ends > $2"};
const Sql kActFor{"sign-ins: act for",
                  "UPDATE sign_ins SET acting_for = $2 WHERE key = $1 AND idle_ends > $3"};
const Sql kEndSignIn{"sign-ins: end", "DELETE FROM sign_ins WHERE key = $1 AND person = $2"};
const Sql kEndSignIns{"sign-ins: end all",
                      "WITH gone AS (DELETE FROM sign_ins WHERE person = $1 AND key <> $2"
                      " RETURNING idle_ends) SELECT count(*) FROM gone WHERE idle_ends > $3"};
const Sql kDropSignIns{"sign-ins: drop those that are over",
                       "DELETE FROM sign_ins WHERE idle_ends <= $1 AND key = ANY(ARRAY("
                       "SELECT key FROM sign_ins WHERE idle_ends <= $1 ORDER BY idle_ends"
                       " LIMIT $2))"};

const Sql kLink{"links: one",
                "SELECT " LINK_COLUMNS " FROM sign_in_links WHERE token = $1 AND ends > $2"};
const Sql kHasLink{"links: has one",
                   "SELECT person FROM sign_in_links WHERE person = $1 AND ends > $2 LIMIT 1"};
const Sql kUseLink{"links: use",
                   "DELETE FROM sign_in_links WHERE token = $1 AND ends > $2"
                   " RETURNING " LINK_COLUMNS};
const Sql kInsertLink{"links: insert",
                      "INSERT INTO sign_in_links(token, purpose, person, created, ends)"
                      " VALUES($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"};
const Sql kVoidLinksFor{"links: void those for one purpose",
                        "DELETE FROM sign_in_links WHERE person = $1 AND purpose = $2"};
const Sql kVoidLinks{"links: void", "DELETE FROM sign_in_links WHERE person = $1"};
const Sql kDropLinks{"links: drop those that are over",
                     "DELETE FROM sign_in_links WHERE token = ANY(ARRAY(SELECT token"
                     " FROM sign_in_links WHERE ends <= $1 ORDER BY ends LIMIT $2))"};

const Sql kSignInRules{"sign-in rules: of an account",
                       "SELECT second_factor, networks, approval FROM sign_in_rules"
                       " WHERE account = $1"};
const Sql kPutSignInRules{"sign-in rules: put",
                          "INSERT INTO sign_in_rules(account, second_factor, networks, approval)"
                          " VALUES($1, $2, $3, $4) ON CONFLICT(account) DO UPDATE SET"
                          " second_factor = excluded.second_factor, networks = excluded.networks,"
                          " approval = excluded.approval"};
const Sql kDropSignInRules{"sign-in rules: drop", "DELETE FROM sign_in_rules WHERE account = $1"};

const Sql kKeptText{"kept texts: one",
                    "SELECT place, kept, body FROM kept_texts WHERE person = $1 AND place = $2"};
const Sql kKeptTexts{"kept texts: of a person",
                     "SELECT place, kept, '' FROM kept_texts WHERE person = $1"
                     " ORDER BY kept DESC, place DESC"};
const Sql kDropKeptText{"kept texts: drop one",
                        "DELETE FROM kept_texts WHERE person = $1 AND place = $2"};
const Sql kMakeRoomForText{
    "kept texts: make room",
    "DELETE FROM kept_texts WHERE person = $1 AND place = ANY(ARRAY(SELECT place FROM kept_texts"
    " WHERE person = $1 ORDER BY kept DESC, place DESC OFFSET $2))"};
const Sql kKeepText{"kept texts: keep",
                    "INSERT INTO kept_texts(person, place, kept, body) VALUES($1, $2, $3, $4)"};
const Sql kDropKeptTexts{"kept texts: drop", "DELETE FROM kept_texts WHERE person = $1"};
// Who keeps one anew meanwhile makes another row of it.
const Sql kDropOldTexts{"kept texts: drop old ones",
                        "DELETE FROM kept_texts WHERE ctid = ANY(ARRAY(SELECT ctid FROM kept_texts"
                        " WHERE kept <= $1 ORDER BY kept LIMIT $2))"};

Result<Person> person_in(const Table& rows, int row) {
  Person found{.key = PersonKey{rows.integer(row, 0)},
               .account = AccountKey{rows.integer(row, 1)},
               .email = std::string(rows.text(row, 2)),
               .name = std::string(rows.text(row, 3)),
               .role = Role::viewer,
               .language = std::string(rows.text(row, 5)),
               .password_hash = std::string(rows.text(row, 6)),
               .sealed_totp = std::string(rows.text(row, 7)),
               .sealed_totp_offered = std::string(rows.text(row, 8)),
               .totp_step_used = rows.integer(row, 9),
               .recovery = {},
               .suspended = rows.flag(row, 11),
               .created = rows.instant(row, 12),
               .confirmed = rows.optional_instant(row, 13),
               .seen = rows.optional_instant(row, 14),
               .stands_for = std::string(rows.text(row, 15))};
  const auto role = unpack_role(rows.integer(row, 4));
  if (!role) return fail(role.error());
  found.role = *role;
  auto recovery = unpack_recovery(rows.text(row, 10));
  if (!recovery) return fail(std::move(recovery.error()));
  found.recovery = std::move(*recovery);
  return found;
}

Result<Person> the_person(const Result<Table>& rows) {
  if (!rows) return fail(rows.error());
  return rows->empty() ? no_such_person() : person_in(*rows, 0);
}

SignIn sign_in_in(const Table& rows, int row) {
  return {.key = SignInKey{rows.integer(row, 0)},
          .person = PersonKey{rows.integer(row, 1)},
          .token_sha256 = std::string(rows.text(row, 2)),
          .half = rows.flag(row, 3),
          .acting_for = AccountKey{rows.integer(row, 4)},
          .created = rows.instant(row, 5),
          .used = rows.instant(row, 6),
          .idle_end = rows.instant(row, 7),
          .end = rows.instant(row, 8),
          .from = std::string(rows.text(row, 9)),
          .agent = std::string(rows.text(row, 10))};
}

Result<store::Link> the_link(const Result<Table>& rows) {
  if (!rows) return fail(rows.error());
  if (rows->empty()) return no_such_link();
  const auto purpose = unpack_link_purpose(rows->integer(0, 1));
  if (!purpose) return fail(purpose.error());
  return store::Link{.token_sha256 = std::string(rows->text(0, 0)),
                     .purpose = *purpose,
                     .person = PersonKey{rows->integer(0, 2)},
                     .created = rows->instant(0, 3),
                     .end = rows->instant(0, 4)};
}

// What only says whether it was done.
Result<void> done_by(const Result<Table>& done) {
  if (!done) return fail(done.error());
  return {};
}

}  // namespace

// ---- questions ---------------------------------------------------------------------------------

Result<Person> Questions::person(PersonKey key) {
  return the_person(session_.ask(kPerson, Params() << key));
}

Result<Person> Questions::person_by_email(std::string_view email) {
  return the_person(session_.ask(kPersonByEmail, Params() << email));
}

Result<std::vector<Person>> Questions::people(AccountKey account, PersonKey after,
                                              std::int64_t limit) {
  const auto rows = session_.ask(kPeopleOf, Params() << account << after << limit);
  if (!rows) return fail(rows.error());
  std::vector<Person> all;
  for (int row = 0; row < rows->size(); ++row) {
    auto found = person_in(*rows, row);
    if (!found) return fail(std::move(found.error()));
    all.push_back(std::move(*found));
  }
  return all;
}

Result<SignIn> Questions::sign_in(std::string_view token_sha256) {
  const auto rows = session_.ask(kSignIn, Params() << token_sha256 << session_.now());
  if (!rows) return fail(rows.error());
  if (rows->empty()) return no_such_sign_in();
  return sign_in_in(*rows, 0);
}

Result<std::vector<SignIn>> Questions::sign_ins(PersonKey person) {
  const auto rows = session_.ask(kSignInsOf, Params() << person << session_.now());
  if (!rows) return fail(rows.error());
  std::vector<SignIn> all;
  for (int row = 0; row < rows->size(); ++row) all.push_back(sign_in_in(*rows, row));
  return all;
}

Result<store::Link> Questions::link(std::string_view token_sha256) {
  return the_link(session_.ask(kLink, Params() << token_sha256 << session_.now()));
}

Result<bool> Questions::has_link(PersonKey person) {
  const auto rows = session_.ask(kHasLink, Params() << person << session_.now());
  if (!rows) return fail(rows.error());
  return !rows->empty();
}

Result<SignInRules> Questions::sign_in_rules(AccountKey account) {
  const auto rows = session_.ask(kSignInRules, Params() << account);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return SignInRules{};
  return SignInRules{.second_factor = rows->flag(0, 0),
                     .networks = unpack_networks(rows->text(0, 1)),
                     .approval = rows->flag(0, 2)};
}

Result<std::vector<KeptText>> Questions::kept_texts(PersonKey person, std::string_view place) {
  const auto rows = place.empty() ? session_.ask(kKeptTexts, Params() << person)
                                  : session_.ask(kKeptText, Params() << person << place);
  if (!rows) return fail(rows.error());
  std::vector<KeptText> all;
  for (int row = 0; row < rows->size(); ++row) {
    all.push_back({.place = std::string(rows->text(row, 0)),
                   .text = std::string(rows->text(row, 2)),
                   .kept = rows->instant(row, 1)});
  }
  return all;
}

// ---- people ------------------------------------------------------------------------------------

Result<void> Changes::lock_people() {
  return done_by(session_.ask(kLockPeople));
}

Result<Person> Changes::add_person(const NewPerson& wanted) {
  auto fit = check_sound(wanted);
  if (fit && wanted.account != AccountKey{}) {
    if (const auto owner = questions_.account(wanted.account); !owner) return fail(owner.error());
  }
  if (fit) fit = questions_.all_know(Novelty::people);
  if (fit) fit = lock_people();
  if (!fit) return fail(std::move(fit.error()));
  const auto count = session_.ask(kCountPeople, Params() << wanted.account);
  if (!count) return fail(count.error());
  if (count->integer(0, 0) >= kPeopleMax) return too_many_people();
  const auto key = session_.take_numbers(1);
  if (!key) return fail(key.error());
  const std::string recovery = pack_recovery({});
  const auto made = session_.ask(
      kInsertPerson, Params() << *key << wanted.account << std::string_view(wanted.email)
                              << std::string_view(wanted.name) << wanted.role
                              << std::string_view(wanted.language) << Octets{recovery}
                              << session_.now() << std::string_view(wanted.stands_for));
  if (!made) return fail(made.error());
  return made->empty() ? person_email_taken() : person_in(*made, 0);
}

Result<Person> Changes::hold_person(PersonKey key) {
  return the_person(session_.ask(kHoldPerson, Params() << key));
}

Result<void> Changes::check_others_in_charge(const Person& person) {
  if (auto locked = lock_people(); !locked) return locked;
  const auto others =
      session_.ask(kOthersInCharge, Params() << person.account << person.role << person.key);
  if (!others) return fail(others.error());
  return others->empty() ? last_in_charge() : Result<void>();
}

Result<void> Changes::change_person(const Person& person) {
  auto fit = check_sound(person);
  if (!fit) return fit;
  const auto before = hold_person(person.key);
  if (!before) return fail(before.error());
  if (before->account != person.account) return no_such_person();
  if (before->email != person.email) fit = lock_people();
  if (fit && leaves_charge(*before, person)) fit = check_others_in_charge(*before);
  if (!fit) return fit;
  const std::string recovery = pack_recovery(person.recovery);
  const auto done = session_.ask(
      kChangePerson,
      Params() << person.key << std::string_view(person.email) << std::string_view(person.name)
               << person.role << std::string_view(person.language)
               << std::string_view(person.password_hash) << Octets{person.sealed_totp}
               << Octets{person.sealed_totp_offered} << person.totp_step_used << Octets{recovery}
               << person.suspended << person.confirmed << person.seen
               << std::string_view(person.stands_for));
  if (!done) return fail(done.error());
  return done->changes() == 0 ? person_email_taken() : Result<void>();
}

Result<void> Changes::remove_person(PersonKey key) {
  const auto before = hold_person(key);
  if (!before) return fail(before.error());
  if (is_in_charge(*before)) {
    if (auto others = check_others_in_charge(*before); !others) return others;
  }
  const auto done = session_.add(kEndSignIns, Params() << key << SignInKey{} << session_.now())
                        .add(kVoidLinks, Params() << key)
                        .add(kDropKeptTexts, Params() << key)
                        .add(kDropPerson, Params() << key)
                        .fly();
  if (!done) return fail(done.error());
  return {};
}

// ---- what they are signed in with --------------------------------------------------------------

Result<void> Changes::make_room_for_sign_in(PersonKey person, bool half, SignInKey coming) {
  return done_by(
      session_.ask(kMakeRoomForSignIn, Params() << person << half << coming
                                                << (half ? kHalfSignInsMax : kSignInsMax) - 1));
}

Result<SignIn> Changes::add_sign_in(const NewSignIn& wanted) {
  if (auto sound = check_sound(wanted); !sound) return fail(std::move(sound.error()));
  if (const auto held = hold_person(wanted.person); !held) return fail(held.error());
  const auto key = session_.take_numbers(1);
  if (!key) return fail(key.error());
  const auto room = make_room_for_sign_in(wanted.person, wanted.half, SignInKey{*key});
  if (!room) return fail(room.error());
  const auto made = session_.ask(
      kInsertSignIn, Params() << *key << wanted.person << std::string_view(wanted.token_sha256)
                              << wanted.half << wanted.acting_for << session_.now()
                              << session_.now() + wanted.idle << session_.now() + wanted.life
                              << std::string_view(wanted.from)
                              << utf8_prefix(wanted.agent, kSignInAgentMax));
  if (!made) return fail(made.error());
  if (made->empty()) return sign_in_token_taken();
  return sign_in_in(*made, 0);
}

Result<SignIn> Changes::rotate_sign_in(SignInKey key, std::string_view token_sha256, bool half,
                                       Milliseconds idle, Milliseconds life) {
  if (auto sound = check_token(token_sha256); !sound) return fail(std::move(sound.error()));
  const auto held = session_.ask(kHoldSignIn, Params() << key << session_.now());
  if (!held) return fail(held.error());
  if (held->empty()) return no_such_sign_in();
  const auto room = make_room_for_sign_in(PersonKey{held->integer(0, 0)}, half, key);
  if (!room) return fail(room.error());
  const auto changed_to =
      session_.ask(kRotateSignIn, Params() << key << token_sha256 << half << session_.now()
                                           << session_.now() + idle << session_.now() + life);
  if (!changed_to) return fail(changed_to.error());
  if (changed_to->empty()) return sign_in_token_taken();
  return sign_in_in(*changed_to, 0);
}

Result<bool> Changes::use_sign_in(SignInKey key, Milliseconds idle) {
  const auto done =
      session_.ask(kUseSignIn, Params() << key << session_.now() << session_.now() + idle);
  if (!done) return fail(done.error());
  return done->changes() > 0;
}

Result<bool> Changes::act_for(SignInKey key, AccountKey account) {
  const auto done = session_.ask(kActFor, Params() << key << account << session_.now());
  if (!done) return fail(done.error());
  return done->changes() > 0;
}

Result<void> Changes::end_sign_in(PersonKey person, SignInKey key) {
  const auto done = session_.ask(kEndSignIn, Params() << key << person);
  if (!done) return fail(done.error());
  return done->changes() == 0 ? no_such_sign_in() : Result<void>();
}

Result<std::int64_t> Changes::end_sign_ins(PersonKey person, SignInKey left) {
  const auto ended = session_.ask(kEndSignIns, Params() << person << left << session_.now());
  if (!ended) return fail(ended.error());
  return ended->integer(0, 0);
}

Result<bool> Changes::drop_ended_sign_ins(std::int64_t rows) {
  const auto gone = session_.ask(kDropSignIns, Params() << session_.now() << rows);
  if (!gone) return fail(gone.error());
  const std::int64_t left = rows - gone->changes();
  if (left <= 0) return true;
  const auto links = session_.ask(kDropLinks, Params() << session_.now() << left);
  if (!links) return fail(links.error());
  return links->changes() >= left;
}

// ---- links that are good once ------------------------------------------------------------------

Result<void> Changes::add_link(std::string_view token_sha256, LinkPurpose purpose, PersonKey person,
                               Milliseconds life, Earlier earlier) {
  if (auto sound = check_token(token_sha256); !sound) return sound;
  // Of the first operator's, of whom there is no row, those who make one wait for each other, too.
  if (person == PersonKey{}) {
    if (auto locked = lock_people(); !locked) return locked;
  } else if (const auto held = hold_person(person); !held) {
    return fail(held.error());
  }
  if (earlier == Earlier::are_void) {
    const auto gone = session_.ask(kVoidLinksFor, Params() << person << purpose);
    if (!gone) return fail(gone.error());
  }
  const auto made = session_.ask(kInsertLink, Params() << token_sha256 << purpose << person
                                                       << session_.now() << session_.now() + life);
  if (!made) return fail(made.error());
  return made->changes() == 0 ? sign_in_token_taken() : Result<void>();
}

Result<store::Link> Changes::use_link(std::string_view token_sha256) {
  return the_link(session_.ask(kUseLink, Params() << token_sha256 << session_.now()));
}

Result<void> Changes::void_links(PersonKey person) {
  return done_by(session_.ask(kVoidLinks, Params() << person));
}

// ---- what accounts ask for, and what was typed -------------------------------------------------

Result<void> Changes::put_sign_in_rules(AccountKey account, const SignInRules& rules) {
  if (auto sound = check_sound(rules); !sound) return sound;
  if (const auto owner = questions_.account(account); !owner) return fail(owner.error());
  if (rules == SignInRules{}) {
    return done_by(session_.ask(kDropSignInRules, Params() << account));
  }
  if (auto known = questions_.all_know(Novelty::people); !known) return known;
  if (rules.approval) {
    if (auto known = questions_.all_know(Novelty::approvals); !known) return known;
  }
  const std::string networks = pack_networks(rules.networks);
  return done_by(session_.ask(kPutSignInRules, Params() << account << rules.second_factor
                                                        << std::string_view(networks)
                                                        << rules.approval));
}

Result<void> Changes::keep_text(PersonKey person, std::string_view place, std::string_view text) {
  if (auto sound = check_kept_text(place, text); !sound) return sound;
  if (const auto held = hold_person(person); !held) return fail(held.error());
  session_.add(kDropKeptText, Params() << person << place);
  if (!text.empty()) {
    session_.add(kMakeRoomForText, Params() << person << kKeptTextsMax - 1)
        .add(kKeepText, Params() << person << place << session_.now() << text);
  }
  const auto done = session_.fly();
  if (!done) return fail(done.error());
  return {};
}

Result<void> Changes::drop_texts(PersonKey person) {
  return done_by(session_.ask(kDropKeptTexts, Params() << person));
}

Result<bool> Changes::drop_old_texts(std::int64_t rows) {
  const auto done = session_.ask(kDropOldTexts, Params() << session_.now() - kKeptTextLife << rows);
  if (!done) return fail(done.error());
  return done->changes() >= rows;
}

}  // namespace todoku::store::postgres
