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
#include "people/steps.h"
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

people::By of_machine(const Asker& asker) {
  return {.actor = asker.actor, .from = asker.origin};
}

// Held. not_found.
Result<store::Person> held_person(store::WriteTransaction& change, const std::string& address) {
  const auto found = change.read().person_by_email(address);
  if (!found) return fail(found.error());
  return change.hold_person(found->key);
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
  const auto added =
      co_await store_.write(store::WritePriority::accept,
                            [wanted, account = std::move(wish.account),
                             asker](store::WriteTransaction& change) mutable -> Result<void> {
                              if (!account.empty()) {
                                const auto owner = change.read().account_by_name(account);
                                if (!owner) return fail(owner.error());
                                wanted.account = owner->key;
                              }
                              const auto person = change.add_person(wanted);
                              if (!person) return fail(person.error());
                              return people::note_added(change, of_machine(asker), *person);
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
        auto person = held_person(change, address);
        if (!person) return fail(std::move(person.error()));
        return people::change_person(change, of_machine(asker), *person, {.suspended = suspended});
      });
  co_return done;
}

Task<Result<void>> Operations::remove_person(std::string email, Asker asker) {
  const auto address = canonical(email);
  if (!address) co_return fail(address.error());
  const auto done = co_await store_.write(
      store::WritePriority::accept,
      [address = *address, asker](store::WriteTransaction& change) -> Result<void> {
        const auto person = held_person(change, address);
        if (!person) return fail(person.error());
        return people::remove_person(change, of_machine(asker), *person);
      });
  co_return done;
}

}  // namespace todoku::operate
