// SPDX-License-Identifier: Apache-2.0
#include "events/protection/watcher.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "base/log.h"
#include "store/codec.h"
#include "store/rate_holds.h"

namespace todoku::events::protection {
namespace {

using namespace std::chrono_literals;
using delivery::policy::ProtectionLevel;

constexpr std::string_view kReader = "protection";
constexpr std::uint64_t kForm = 1;
// What was read past and says nothing is stored that often: read once more, it does not either.
constexpr Microseconds kSavePlaceEvery = 10s;
constexpr Microseconds kBetweenPages = 5ms;  // while there are more
constexpr Microseconds kLevelsEvery = 30s;

}  // namespace

Watcher::Figures::Figures(Metrics& metrics)
    : warned(metrics.counter("todoku_protection_total",
                             "Times that bounces or complaints reached a limit, by what followed",
                             {{"level", "warned"}})),
      paused(metrics.counter("todoku_protection_total", "", {{"level", "paused"}})),
      warned_now(metrics.gauge("todoku_protection_now",
                               "Accounts, sender domains, receivers and deliveries that are above "
                               "a limit of bounces or complaints, by what holds of them; shown by "
                               "the process that counts, of others 0",
                               {{"level", "warned"}})),
      paused_now(metrics.gauge("todoku_protection_now", "", {{"level", "paused"}})) {}

std::string Watcher::pack(const Place& place) {
  std::string packed;
  store::put_varint(packed, kForm);
  store::put_varint(packed, place.after.generation);
  store::put_varint(packed, place.after.commit);
  store::put_varint(packed, place.after.entry);
  store::put_zigzag(packed, static_cast<std::int64_t>(place.after_account));
  return packed;
}

Result<Watcher::Place> Watcher::unpack(std::string_view packed) {
  store::BlobReader in(packed);
  const std::uint64_t form = in.varint();
  Place place;
  place.after.generation = in.varint();
  place.after.commit = in.varint();
  const std::uint64_t entry = in.varint();
  place.after.entry = static_cast<std::uint32_t>(entry);
  place.after_account = store::AccountKey{in.zigzag()};
  if (form == kForm && !in.failed() && in.at_end() && std::in_range<std::uint32_t>(entry)) {
    return place;
  }
  return fail(ErrorKind::corrupt, "what the reader of bounces and complaints keeps is damaged");
}

Watcher::Watcher(World world, ProtectionOptions options, async::Executor executor)
    : world_(std::move(world)),
      options_(options),
      executor_(executor),
      figures_(world_.metrics),
      wake_(executor),
      tasks_(executor) {}

void Watcher::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("protection", run()); });
}

Task<void> Watcher::stop() {
  co_await async::run_on(executor_, stop_here());
}

Task<void> Watcher::stop_here() {
  stopping_ = true;
  wake_.notify();
  co_await tasks_.wait_empty();
  if (!taken_as_) co_return;
  (void)co_await world_.store.write(
      store::WritePriority::import,
      [node = *taken_as_, packed = pack(place_)](store::WriteTransaction& t) -> Result<void> {
        auto saved = t.save_event_reader(node, kReader, packed);
        if (!saved) return saved;
        return t.give_event_reader(node, kReader);
      });
}

Task<void> Watcher::run() {
  while (!stopping_) {
    bool more = false;
    try {
      if (world_.holds()) more = co_await turn();
    } catch (const std::exception&) {
      async::report_exception("counting bounces and complaints", std::current_exception());
      taken_as_.reset();
    }
    (void)co_await wake_.wait_until(world_.clock.steady_now() +
                                    (more ? kBetweenPages : Microseconds(world_.look_every)));
  }
}

// Whatever goes wrong, what is stored is where it goes on.
Task<bool> Watcher::turn() {
  if (taken_as_ != world_.node()) {
    const bool taken = co_await take();
    if (!taken) co_return false;
  }
  auto done = co_await read_on();
  const SteadyInstant now = world_.clock.steady_now();
  if (done) {
    trouble_.worked(now);
    co_await show_levels();
    co_return *done;
  }
  taken_as_.reset();
  figures_.warned_now.set(0);
  figures_.paused_now.set(0);
  if (done.error().kind != ErrorKind::conflict) {
    trouble_.failed(now, {{"reason", done.error().detail}});
  }
  co_return false;
}

// At the very first what has happened before does not count: a limit would be met for what was
// known for long.
Task<bool> Watcher::take() {
  const store::NodeKey node = world_.node();
  auto place = co_await world_.store.write(
      store::WritePriority::import, [node](store::WriteTransaction& t) -> Result<Place> {
        const auto kept = t.take_event_reader(node, kReader);
        if (!kept) return fail(kept.error());
        if (!kept->empty()) return unpack(*kept);
        const auto last = t.read().last_event_place();
        if (!last) return fail(last.error());
        const Place fresh{
            .after = *last,
            .after_account = store::AccountKey{std::numeric_limits<std::int64_t>::max()}};
        auto saved = t.save_event_reader(node, kReader, pack(fresh));
        if (!saved) return fail(std::move(saved.error()));
        return fresh;
      });
  if (!place) {
    if (place.error().kind != ErrorKind::conflict) {
      trouble_.failed(world_.clock.steady_now(), {{"reason", place.error().detail}});
    }
    co_return false;
  }
  place_ = *place;
  saved_ = *place;
  tag_names_.forget();  // another may have counted others
  taken_as_ = node;
  save_at_ = world_.clock.steady_now() + kSavePlaceEvery;
  co_return true;
}

