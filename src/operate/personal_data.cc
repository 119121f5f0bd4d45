// SPDX-License-Identifier: Apache-2.0
// What is kept of an address, told page by page.
#include "operate/personal_data.h"

#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mail/address.h"
#include "mail/suppression.h"
#include "operate/operations.h"
#include "operate/person.h"

namespace todoku::operate {
namespace {

constexpr std::int64_t kMailsAtOnce = 50;
constexpr std::int64_t kListsAtOnce = 50;  // accounts whose lists are looked at

Result<PersonalMail> mail_of(store::ReadTransaction& reader, store::Story story) {
  PersonalMail mail;
  // The whole one where a message was relayed: only there is it said by whom.
  auto delivery = story.type == DeliveryType::smtp ? reader.delivery(story.key.delivery)
                                                   : reader.delivery_head(story.key.delivery);
  if (!delivery) return fail(std::move(delivery.error()));
  mail.labels = std::move(delivery->labels);
  if (delivery->content.relayed) mail.credential = delivery->content.relayed->credential;
  auto recipient = reader.recipient(delivery->account, story.email_id);
  if (!recipient) return fail(std::move(recipient.error()));
  mail.insert_codes = std::move(recipient->insert_codes);
  auto opens = reader.opens_of(delivery->account, std::span(&story.email_id, 1));
  if (!opens) return fail(std::move(opens.error()));
  if (!opens->empty()) mail.opens = opens->front();
  mail.story = std::move(story);
  return mail;
}

Result<void> add_mails(store::ReadTransaction& reader, std::optional<store::AccountKey> owner,
                       const PersonalPlace& place, PersonalPage& page) {
  auto found = reader.stories(page.address, owner, kMailsAtOnce, place.number);
  if (!found) return fail(std::move(found.error()));
  for (store::Story& story : found->stories) {
    auto mail = mail_of(reader, std::move(story));
    if (!mail && mail.error().kind == ErrorKind::not_found) continue;
    if (!mail) return fail(std::move(mail.error()));
    page.mails.push_back(std::move(*mail));
  }
  page.next = written({.in_lists = !found->next, .number = found->next});
  return {};
}

// What one list says of the address itself: entries of its whole domain are of nobody.
Result<void> add_list(store::ReadTransaction& reader, store::AccountKey account,
                      const std::string& name, const std::string& subject, PersonalPage& page) {
  auto stops = reader.stops_of(account, std::span(&subject, 1));
  if (!stops) return fail(std::move(stops.error()));
  for (store::StoppedSubject& stop : *stops) {
    if (stop.entry.account != account || stop.entry.subject.starts_with('@')) continue;
    page.stops.push_back({.account = name, .entry = std::move(stop.entry)});
  }
  auto removals = reader.removals_of(account, subject);
  if (!removals) return fail(std::move(removals.error()));
  for (store::SuppressionChange& change : *removals) {
    page.removals.push_back({.account = name, .change = std::move(change)});
  }
  return {};
}

Result<void> add_lists(store::ReadTransaction& reader, const std::optional<store::Account>& owner,
                       const PersonalPlace& place, PersonalPage& page) {
  const std::string subject = subject_of_address(page.address);
  if (owner) return add_list(reader, owner->key, owner->name, subject, page);
  const std::int64_t after = place.number.value_or(0);
  if (after == 0) {
    auto added = add_list(reader, store::kInstallation, {}, subject, page);
    if (!added) return added;
  }
  const auto accounts = reader.accounts(store::AccountKey{after}, kListsAtOnce);
  if (!accounts) return fail(accounts.error());
  for (const store::Account& account : *accounts) {
    auto added = add_list(reader, account.key, account.name, subject, page);
    if (!added) return added;
  }
  if (std::ssize(*accounts) < kListsAtOnce) return {};
  page.next =
      written({.in_lists = true, .number = static_cast<std::int64_t>(accounts->back().key)});
  return {};
}

}  // namespace

Task<Result<Operations::Person>> Operations::person(std::string address, std::string account_name) {
  Person whose;
  if (!account_name.empty()) {
    auto known = co_await account(std::move(account_name));
    if (!known) co_return fail(std::move(known.error()));
    whose.owner = std::move(*known);
  }
  const auto read = parse_address(trim(address));
  if (!read) {
    co_return fail(ErrorKind::invalid_input, fmt::format("{}: {}", address, read.error().detail));
  }
  whose.address = read->to_string();
  co_return whose;
}

// Where a part begins can be guessed: that a page has told it is no reason to believe that who
// asked for that page is on record.
Task<Result<void>> Operations::note_ask(std::string action, Person whose, Asker asker,
                                        bool begins) {
  const store::AccountKey account = whose.owner ? whose.owner->key : store::kInstallation;
  NotedAsks::Ask ask{asker.actor, asker.origin, action, account, whose.address};
  const SteadyInstant now = clock_.steady_now();
  if (!begins && noted_asks_.is_noted(ask, now)) co_return Result<void>{};
  auto noted = co_await note({.actor = std::move(asker.actor),
                              .action = std::move(action),
                              .account = account,
                              .origin = std::move(asker.origin)},
                             std::move(whose.address));
  if (noted) noted_asks_.add(std::move(ask), now);
  co_return noted;
}

Task<Result<PersonalPage>> Operations::personal_data(PersonalRequest request) {
  const auto place = read_personal_place(request.after);
  if (!place) co_return fail(place.error());
  const auto whose = co_await person(request.address, request.account);
  if (!whose) co_return fail(whose.error());
  const auto noted =
      co_await note_ask("personal_data.export", *whose, request.asker, request.after.empty());
  if (!noted) co_return fail(noted.error());
  co_return co_await store_.read(
      [whose = *whose, from = *place, with_codes = request.with_insert_codes](
          store::ReadTransaction& reader) -> Result<PersonalPage> {
        PersonalPage page{.address = whose.address};
        std::optional<store::AccountKey> key;
        if (whose.owner) key = whose.owner->key;
        auto added = from.in_lists ? add_lists(reader, whose.owner, from, page)
                                   : add_mails(reader, key, from, page);
        if (!added) return fail(std::move(added.error()));
        if (!with_codes) {
          for (PersonalMail& mail : page.mails) mail.insert_codes.clear();
        }
        return page;
      });
}

}  // namespace todoku::operate
