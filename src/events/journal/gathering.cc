// SPDX-License-Identifier: Apache-2.0
#include "events/journal/gathering.h"

#include <algorithm>
#include <span>
#include <utility>

namespace todoku::events::journal {
namespace {

constexpr std::int64_t kRemovalsAtOnce = 500;
constexpr int kRemovalPagesMax = 100;
// Of texts in the entries of lists: a subject may have 200 with notes.
constexpr std::size_t kTextOctetsAtOnce = std::size_t{1} << 20U;

Stopped stopped(store::Suppression entry) {
  return {.at = entry.updated,
          .account = entry.account,
          .subject = std::move(entry.subject),
          .reason = entry.reason,
          .scope = entry.scope,
          .list_id = std::move(entry.list_id),
          .note = std::move(entry.note),
          .code = entry.cause.code,
          .expires = entry.expires};
}

// All that its owner has of the subject: of several that were changed at once, too.
Result<void> tell_standing(store::ReadTransaction& transaction, store::AccountKey account,
                           const std::string& subject, Gathered& gathered) {
  auto entries = transaction.stops_of(account, std::span(&subject, 1));
  if (!entries) return fail(entries.error());
  for (store::StoppedSubject& found : *entries) {
    const bool is_its = found.entry.account == account && found.entry.subject == subject;
    if (!is_its) continue;
    gathered.text_octets +=
        found.entry.subject.size() + found.entry.list_id.size() + found.entry.note.size();
    gathered.entries.emplace_back(stopped(std::move(found.entry)));
  }
  return {};
}

Result<void> gather_stops(store::ReadTransaction& transaction, std::int64_t limit, Instant now,
                          Gathered& gathered) {
  Instant& stops_from = gathered.progress.stops_from;
  // A clock that was ahead is put right: what is changed from here on is seen none the less.
  const bool was_ahead = stops_from > now;
  const Instant from = was_ahead ? now - kStopsAgain : stops_from;
  const auto recent = transaction.recent_suppressions(from, limit);
  if (!recent) return fail(recent.error());
  ToldStops& told = gathered.told.stops;
  bool is_new = false;
  for (const store::RecentStop& stop : *recent) {
    const auto known = told.find({stop.account, stop.subject});
    if (known != told.end() && known->second >= stop.updated) continue;
    if (gathered.text_octets >= kTextOctetsAtOnce) {
      // What was told of the page is known at the next look at it.
      gathered.more = true;
      return {};
    }
    auto told_all = tell_standing(transaction, stop.account, stop.subject, gathered);
    if (!told_all) return told_all;
    told[{stop.account, stop.subject}] = stop.updated;
    is_new = true;
  }
  if (recent->empty()) return {};
  const bool full = std::ssize(*recent) >= limit;
  const Instant last = recent->back().updated;
  // As long as there are more behind, the page itself must move on.
  const Instant before =
      std::exchange(stops_from, std::max(from, full ? last : last - kStopsAgain));
  const bool stays = stops_from == before || (was_ahead && !is_new);
  gathered.crowded = full && stays;
  gathered.more = gathered.more || (full && (!stays || is_new || limit < kStopsLookedMax));
  const Instant kept_from = std::min(stops_from, now - kStopsAgain);
  std::erase_if(told, [&](const auto& each) { return each.second < kept_from; });
  return {};
}

// Behind each removal stands what is stopped now: who was put anew since may have been told of in
// an earlier record, and whatever the clocks said of the two, the last word is the store's.
Result<void> tell_removal(store::ReadTransaction& transaction, store::SuppressionChange removal,
                          Gathered& gathered) {
  gathered.entries.emplace_back(Unstopped{.at = removal.at,
                                          .account = removal.account,
                                          .subject = removal.subject,
                                          .reason = removal.reason,
                                          .list_id = std::move(removal.list_id)});
  return tell_standing(transaction, removal.account, removal.subject, gathered);
}

// The place stays before the first that is young: one that is seen later may have a smaller number.
Result<void> gather_removals(store::ReadTransaction& transaction, Instant now, Gathered& gathered) {
  std::int64_t& place = gathered.progress.removals_after;
  std::set<std::int64_t>& told = gathered.told.removals;
  std::int64_t after = place;
  bool all_old = true;
  std::int64_t newly = 0;
  for (int page = 0; page < kRemovalPagesMax && newly < kRemovalsAtOnce; ++page) {
    auto removals = transaction.removals_after(after, kRemovalsAtOnce);
    if (!removals) return fail(removals.error());
    for (store::SuppressionChange& removal : *removals) {
      if (gathered.text_octets >= kTextOctetsAtOnce) {
        gathered.more = true;
        told.erase(told.begin(), told.upper_bound(place));
        return {};
      }
      after = removal.number;
      all_old = all_old && removal.at <= now - kStopsAgain;
      if (all_old) place = after;
      if (!told.insert(after).second) continue;
      ++newly;
      auto done = tell_removal(transaction, std::move(removal), gathered);
      if (!done) return done;
    }
    if (std::ssize(*removals) < kRemovalsAtOnce) {
      told.erase(told.begin(), told.upper_bound(place));
      return {};
    }
  }
  gathered.more = true;
  // So many of a few seconds: the place moves on all the same.
  if (newly == 0) place = after;
  told.erase(told.begin(), told.upper_bound(place));
  return {};
}

// What starts have pinned is not told by events.
Result<void> add_pins(store::ReadTransaction& transaction, std::span<Entry> entries) {
  std::map<store::DeliveryKey, Steered*> started;
  std::vector<store::DeliveryKey> keys;
  for (Entry& entry : entries) {
    auto* const steered = std::get_if<Steered>(&entry);
    if (steered == nullptr || steered->kind != store::EventKind::delivery_started) continue;
    if (started.emplace(steered->delivery, steered).second) keys.push_back(steered->delivery);
  }
  if (keys.empty()) return {};
  const auto heads = transaction.delivery_heads(keys);
  if (!heads) return fail(heads.error());
  for (const store::Delivery& head : *heads) {
    const auto found = started.find(head.key);
    if (found == started.end()) continue;
    found->second->signing = head.signing;
    found->second->expires = head.expires;
  }
  return {};
}

Result<void> gather_events(store::ReadTransaction& transaction, Gathered& gathered) {
  const auto page = transaction.events({.account = std::nullopt,
                                        .after = gathered.progress.after,
                                        .after_account = gathered.progress.after_account,
                                        .limit = store::kEventsLimitMax,
                                        .kinds = {},
                                        .delivery = std::nullopt,
                                        .address = {},
                                        .tag = {}});
  if (!page) return fail(page.error());
  const std::size_t first = gathered.entries.size();
  for (const store::EventRecord& event : page->events) {
    const store::SheetEntry& entry = event.entry;
    if (is_steered(entry.kind)) {
      gathered.entries.emplace_back(
          Steered{.kind = entry.kind, .at = entry.at, .delivery = entry.delivery});
    }
    if (!is_ended(entry.kind)) continue;
    gathered.entries.emplace_back(
        Ended{.kind = entry.kind,
              .at = entry.at,
              .key = {.delivery = entry.delivery, .batch = entry.batch, .seq = entry.seq},
              .code = entry.code,
              .address_hash = event.is_gone ? kAnyAddress : hash_of(event.address)});
  }
  gathered.progress.after = page->next;
  gathered.progress.after_account = page->next_account;
  gathered.more = gathered.more || page->more;
  gathered.lost = page->lost;
  return add_pins(transaction, std::span(gathered.entries).subspan(first));
}

}  // namespace

Result<Gathered> gather(store::ReadTransaction& transaction, const Progress& progress,
                        const Told& told, std::int64_t stops_limit, Instant now) {
  Gathered gathered{.entries = {}, .progress = progress, .told = told};
  if (auto done = gather_removals(transaction, now, gathered); !done) return fail(done.error());
  if (auto done = gather_stops(transaction, stops_limit, now, gathered); !done) {
    return fail(done.error());
  }
  if (auto done = gather_events(transaction, gathered); !done) return fail(done.error());
  return gathered;
}

}  // namespace todoku::events::journal