Result<Watcher::Read> Watcher::read(store::ReadTransaction& transaction) {
  store::EventQuestion question;
  question.after = place_.after;
  question.after_account = place_.after_account;
  question.limit = store::kEventsLimitMax;
  question.kinds = kinds_counted();
  question.type = DeliveryType::bulk;
  question.or_tagged = true;
  const auto page = transaction.events(question);
  if (!page) return fail(page.error());
  Read read{.tally = Tally(world_.receivers),
            .tags = {},
            .heads = {},
            .started = {},
            .next = {.after = page->next, .after_account = page->next_account},
            .more = page->more,
            .lost = page->lost};
  TagTally tags(world_.receivers);
  for (const store::EventRecord& event : page->events) tags.add(event);
  auto increments = tags.increments(transaction, tag_names_);
  if (!increments) return fail(std::move(increments.error()));
  read.tags = std::move(*increments);
  if (auto added = add_heads(transaction, *page, read); !added) {
    return fail(std::move(added.error()));
  }
  return read;
}

// Of bulk alone.
Result<void> Watcher::add_heads(store::ReadTransaction& transaction, const store::EventPage& page,
                                Read& read) const {
  const auto is_bulk = [](const store::EventRecord& event) {
    return !event.is_gone && event.delivery->type == DeliveryType::bulk;
  };
  std::vector<store::DeliveryKey> keys;
  for (const store::EventRecord& event : page.events) {
    if (is_bulk(event)) keys.push_back(event.entry.delivery);
  }
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  if (keys.empty()) return {};
  auto heads = transaction.delivery_heads(keys);
  if (!heads) return fail(heads.error());
  std::map<store::DeliveryKey, std::string> senders;
  for (store::Delivery& head : *heads) {
    senders.emplace(head.key, store::sender_domain_of(head));
    read.heads.emplace(head.key, std::move(head));
  }
  for (const store::EventRecord& event : page.events) {
    const auto sender = senders.find(event.entry.delivery);
    if (sender == senders.end()) continue;  // deleted since, or no bulk
    if (event.entry.kind == store::EventKind::delivery_started) {
      read.started.push_back(event.entry.delivery);
    } else {
      read.tally.add(event, sender->second);
    }
  }
  return {};
}

Result<std::vector<Consequence>> Watcher::keep(store::WriteTransaction& transaction,
                                               const Read& page) const {
  auto kept = transaction.save_event_reader(*taken_as_, kReader, pack(page.next));
  if (!kept) return fail(std::move(kept.error()));
  auto increments = page.tally.increments();
  increments.insert(increments.end(), page.tags.begin(), page.tags.end());
  kept = transaction.count_rates(increments);
  if (!kept) return fail(std::move(kept.error()));
  const Instant now = world_.store.clock().now();
  return judge_rates(transaction, page.tally, page.heads, page.started, options_, now);
}

Task<Result<bool>> Watcher::read_on() {
  auto page = co_await world_.store.read(
      [this](store::ReadTransaction& t) -> Result<Read> { return read(t); });
  if (!page) co_return fail(std::move(page.error()));
  if (page->lost) {
    log::warning("events were deleted before bounces and complaints among them were counted");
  }
  const SteadyInstant now = world_.clock.steady_now();
  const bool says_nothing = page->tally.empty() && page->tags.empty() && page->started.empty();
  if (says_nothing && (now < save_at_ || page->next == saved_)) {
    place_ = page->next;
    co_return page->more;
  }
  auto done = co_await world_.store.write(
      store::WritePriority::claims,
      [this, &page](store::WriteTransaction& t) { return keep(t, *page); });
  if (!done) co_return fail(std::move(done.error()));
  place_ = page->next;
  saved_ = page->next;
  save_at_ = now + kSavePlaceEvery;
  tell(*done);
  co_return page->more;
}

void Watcher::tell(const std::vector<Consequence>& done) {
  for (const Consequence& each : done) {
    const bool is_paused = each.level == ProtectionLevel::paused;
    (is_paused ? figures_.paused : figures_.warned).add();
    log::warning(is_paused ? "bulk mail is held back to protect its sender"
                           : "bulk mail is about to be held back to protect its sender",
                 {{"account", static_cast<std::int64_t>(each.account)},
                  {"subject", each.subject},
                  {"reason", each.because},
                  {"deliveries_paused", each.deliveries},
                  {"what_to_do", "docs/protection.md"}});
    levels_at_ = {};
  }
}

Task<void> Watcher::show_levels() {
  const SteadyInstant now = world_.clock.steady_now();
  if (now < levels_at_) co_return;
  levels_at_ = now + kLevelsEvery;
  const auto levels = co_await world_.store.read(
      [](store::ReadTransaction& t) -> Result<std::pair<std::int64_t, std::int64_t>> {
        const auto warned = t.rates_at(store::kRateWarned);
        if (!warned) return fail(warned.error());
        const auto paused = t.rates_at(store::kRatePaused);
        if (!paused) return fail(paused.error());
        return std::pair(*warned, *paused);
      });
  if (!levels) co_return;  // the next turn tells of the store
  figures_.warned_now.set(static_cast<double>(levels->first));
  figures_.paused_now.set(static_cast<double>(levels->second));
}

}  // namespace todoku::events::protection
