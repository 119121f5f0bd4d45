// SPDX-License-Identifier: Apache-2.0
// What owners and operators do with other people, and the rules of signing in.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "access/roles.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "people/people.h"
#include "people/steps.h"

namespace todoku::people {
namespace {

using store::Role;

// Of an account nobody is an operator, and of the installation everybody is.
Result<void> may_make(const SignedIn& who, store::AccountKey account, Role role) {
  if (!access::may_grant(who.person.role, role)) {
    return stop(ErrorKind::unauthorized, texts::kMayNotGrant);
  }
  if ((role == Role::operator_) != (account == store::AccountKey{})) {
    return stop(ErrorKind::invalid_input, texts::kNotThisRole);
  }
  return {};
}

struct Held {
  store::Person actor;
  store::Person target;
  store::AccountKey account{};  // whose people they look after
};

// Both, in the order of their keys, which is everybody's. not_found: it is another account's.
Result<Held> hold(store::WriteTransaction& transaction, const SignedIn& who, store::PersonKey key) {
  const auto account = looked_after(who);
  if (!account) return fail(account.error());
  Result<store::Person> target;
  if (key < who.person.key) target = transaction.hold_person(key);
  auto actor = hold_actor(transaction, who);
  if (!actor) return fail(std::move(actor.error()));
  if (key >= who.person.key) target = transaction.hold_person(key);
  const bool is_nobody = !target && target.error().kind == ErrorKind::not_found;
  if (is_nobody || (target && target->account != *account)) {
    return stop(ErrorKind::not_found, texts::kNobody);
  }
  if (!target) return fail(std::move(target.error()));
  if (!access::may_grant(who.person.role, target->role)) {
    return stop(ErrorKind::unauthorized, texts::kMayNotGrant);
  }
  return Held{.actor = std::move(*actor), .target = std::move(*target), .account = *account};
}

Error last_stays(Error error) {
  if (error.detail.starts_with(store::kLastInCharge)) error.detail = texts::kLast.en;
  return error;
}

Result<store::Person> change_other(store::WriteTransaction& transaction, const SignedIn& who,
                                   store::PersonKey key, const PersonChange& change,
                                   const Visitor& visitor) {
  auto held = hold(transaction, who, key);
  if (!held) return fail(std::move(held.error()));
  store::Person& person = held->target;
  if (key == who.person.key && (change.role || change.suspended)) {
    return stop(ErrorKind::conflict, texts::kOwnRole);
  }
  if (change.role) {
    if (auto may = may_make(who, held->account, *change.role); !may) return fail(may.error());
  }
  auto changed = change_person(transaction, By::person(held->actor, visitor), person, change);
  if (!changed) return fail(last_stays(std::move(changed.error())));
  return std::move(person);
}

// An invitation that nobody accepted holds an address no longer than it is good, in whichever
// account it was made. Whether there was one.
Result<bool> drop_lapsed(store::WriteTransaction& transaction, const std::string& email,
                         const By& by) {
  const auto found = transaction.read().person_by_email(email);
  if (!found && found.error().kind == ErrorKind::not_found) return false;
  if (!found) return fail(found.error());
  const auto person = transaction.hold_person(found->key);
  if (!person) return fail(person.error());
  const auto is_invited = transaction.read().has_link(person->key);
  if (!is_invited) return fail(is_invited.error());
  if (*is_invited || !person->password_hash.empty() || person->suspended) return false;
  if (auto gone = transaction.remove_person(person->key); !gone) return fail(gone.error());
  // Of the account that had invited: who takes the address is not its affair.
  const By nobody{.actor = "todoku", .from = by.from};
  auto noted = note(transaction, person->account == store::AccountKey{} ? by : nobody,
                    about("person.invitation_lapsed", *person), person->account, person->email);
  if (!noted) return fail(std::move(noted.error()));
  return true;
}

// The invitation of this account, if there is one, that stands for the address: it is over when it
// is good no more, as any other is.
Result<void> end_stand_in(store::WriteTransaction& transaction, const store::NewPerson& wanted,
                          const By& by) {
  const auto people = transaction.read().people(wanted.account, {}, store::kPeopleMax);
  if (!people) return fail(people.error());
  const auto found = std::ranges::find(*people, wanted.email, &store::Person::stands_for);
  if (found == people->end()) return {};
  const auto is_invited = transaction.read().has_link(found->key);
  if (!is_invited) return fail(is_invited.error());
  if (*is_invited || found->suspended) return stop(ErrorKind::conflict, texts::kTaken);
  if (auto gone = transaction.remove_person(found->key); !gone) return gone;
  return note(transaction, {.actor = "todoku", .from = by.from},
              about("person.invitation_lapsed", *found), found->account, found->address());
}

struct Invitation {
  store::NewPerson wanted;
  std::string link_hash;
  bool mails = false;  // else it is handed over by who sees all people anyway
};

// Of an address that is somebody's of elsewhere nobody of an account is told so.
Result<store::Person> stand_in(store::WriteTransaction& transaction, const SignedIn& who,
                               store::NewPerson wanted) {
  const auto holder = transaction.read().person_by_email(wanted.email);
  if (!holder) return fail(holder.error());
  if (who.person.role == Role::operator_ || holder->account == wanted.account) {
    return stop(ErrorKind::conflict, texts::kTaken);
  }
  // RFC 6761 section 6.4: nobody has mail there.
  wanted.stands_for =
      std::exchange(wanted.email, fmt::format("{}@elsewhere.invalid", to_hex(random_octets(16))));
  return transaction.add_person(wanted);
}

Result<store::Person> add_other(store::WriteTransaction& transaction, const SignedIn& who,
                                const Invitation& invitation, const Visitor& visitor) {
  const store::NewPerson& wanted = invitation.wanted;
  auto actor = hold_actor(transaction, who);
  if (!actor) return fail(std::move(actor.error()));
  if (auto ended = end_stand_in(transaction, wanted, By::person(*actor, visitor)); !ended) {
    return fail(std::move(ended.error()));
  }
  auto person = transaction.add_person(wanted);
  if (!person && person.error().kind == ErrorKind::conflict) {
    auto lapsed = drop_lapsed(transaction, wanted.email, By::person(*actor, visitor));
    if (!lapsed) return fail(std::move(lapsed.error()));
    if (*lapsed) person = transaction.add_person(wanted);
  }
  if (!person && person.error().kind == ErrorKind::conflict) {
    if (!invitation.mails) return stop(ErrorKind::conflict, texts::kTaken);
    person = stand_in(transaction, who, wanted);
  }
  if (!person && person.error().kind == ErrorKind::limit_exceeded) {
    return stop(ErrorKind::limit_exceeded, texts::kTooMany);
  }
  if (!person) return person;
  auto linked = transaction.add_link(invitation.link_hash, store::LinkPurpose::invitation,
                                     person->key, kLinkLife, store::Earlier::are_void);
  if (!linked) return fail(std::move(linked.error()));
  auto noted = note_added(transaction, By::person(*actor, visitor), *person);
  if (!noted) return fail(std::move(noted.error()));
  return person;
}

// Nobody else may have it any more.
Result<void> take_own_address(store::WriteTransaction& transaction, store::Person& person) {
  if (person.stands_for.empty()) return {};
  const auto holder = transaction.read().person_by_email(person.stands_for);
  if (holder) return {};
  if (holder.error().kind != ErrorKind::not_found) return fail(holder.error());
  person.email = std::exchange(person.stands_for, {});
  return transaction.change_person(person);
}

Result<store::SignInRules> read_rules(store::SignInRules rules) {
  if (rules.networks.size() > store::kSignInNetworksMax) {
    return stop(ErrorKind::invalid_input, texts::kBadNetwork);
  }
  for (std::string& text : rules.networks) {
    const auto network = net::Network::parse(text);
    if (!network) return stop(ErrorKind::invalid_input, texts::kBadNetwork);
    text = network->to_string();
  }
  return rules;
}

std::string rules_put(const store::SignInRules& rules) {
  return fmt::format(
      "person.rules: second_factor={} approval={} networks={}", rules.second_factor, rules.approval,
      rules.networks.empty() ? "any" : fmt::format("{}", fmt::join(rules.networks, ",")));
}

// Whoever pastes it into a shell runs this and nothing else: an address may have quotes, `$` and
// the like in it, and begin with a hyphen (RFC 5322 section 3.2.3).
std::string command_for(const std::string& email) {
  std::string quoted;
  for (const char c : email) {
    if (c == '\'') {
      quoted += R"('\'')";
    } else {
      quoted += c;
    }
  }
  return fmt::format("todoku people reset -- '{}'", quoted);
}

}  // namespace

Task<Answer<std::vector<PersonView>>> People::people(Who who) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  const auto account = looked_after(*who);
  if (!account) co_return refuse(account.error());
  co_return co_await read(
      [account = *account](store::ReadTransaction& reader) -> Result<std::vector<PersonView>> {
        const auto found = reader.people(account, store::PersonKey{}, store::kPeopleMax);
        if (!found) return fail(found.error());
        std::vector<PersonView> views;
        for (const store::Person& person : *found) views.push_back(view_of(person));
        return views;
      });
}

