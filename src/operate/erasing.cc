// SPDX-License-Identifier: Apache-2.0
// Erasing what is kept of an address, a part at a time.
#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "base/log.h"
#include "mail/suppression.h"
#include "operate/operations.h"
#include "operate/person.h"

namespace todoku::operate {
namespace {

constexpr std::int64_t kErasedAtOnce = 25;       // mails of one commit
constexpr std::int64_t kErasedListsAtOnce = 50;  // accounts of one commit
constexpr std::string_view kErasedFor = "withdrawn: what is kept of its recipient is erased";

Result<void> erase_mails(store::WriteTransaction& writer, const std::vector<store::Story>& stories,
                         const std::string& address, Erasure& told) {
  std::set<store::AccountKey> accounts;
  for (const store::Story& story : stories) {
    const auto erased = writer.erase_recipient(story.key, address);
    if (!erased && erased.error().kind == ErrorKind::not_found) continue;
    if (!erased && erased.error().kind == ErrorKind::conflict) {
      told.on_their_way.push_back({.account = story.account,
                                   .delivery_id = story.delivery_id,
                                   .email_id = story.email_id,
                                   .state = story.state,
                                   .others_wait = is_terminal(story.state)});
      continue;
    }
    if (!erased) return fail(erased.error());
    ++told.erased;
    if (erased->content_erased) ++told.contents_erased;
    if (erased->content_stays) ++told.contents_kept;
    const auto owner = writer.read().account_by_name(story.account);
    if (!owner) return fail(owner.error());
    accounts.insert(owner->key);
  }
  for (const store::AccountKey account : accounts) {
    const auto exports = writer.expire_copies(account);
    if (!exports) return fail(exports.error());
    told.exports += *exports;
  }
  return {};
}

Result<void> erase_list(store::WriteTransaction& writer, store::AccountKey account,
                        const std::string& subject, Erasure& told) {
  const auto erased = writer.erase_suppressions(account, subject);
  if (!erased) return fail(erased.error());
  told.stops.hashed += erased->hashed;
  told.stops.removed += erased->removed;
  told.stops.removals += erased->removals;
  if (account == store::kInstallation) return {};
  // Whatever was found: a file may be older than what was removed of the address since.
  const auto exports = writer.expire_copies(account);
  if (!exports) return fail(exports.error());
  told.exports += *exports;
  return {};
}

Result<void> erase_lists(store::WriteTransaction& writer, std::int64_t after,
                         const std::string& subject, Erasure& told) {
  if (after == 0) {
    auto done = erase_list(writer, store::kInstallation, subject, told);
    if (!done) return done;
  }
  const auto accounts = writer.read().accounts(store::AccountKey{after}, kErasedListsAtOnce);
  if (!accounts) return fail(accounts.error());
  for (const store::Account& account : *accounts) {
    auto done = erase_list(writer, account.key, subject, told);
    if (!done) return done;
  }
  if (std::ssize(*accounts) < kErasedListsAtOnce) return {};
  told.next =
      written({.in_lists = true, .number = static_cast<std::int64_t>(accounts->back().key)});
  return {};
}

// How many were: it has begun meanwhile, or the recipient is gone, and then none.
Result<std::int64_t> taken_out(const Result<void>& done) {
  if (done) return 1;
  const ErrorKind why = done.error().kind;
  if (why == ErrorKind::conflict || why == ErrorKind::not_found) return 0;
  return fail(done.error());
}

// Of a reserved transaction each recipient was told of when it was made: it is its owner's to
// cancel.
bool can_be_taken_out(const store::Story& story) {
  const bool is_to_start = story.delivery_status == DeliveryStatus::reserve ||
                           story.delivery_status == DeliveryStatus::wait;
  return story.delivery_status == DeliveryStatus::edit ||
         (is_to_start && story.type == DeliveryType::bulk);
}

}  // namespace

// Of what goes out, and nobody has in hand: who has may be sending it. Of a draft, and of a bulk
// that is to start, the recipient is taken out: each by itself, so that of one that begins in this
// moment nothing is left half done.
Task<Result<void>> Operations::stop_mails(std::vector<store::Story>& stories, Erasure& told) {
  std::vector<store::OutcomeRecord> records;
  std::vector<store::RecipientKey> drafted;
  for (const store::Story& story : stories) {
    if (is_terminal(story.state)) continue;
    if (can_be_taken_out(story)) drafted.push_back(story.key);
    if (story.delivery_status != DeliveryStatus::sending) continue;
    records.push_back({.key = story.key,
                       .outcome = {.state = RecipientState::cancelled,
                                   .reply = {0, std::string(kErasedFor)},
                                   .is_attempt = false}});
    records.back().if_free = true;
  }
  if (!records.empty()) {
    const auto settled =
        co_await store_.perform(store::Settle{.outcomes = records, .releases = {}});
    if (!settled) co_return fail(settled.error());
    told.stopped +=
        std::ranges::count_if(settled->outcomes, [](const auto& each) { return each.has_value(); });
  }
  for (const store::RecipientKey& key : drafted) {
    const auto done = co_await store_.write(
        store::WritePriority::claims,
        [key](store::WriteTransaction& writer) { return writer.withdraw_recipient(key); });
    const auto gone = taken_out(done);
    if (!gone) co_return fail(gone.error());
    told.stopped += *gone;
    told.erased += *gone;
  }
  co_return Result<void>{};
}

Task<Result<Erasure>> Operations::erase_personal_data(ErasureRequest request) {
  const auto place = read_personal_place(request.after);
  if (!place) co_return fail(place.error());
  const auto whose = co_await person(request.address, request.account);
  if (!whose) co_return fail(whose.error());
  const auto noted =
      co_await note_ask("personal_data.delete", *whose, request.asker, request.after.empty());
  if (!noted) co_return fail(noted.error());
  std::optional<store::AccountKey> owner;
  if (whose->owner) owner = whose->owner->key;
  Erasure told{.address = whose->address};
  if (place->in_lists) {
    co_return co_await store_.write(store::WritePriority::retention,
                                    [told, owner, after = place->number.value_or(0),
                                     subject = subject_of_address(whose->address)](
                                        store::WriteTransaction& writer) -> Result<Erasure> {
                                      Erasure lists = told;
                                      auto done = owner
                                                      ? erase_list(writer, *owner, subject, lists)
                                                      : erase_lists(writer, after, subject, lists);
                                      if (!done) return fail(std::move(done.error()));
                                      return lists;
                                    });
  }
  auto page = co_await store_.read(
      [address = whose->address, owner, from = place->number](store::ReadTransaction& reader) {
        return reader.stories(address, owner, kErasedAtOnce, from);
      });
  if (!page) co_return fail(std::move(page.error()));
  if (request.stop) {
    const auto stopped = co_await stop_mails(page->stories, told);
    if (!stopped) co_return fail(stopped.error());
  }
  told.next = written({.in_lists = !page->next, .number = page->next});
  auto erased = co_await store_.write(store::WritePriority::retention,
                                      [told, stories = page->stories, address = whose->address](
                                          store::WriteTransaction& writer) -> Result<Erasure> {
                                        Erasure mails = told;
                                        auto done = erase_mails(writer, stories, address, mails);
                                        if (!done) return fail(std::move(done.error()));
                                        return mails;
                                      });
  if (!erased) co_return fail(std::move(erased.error()));
  log::info("personal data erased", {{"mails", erased->erased},
                                     {"on_their_way", erased->on_their_way.size()},
                                     {"actor", request.asker.actor}});
  co_return std::move(*erased);
}

}  // namespace todoku::operate
