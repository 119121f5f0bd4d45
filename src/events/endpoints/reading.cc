// SPDX-License-Identifier: Apache-2.0
#include "events/endpoints/reading.h"

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include "events/webhooks/bodies.h"
#include "events/webhooks/reading_place.h"
#include "events/webhooks/told_of.h"

namespace todoku::events::endpoints {
namespace {

using webhooks::OfferedEvent;
using webhooks::ReadingPlace;
using webhooks::Replay;
using webhooks::ToldEvent;
using webhooks::WrittenEvent;

store::EventPlace place_just_before(store::EventPlace place) {
  if (place.entry > 0) {
    --place.entry;
  } else {
    --place.commit;
    place.entry = std::numeric_limits<std::uint32_t>::max();
  }
  return place;
}

// Heads of the deliveries that events are about, as far as somebody asks for them.
class Heads {
 public:
  static Result<Heads> read(store::ReadTransaction& transaction, const Wanted& wanted,
                            std::span<const store::EventRecord> events) {
    std::vector<store::DeliveryKey> keys;
    for (const store::EventRecord& event : events) {
      if (webhooks::asks_for_delivery(wanted.form, wanted.wishes, event)) {
        keys.push_back(event.entry.delivery);
      }
    }
    Heads heads;
    if (keys.empty()) return heads;
    std::ranges::sort(keys);
    keys.erase(std::ranges::unique(keys).begin(), keys.end());
    auto found = transaction.delivery_heads(keys);
    if (!found) return fail(std::move(found.error()));
    for (store::Delivery& head : *found) heads.heads_.emplace(head.key, std::move(head));
    return heads;
  }

  [[nodiscard]] const store::Delivery* of(store::DeliveryKey key) const {
    const auto found = heads_.find(key);
    return found == heads_.end() ? nullptr : &found->second;
  }

