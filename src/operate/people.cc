// SPDX-License-Identifier: Apache-2.0
// People who sign in at the console: who there is, links for them, their suspension and removal.
#include "operate/people.h"

#include <utility>

#include <fmt/format.h>

#include "access/roles.h"
#include "base/bytes.h"
#include "base/printable.h"
#include "mail/suppression.h"
#include "operate/operations.h"
#include "people/people.h"
#include "store/account_name.h"

namespace todoku::operate {
namespace {

Result<std::string> canonical(std::string_view email) {
  auto subject = stop_subject(trim(email));
  if (subject && !subject->starts_with('@')) return subject;
  return fail(ErrorKind::invalid_input, fmt::format("{} is no address", printable(email)));
}

std::unexpected<Error> no_console() {
  return fail(ErrorKind::unsupported,
              "there is no console here: console.listen is empty (docs/console.md)");
}

Result<PersonLink> link_of(people::Answer<people::IssuedLink> issued, std::string email) {
  if (!issued) return fail(issued.error().kind, issued.error().reason.en);
  return PersonLink{.url = std::move(issued->url), .end = issued->end, .email = std::move(email)};
}

// Of a change that an operator of the machine makes.
Result<void> note_change(store::WriteTransaction& change, const store::Person& person,
                         std::string_view action, const Asker& asker) {
  return change.add_audit({.actor = asker.actor,
                           .action = fmt::format("{}: {}", action, person.email),
                           .account = person.account,
                           .origin = asker.origin},
                          person.email);
}

}  // namespace

Result<people::People*> Operations::people_here() const {
  if (!options_.people || !options_.console_url || options_.console_url().empty()) {
    return no_console();
  }
  return options_.people();
}

Task<Result<PersonLink>> Operations::link_for_operator(Asker asker) {
  const auto people = people_here();
  if (!people) co_return fail(people.error());
  auto issued = co_await (*people)->first_operator_link(asker.actor, asker.origin);
  co_return link_of(std::move(issued), {});
}

Task<Result<PersonLink>> Operations::link_for_person(std::string email, Asker asker) {
  const auto people = people_here();
  if (!people) co_return fail(people.error());
  auto address = canonical(email);
  if (!address) co_return fail(std::move(address.error()));
  auto issued = co_await (*people)->link_for(*address, asker.actor, asker.origin);
  co_return link_of(std::move(issued), std::move(*address));
}

Task<Result<PersonLink>> Operations::invite_person(NewPersonWish wish, Asker asker) {
  if (const auto people = people_here(); !people) co_return fail(people.error());
  auto address = canonical(wish.email);
  if (!address) co_return fail(std::move(address.error()));
  const bool is_operator = wish.account.empty();
  const auto role = access::parse_role(is_operator && wish.role.empty() ? "operator" : wish.role);
  if (!role || (*role == store::Role::operator_) != is_operator) {
    co_return fail(ErrorKind::invalid_input,
                   "the role is owner, sender, viewer or support of an account, or, without an "
                   "account, operator");
  }
  store::NewPerson wanted{.email = *address,
                          .name = wish.name.empty() ? *address : std::move(wish.name),
                          .role = *role,
                          .language = std::move(wish.language)};
  const auto added = co_await store_.write(
      store::WritePriority::accept,
      [wanted, account = std::move(wish.account),
       asker](store::WriteTransaction& change) mutable -> Result<void> {
        if (!account.empty()) {
          const auto owner = change.read().account_by_name(account);
          if (!owner) return fail(owner.error());
          wanted.account = owner->key;
        }
        const auto person = change.add_person(wanted);
        if (!person) return fail(person.error());
        return note_change(change, *person,
                           fmt::format("people.add {}", access::to_string(person->role)), asker);
      });
  if (!added) co_return fail(added.error());
  co_return co_await link_for_person(std::move(*address), std::move(asker));
}

Task<Result<std::vector<PersonRow>>> Operations::people_of(std::string account) {
  co_return co_await store_.read(
      [account](store::ReadTransaction& reader) -> Result<std::vector<PersonRow>> {
        store::AccountKey key{};
        if (!account.empty()) {
          const auto owner = reader.account_by_name(account);
          if (!owner) return fail(owner.error());
          key = owner->key;
        }
        auto people = reader.people(key, {}, store::kPeopleMax);
        if (!people) return fail(std::move(people.error()));
        std::vector<PersonRow> rows;
        for (store::Person& person : *people) rows.push_back({std::move(person), account});
        return rows;
      });
}

Task<Result<void>> Operations::suspend_person(std::string email, bool suspended, Asker asker) {
  const auto address = canonical(email);
  if (!address) co_return fail(address.error());
  const auto done = co_await store_.write(
      store::WritePriority::accept,
      [address = *address, suspended, asker](store::WriteTransaction& change) -> Result<void> {
        const auto found = change.read().person_by_email(address);
        if (!found) return fail(found.error());
        auto person = change.hold_person(found->key);
        if (!person) return fail(std::move(person.error()));
        person->suspended = suspended;
        if (auto put = change.change_person(*person); !put) return put;
        if (suspended) {
          const auto ended = change.end_sign_ins(person->key, {});
          if (!ended) return fail(ended.error());
          if (auto gone = change.void_links(person->key); !gone) return gone;
        }
        return note_change(change, *person, suspended ? "people.suspend" : "people.resume", asker);
      });
  co_return done;
}

Task<Result<void>> Operations::remove_person(std::string email, Asker asker) {
  const auto address = canonical(email);
  if (!address) co_return fail(address.error());
  const auto done = co_await store_.write(
      store::WritePriority::accept,
      [address = *address, asker](store::WriteTransaction& change) -> Result<void> {
        const auto person = change.read().person_by_email(address);
        if (!person) return fail(person.error());
        if (auto gone = change.remove_person(person->key); !gone) return gone;
        return note_change(change, *person, "people.remove", asker);
      });
  co_return done;
}

}  // namespace todoku::operate