Task<Answer<AddedPerson>> People::add(Who who, WantedPerson wanted, Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  const auto account = looked_after(*who);
  if (!account) co_return refuse(account.error());
  if (auto may = may_make(*who, *account, wanted.role); !may) co_return refuse(may.error());
  auto email = read_email(wanted.email);
  if (!email) co_return refuse(std::move(email.error()));
  auto name = read_name(wanted.name);
  if (!name) co_return refuse(std::move(name.error()));
  auto language = read_language(wanted.language);
  if (!language) co_return refuse(std::move(language.error()));
  const store::NewPerson person{.account = *account,
                                .email = std::move(*email),
                                .name = std::move(*name),
                                .role = wanted.role,
                                .language = std::move(*language)};
  if (auto may = may_mail(*who, person.email); !may) {
    co_return std::unexpected(std::move(may.error()));
  }
  const SecretText token(new_token());
  const Invitation invitation{.wanted = person, .link_hash = sha256_hex(token), .mails = mails()};
  auto added = co_await write([who, invitation, visitor](store::WriteTransaction& transaction) {
    return add_other(transaction, *who, invitation, visitor);
  });
  if (!added) co_return std::unexpected(std::move(added.error()));
  AddedPerson answer;
  answer.view = view_of(*added);
  answer.mailed = co_await mail_invitation(*added, url_of(token));
  if (!answer.mailed) answer.command = command_for(added->address());
  co_return answer;
}