 private:
  std::map<store::DeliveryKey, store::Delivery> heads_;
};

Result<std::shared_ptr<const WrittenEvent>> write(store::ReadTransaction& transaction,
                                                  const Wanted& wanted, store::EventRecord event,
                                                  const store::Delivery* head,
                                                  webhooks::EventWriter& writer) {
  const store::AccountKey account = event.account;
  const store::PublicId log_id = event.log_id;
  std::string explanation;
  if (wanted.form == store::WebhookForm::contract && wanted.explain) {
    explanation = wanted.explain(event);
  }
  ToldEvent told = webhooks::told_of(std::move(event), head);
  told.explanation = std::move(explanation);
  if (wanted.wishes.insert_codes && log_id != 0) {
    auto recipient = transaction.recipient(account, log_id);
    if (!recipient && recipient.error().kind != ErrorKind::not_found) {
      return fail(std::move(recipient.error()));
    }
    if (recipient) {
      for (InsertCode& code : recipient->insert_codes) {
        told.insert_codes.emplace_back(std::move(code.key), std::move(code.value));
      }
    }
  }
  return std::make_shared<const WrittenEvent>(writer.write(std::move(told)));
}

// Where the place that reading moves on stands in `place`: that of the first replay, or the
// stream's.
store::EventPlace& front_of(ReadingPlace& place) {
  return place.replays.empty() ? place.after : place.replays.front().after;
}

// True: there is no room for more of them; `place` is behind the last one.
Result<bool> offer(store::ReadTransaction& transaction, const Wanted& wanted,
                   std::span<store::EventRecord> events, std::size_t octets_max,
                   ReadingPlace& place, EventsRead& read) {
  const auto heads = Heads::read(transaction, wanted, events);
  if (!heads) return fail(heads.error());
  webhooks::EventWriter writer(wanted.form);
  read.events.reserve(events.size());
  std::size_t octets = 0;
  for (store::EventRecord& event : events) {
    if (octets > 0 && octets >= octets_max) return true;
    const store::Delivery* head = heads->of(event.entry.delivery);
    if (!webhooks::is_wanted(wanted.form, wanted.wishes, event, head)) continue;
    front_of(place) = event.place;
    const std::uint64_t order_key = webhooks::order_key_of(event.entry);
    auto written = write(transaction, wanted, std::move(event), head, writer);
    if (!written) return fail(std::move(written.error()));
    octets += webhooks::octets_of(**written);
    read.events.push_back({.told = std::move(*written),
                           .order_key = order_key,
                           .cursor_behind = webhooks::pack(place)});
  }
  return false;
}

}  // namespace

Result<EventsRead> read_events(store::ReadTransaction& transaction, const Wanted& wanted,
                               std::string_view cursor, const EventsRoom& room) {
  auto place = webhooks::unpack_reading_place(cursor);
  if (!place) return fail(std::move(place.error()));
  const bool is_replay = !place->replays.empty();
  store::EventQuestion question;
  question.account = wanted.account;
  question.after = front_of(*place);
  question.limit = std::min(static_cast<std::int64_t>(room.events), store::kEventsLimitMax);
  question.kinds = webhooks::kinds_wanted(wanted.form, wanted.wishes);
  if (is_replay) question.delivery = place->replays.front().delivery;
  auto page = transaction.events(question);
  if (!page) return fail(std::move(page.error()));
  EventsRead read{.more = page->more, .lost = page->lost && !is_replay};
  bool is_over = false;
  if (is_replay) {
    const store::EventPlace until = place->replays.front().until;
    std::erase_if(page->events,
                  [&](const store::EventRecord& event) { return event.place > until; });
    is_over = page->next > until || !page->more;
  }
  const auto is_full = offer(transaction, wanted, page->events, room.octets, *place, read);
  if (!is_full) return fail(is_full.error());
  if (*is_full) {
    read.more = true;
  } else if (is_over) {
    place->replays.erase(place->replays.begin());
    read.more = true;  // of the stream, perhaps
  } else {
    front_of(*place) = page->next;
  }
  read.cursor = webhooks::pack(*place);
  return read;
}

namespace {

// An event with the head of its delivery, as far as somebody asks for that.
struct Found {
  store::EventRecord event;
  Heads heads;
  [[nodiscard]] const store::Delivery* head() const { return heads.of(event.entry.delivery); }
};

Result<std::optional<Found>> find(store::ReadTransaction& transaction, const Wanted& wanted,
                                  std::string_view id) {
  const auto place = store::event_place(id);
  // Commits count from 1.
  if (!place || place->commit == 0) return std::nullopt;
  store::EventQuestion question;
  question.account = wanted.account;
  question.after = place_just_before(*place);
  question.limit = 1;
  question.kinds = webhooks::kinds_wanted(wanted.form, wanted.wishes);
  auto page = transaction.events(question);
  if (!page) return fail(std::move(page.error()));
  if (page->events.empty() || page->events.front().place != *place) return std::nullopt;
  if (page->events.front().is_gone) return std::nullopt;
  auto heads = Heads::read(transaction, wanted, page->events);
  if (!heads) return fail(std::move(heads.error()));
  Found found{std::move(page->events.front()), std::move(*heads)};
  if (!webhooks::is_wanted(wanted.form, wanted.wishes, found.event, found.head())) {
    return std::nullopt;
  }
  return found;
}

}  // namespace

Result<std::optional<store::EventRecord>> find_event(store::ReadTransaction& transaction,
                                                     const Wanted& wanted, std::string_view id) {
  auto found = find(transaction, wanted, id);
  if (!found) return fail(std::move(found.error()));
  if (!*found) return std::nullopt;
  return std::move((*found)->event);
}

Result<std::shared_ptr<const WrittenEvent>> read_event(store::ReadTransaction& transaction,
                                                       const Wanted& wanted, std::string_view id) {
  auto found = find(transaction, wanted, id);
  if (!found) return fail(std::move(found.error()));
  if (!*found) return nullptr;
  webhooks::EventWriter writer(wanted.form);
  const store::Delivery* const head = (*found)->head();
  return write(transaction, wanted, std::move((*found)->event), head, writer);
}

// Places and times grow together, so the place is found by halving what is between the first event
// and the last.
Result<store::EventPlace> place_before(store::ReadTransaction& transaction,
                                       store::AccountKey account, Instant time) {
  store::EventQuestion question;
  question.account = account;
  question.limit = 1;
  const auto last = transaction.last_event_place();
  if (!last) return fail(last.error());
  const auto first = transaction.events(question);
  if (!first) return fail(first.error());
  if (first->events.empty()) return *last;
  if (first->events.front().entry.at >= time) return store::EventPlace{};
  // Sheets up to `low` begin before that time; those above `high` do not, or are none.
  std::int64_t low = store::sheet_place(first->events.front().place);
  std::int64_t high = store::sheet_place(*last);
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    question.after = store::event_place_of(middle, std::numeric_limits<std::uint32_t>::max());
    const auto next = transaction.events(question);
    if (!next) return fail(next.error());
    if (next->events.empty() || next->events.front().entry.at >= time) {
      high = middle;
    } else {
      low = store::sheet_place(next->events.front().place);
    }
  }
  return store::event_place_of(low, std::numeric_limits<std::uint32_t>::max());
}

}  // namespace todoku::events::endpoints