// Whoever has the address of another account is told there what came of it. That a mail does not go
// is not told of it: the command for who is not mailed would make a link to that person.
Task<bool> People::mail_invitation(store::Person invited, std::string url) {
  if (invited.stands_for.empty()) {
    co_return co_await mail_link(std::move(invited), store::LinkPurpose::invitation,
                                 std::move(url));
  }
  auto holder =
      co_await store_.read([address = invited.stands_for](store::ReadTransaction& reader) {
        return reader.person_by_email(address);
      });
  if (!holder || options_.mailer == nullptr) co_return true;
  const auto sent =
      co_await options_.mailer->tell_invited_elsewhere(std::move(*holder), options_.public_url());
  if (!sent) log::warning("an invitation could not be told", {{"why", sent.error().detail}});
  co_return true;
}

Task<Answer<PersonView>> People::change(Who who, store::PersonKey key, PersonChange change,
                                        Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  if (change.name) {
    auto name = read_name(*change.name);
    if (!name) co_return refuse(std::move(name.error()));
    change.name = std::move(*name);
  }
  auto changed = co_await write([who, key, change, visitor](store::WriteTransaction& transaction) {
    return change_other(transaction, *who, key, change, visitor);
  });
  if (!changed) co_return std::unexpected(std::move(changed.error()));
  co_return view_of(*changed);
}

Task<Answer<void>> People::remove(Who who, store::PersonKey key, Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  if (key == who->person.key) co_return refuse(ErrorKind::conflict, texts::kOwnRole);
  auto done =
      co_await write([who, key, visitor](store::WriteTransaction& transaction) -> Result<bool> {
        auto held = hold(transaction, *who, key);
        if (!held) return fail(std::move(held.error()));
        auto removed = remove_person(transaction, By::person(held->actor, visitor), held->target);
        if (!removed) return fail(last_stays(std::move(removed.error())));
        return true;
      });
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Answer<void>();
}

Task<Answer<AddedPerson>> People::invite(Who who, store::PersonKey key, Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  auto invited =
      co_await read([key](store::ReadTransaction& reader) { return reader.person(key); });
  // Whoever is nobody of theirs is told so below, and counts for nobody's address.
  const bool is_theirs = invited && invited->account == account_of(*who);
  if (auto may = may_mail(*who, is_theirs ? invited->address() : std::string("nobody")); !may) {
    co_return std::unexpected(std::move(may.error()));
  }
  const SecretText token(new_token());
  auto person = co_await write([who, key, visitor, hash = sha256_hex(token)](
                                   store::WriteTransaction& transaction) -> Result<store::Person> {
    auto held = hold(transaction, *who, key);
    if (!held) return fail(std::move(held.error()));
    if (!held->target.password_hash.empty()) {
      return stop(ErrorKind::conflict, texts::kHasPassword);
    }
    if (auto taken = take_own_address(transaction, held->target); !taken) {
      return fail(std::move(taken.error()));
    }
    auto linked = transaction.add_link(hash, store::LinkPurpose::invitation, key, kLinkLife,
                                       store::Earlier::are_void);
    if (!linked) return fail(std::move(linked.error()));
    auto noted = note(transaction, By::person(held->actor, visitor),
                      about("person.link_invitation", held->target), held->target.account,
                      held->target.address());
    if (!noted) return fail(std::move(noted.error()));
    return std::move(held->target);
  });
  if (!person) co_return std::unexpected(std::move(person.error()));
  AddedPerson answer;
  answer.view = view_of(*person);
  answer.mailed = co_await mail_invitation(*person, url_of(token));
  if (!answer.mailed) answer.command = command_for(person->address());
  co_return answer;
}

Task<Answer<store::SignInRules>> People::rules(Who who) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  const auto account = looked_after(*who);
  if (!account) co_return refuse(account.error());
  co_return co_await read(
      [account = *account](store::ReadTransaction& reader) { return rules_of(reader, account); });
}

Task<Answer<void>> People::put_rules(Who who, store::SignInRules rules, Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  const auto account = looked_after(*who);
  if (!account) co_return refuse(account.error());
  if (*account == store::AccountKey{}) {
    co_return refuse(ErrorKind::conflict, texts::kRulesOfAccounts);
  }
  auto wanted = read_rules(std::move(rules));
  if (!wanted) co_return refuse(std::move(wanted.error()));
  const bool is_own = *account == who->person.account;
  if (is_own && !is_admitted(*wanted, visitor.from)) {
    co_return refuse(ErrorKind::conflict, texts::kShutOut);
  }
  auto done = co_await write([who, account = *account, wanted = *wanted,
                              visitor](store::WriteTransaction& transaction) -> Result<bool> {
    auto actor = hold_actor(transaction, *who);
    if (!actor) return fail(std::move(actor.error()));
    const auto before = transaction.read().sign_in_rules(account);
    if (!before) return fail(before.error());
    // Who wants a bulk to go must not be able to lift what holds it.
    if (before->approval && !wanted.approval && !who->is_operator()) {
      return stop(ErrorKind::unauthorized, texts::kApprovalStays);
    }
    if (auto put = transaction.put_sign_in_rules(account, wanted); !put) return fail(put.error());
    auto noted = note(transaction, By::person(*actor, visitor), rules_put(wanted), account, "");
    if (!noted) return fail(std::move(noted.error()));
    return true;
  });
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Answer<void>();
}

}  // namespace todoku::people
