// SPDX-License-Identifier: Apache-2.0
#include "app/key_keeper.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "async/timer.h"
#include "base/digest.h"
#include "base/log.h"
#include "operate/dkim_parts.h"
#include "store/account_name.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;
using operate::SlotDue;
using operate::SlotFault;
using operate::SlotsAtHand;
using operate::SlotWork;

constexpr Microseconds kLookForSlotsEvery = 5s;
constexpr std::int64_t kSlotsOfRound = 32;
constexpr std::size_t kServedTogether = 8;
constexpr std::int64_t kSlotsPage = 500;
// A move follows the other; more of one domain in a round are a mistake.
constexpr int kMovesMost = 8;
// Until a domain that could not be moved on is looked at again.
constexpr Milliseconds kPutOff = 5min;
// Over what a hook may take.
constexpr Milliseconds kHeldLonger = 60s;

constexpr std::string_view kLooks = "todoku_dkim_key_looks_total";
constexpr std::string_view kLooksHelp =
    "Looks whether DKIM keys that rotate by themselves are published everywhere. New ones: seen, "
    "waiting, or stalled, for a day and longer; those that sign: watched, missed, or gone, for ten "
    "minutes and longer.";
constexpr std::string_view kWrites = "todoku_dkim_zone_writes_total";
constexpr std::string_view kWritesHelp =
    "Changes of the zone of DKIM keys that were written, or could not be.";
constexpr std::string_view kPutOffs = "todoku_dkim_put_off_total";
constexpr std::string_view kPutOffsHelp =
    "Domains whose DKIM keys could not be moved on, and are tried again later while others go on.";
constexpr std::string_view kMoves = "todoku_dkim_keys_begun_total";
constexpr std::string_view kMovesHelp = "Domains whose new DKIM keys began to sign by themselves.";

std::string random_name() {
  return sha256_hex(random_octets(16)).substr(0, 16);
}

bool is_pending(const SlotsAtHand& at_hand) {
  return !operate::zone_changes_of(at_hand).empty();
}

}  // namespace

struct KeyKeeper::Round {
  std::vector<store::KeySlotsRow> due;
  std::size_t next = 0;
  std::vector<SlotsAtHand> to_tell;  // the zone is to be told of these
  Result<void> result;
  bool is_over = false;  // nothing more is to be begun
};

KeyKeeper::KeyKeeper(World world, Options options, const async::Executor& executor)
    : world_(std::move(world)),
      options_(std::move(options)),
      name_(random_name()),
      executor_(executor),
      tasks_(executor) {}

void KeyKeeper::start() {
  // There before it rises, or nobody sees that it did.
  (void)world_.metrics.counter(kLooks, kLooksHelp, {{"outcome", "gone"}});
  boost::asio::post(executor_, [this] { tasks_.spawn("DKIM keys", run()); });
}

Task<void> KeyKeeper::stop() {
  co_await async::run_on(executor_, tasks_.stop());
}

Task<void> KeyKeeper::run() {
  while (true) {
    bool is_more = false;
    try {
      const auto looked = co_await look();
      if (looked) {
        // Other rounds go well while a domain is put off.
        const SteadyInstant now = world_.clock.steady_now();
        if (!put_off_at_ || now - *put_off_at_ > 2 * kPutOff) looking_.worked(now);
        is_more = *looked > 0;
      } else if (looked.error().kind != ErrorKind::cancelled) {
        looking_.failed(world_.clock.steady_now(), {{"reason", looked.error().detail}});
      }
    } catch (const std::exception&) {
      async::report_exception("moving DKIM keys on", std::current_exception());
    }
    const bool awake = co_await async::sleep_for(is_more ? Microseconds(1s) : kLookForSlotsEvery);
    if (!awake) co_return;
  }
}

Task<Result<std::vector<store::KeySlotsRow>>> KeyKeeper::rows_after(
    std::optional<store::DomainPlace>& place) {  // NOLINT(*-reference-coroutine-parameters)
  auto rows = co_await world_.store.read([after = *place](store::ReadTransaction& reader) {
    return reader.key_slots(after, kSlotsPage);
  });
  if (!rows) co_return fail(std::move(rows.error()));
  if (static_cast<std::int64_t>(rows->size()) < kSlotsPage) {
    place.reset();
  } else {
    place = {rows->back().account, rows->back().domain};
  }
  std::erase_if(*rows,
                [](const store::KeySlotsRow& row) { return row.account == store::kPlatform; });
  co_return std::move(*rows);
}

// False: it could not be put.
Task<Result<bool>> KeyKeeper::bring_forward(store::KeySlotsRow row) {
  const std::optional<Instant> stored = row.look;
  const std::string domain = row.domain;
  auto at_hand = operate::slots_at_hand(std::move(row));
  if (!at_hand) co_return true;  // serve() tells of it
  const Instant watch = operate::due_watch(at_hand->slots).at;
  if (watch == Instant::max() || (stored && *stored <= watch)) co_return true;
  const auto put_forward = co_await put(*at_hand, {});
  if (put_forward) co_return true;
  if (put_forward.error().kind == ErrorKind::cancelled) co_return fail(put_forward.error());
  tell_put_off(domain, put_forward.error());
  co_return false;
}

Task<Result<void>> KeyKeeper::bring_forward() {
  brought_forward_at_ = world_.clock.steady_now();
  std::optional place = store::DomainPlace{.account = store::kPlatform, .domain = {}};
  std::int64_t in_a_row = 0;
  bool are_all = true;
  while (place) {
    auto rows = co_await rows_after(place);
    if (!rows) co_return fail(std::move(rows.error()));
    for (store::KeySlotsRow& row : *rows) {
      const auto done = co_await bring_forward(std::move(row));
      if (!done) co_return fail(done.error());
      are_all = are_all && *done;
      in_a_row = *done ? 0 : in_a_row + 1;
      if (in_a_row < kSlotsOfRound) continue;
      co_return fail(ErrorKind::unavailable, "none of many domains can be put forward");
    }
  }
  are_forward_ = are_all;
  co_return Result<void>{};
}

bool KeyKeeper::is_time_to_bring_forward() const {
  if (are_forward_) return false;
  return !brought_forward_at_ || world_.clock.steady_now() - *brought_forward_at_ >= kPutOff;
}

void KeyKeeper::tell_put_off(std::string_view domain, const Error& why) {
  put_off_at_ = world_.clock.steady_now();
  looking_.failed(*put_off_at_, {{"domain", domain}, {"reason", why.detail}});
  world_.metrics.counter(kPutOffs, kPutOffsHelp).add();
}

Task<Result<std::size_t>> KeyKeeper::look() {
  if (is_time_to_bring_forward()) {
    const auto forward = co_await bring_forward();
    if (!forward) co_return fail(forward.error());
  }
  auto due = co_await world_.store.read(
      [](store::ReadTransaction& reader) { return reader.key_slots_due(kSlotsOfRound); });
  if (!due) co_return fail(std::move(due.error()));
  const std::size_t count = due->size();
  if (count == 0 && !(is_first_ && options_.writes_file)) co_return 0U;
  const auto held = co_await hold();
  if (!held) co_return fail(held.error());
  if (!*held) co_return 0U;
  const auto served = co_await serve(std::move(*due));
  co_await give_up();
  if (!served) co_return fail(served.error());
  co_return count;
}

Task<Result<void>> KeyKeeper::serve(std::vector<store::KeySlotsRow> due) {
  const auto round = std::make_shared<Round>();
  round->due = std::move(due);
  world_.forget_answers();
  async::TaskGroup workers(executor_);
  const std::size_t count = std::min(kServedTogether, round->due.size());
  for (std::size_t i = 0; i < count; ++i) workers.spawn("DKIM keys", serve_some(round));
  // False: we are to end.
  while (!co_await workers.wait_empty_until(SteadyInstant::max())) workers.cancel();
  if (!round->result) co_return fail(round->result.error());
  if (round->is_over) co_return Result<void>{};
  if (round->to_tell.empty() && !(is_first_ && options_.writes_file)) co_return Result<void>{};
  const auto held = co_await hold();
  if (!held) co_return fail(held.error());
  if (!*held) co_return Result<void>{};
  co_return co_await tell_zone(std::move(round->to_tell));
}

Task<void> KeyKeeper::serve_some(std::shared_ptr<Round> round) {
  while (!round->is_over && round->next < round->due.size()) {
    store::KeySlotsRow row = std::move(round->due[round->next++]);
    auto served = co_await serve_one(round, std::move(row));
    if (served && *served) continue;
    round->is_over = true;
    if (!served) round->result = fail(std::move(served.error()));
  }
}

Task<Result<bool>> KeyKeeper::serve_one(std::shared_ptr<Round> round, store::KeySlotsRow row) {
  auto held = co_await hold();
  if (!held || !*held) co_return held;
  const store::AccountKey account = row.account;
  const std::string domain = row.domain;
  auto at_hand = operate::slots_at_hand(std::move(row));
  Result<bool> moved = false;
  if (at_hand) {
    moved = co_await move_on(*at_hand);
  } else {  // of a later version, or broken
    moved = fail(at_hand.error());
  }
  if (!moved) {
    const auto off = co_await put_off(account, domain, moved.error());
    if (!off) co_return fail(off.error());
  } else if (*moved && is_pending(*at_hand)) {
    round->to_tell.push_back(std::move(*at_hand));
  }
  co_return true;
}

Task<Result<void>> KeyKeeper::put_off(store::AccountKey account, std::string domain, Error why) {
  if (why.kind == ErrorKind::cancelled) co_return fail(std::move(why));
  tell_put_off(domain, why);
  const Instant now = world_.store.clock().now();
  // As it is stored: what is at hand may be a move that was not made.
  co_return co_await world_.store.write(
      store::WritePriority::retention,
      [account, domain, now](store::WriteTransaction& transaction) -> Result<void> {
        auto row = transaction.read().key_slots_of(account, domain);
        if (!row) return fail(std::move(row.error()));
        if (!*row || !(*row)->look || *(*row)->look > now) return {};
        (*row)->look = now + kPutOff;
        const auto put = transaction.put_key_slots(**row);
        if (!put) return fail(put.error());
        return {};
      });
}

Task<Result<bool>> KeyKeeper::move_on(
    SlotsAtHand& at_hand) {  // NOLINT(*-reference-coroutine-parameters)
  for (int moves = 0; moves < kMovesMost; ++moves) {
    const Instant now = world_.store.clock().now();
    SlotDue due = operate::due_work(at_hand.slots, options_.pace, now);
    if (due.work == SlotWork::publish) co_return true;
    if (due.work == SlotWork::none || due.at > now) due = operate::due_watch(at_hand.slots);
    if (due.work == SlotWork::none || due.at > now) {
      // Somebody has asked for something that is not due yet.
      if (moves == 0) co_return co_await put(at_hand, {});
      co_return true;
    }
    const auto done = co_await do_one(at_hand, due);
    if (!done || !*done) co_return done;
  }
  co_return true;
}

Task<Result<bool>> KeyKeeper::do_one(
    SlotsAtHand& at_hand,  // NOLINT(*-reference-coroutine-parameters)
    SlotDue due) {
  const Instant now = world_.store.clock().now();
  switch (due.work) {
    case SlotWork::make_keys: {
      auto keys = co_await operate::make_slot_keys(world_.box, at_hand.row.account,
                                                   at_hand.row.domain, due.slot);
      if (!keys) co_return fail(std::move(keys.error()));
      operate::keys_made(at_hand.slots, due.slot, std::move(*keys), now);
      co_return co_await put(at_hand, {});
    }
    case SlotWork::look:
      co_return co_await look_for(at_hand, due.slot);
    case SlotWork::watch:
      co_return co_await watch(at_hand, due.slot);
    case SlotWork::count: {
      const auto pinned =
          co_await world_.store.read([&at_hand, due](store::ReadTransaction& reader) {
            return operate::may_be_pinned(reader, at_hand, due.slot);
          });
      if (!pinned) co_return fail(pinned.error());
      operate::counted(at_hand.slots, due.slot, *pinned, now);
      co_return co_await put(at_hand, {});
    }
    case SlotWork::free_slot: {
      Keys keys{.gone = operate::signing_keys_of(at_hand, due.slot, now)};
      operate::freed(at_hand.slots, due.slot, now);
      co_return co_await put(at_hand, std::move(keys));
    }
    case SlotWork::look_for_others: {
      const auto since =
          co_await world_.store.read([&at_hand, due](store::ReadTransaction& reader) {
            return operate::others_since(reader, at_hand, due.slot);
          });
      if (!since) co_return fail(since.error());
      if (*since) {
        operate::others_sign(at_hand.slots, due.slot, **since);
      } else {
        operate::no_others(at_hand.slots, due.slot, now);
      }
      co_return co_await put(at_hand, {});
    }
    case SlotWork::remove: {
      const auto removed = co_await world_.store.write(
          store::WritePriority::retention,
          [row = at_hand.row](store::WriteTransaction& t) { return t.remove_key_slots(row); });
      if (!removed) co_return fail(removed.error());
      co_return false;  // there is nothing more to move
    }
    case SlotWork::none:
    case SlotWork::publish:
      break;
  }
  co_return true;
}

Task<Result<KeysSeen>> KeyKeeper::see(
    const SlotsAtHand& at_hand,  // NOLINT(*-reference-coroutine-parameters)
    std::size_t slot) {
  KeyLook wanted{.domain = at_hand.row.domain, .zone = at_hand.slots.zone, .keys = {}};
  auto names =
      operate::slot_names(at_hand.row.account, at_hand.row.domain, at_hand.slots.zone, slot);
  if (!names) co_return fail(std::move(names.error()));
  const auto& keys = at_hand.slots.slots[slot].keys;
  for (std::size_t i = 0; i < std::min(names->size(), keys.size()); ++i) {
    wanted.keys.push_back({.at = std::move((*names)[i]), .record = keys[i].dns_record});
  }
  co_return co_await world_.look(std::move(wanted));
}

Task<Result<bool>> KeyKeeper::watch(
    SlotsAtHand& at_hand,  // NOLINT(*-reference-coroutine-parameters)
    std::size_t slot) {
  auto seen = co_await see(at_hand, slot);
  if (!seen) co_return fail(std::move(seen.error()));
  const Instant now = world_.store.clock().now();
  const std::optional<Instant> before = at_hand.slots.slots[slot].tried;
  const bool was_gone = before && operate::is_gone(at_hand.slots, *before);
  if (seen->fault == SlotFault::none) {
    operate::watched(at_hand.slots, slot, now);
  } else {
    operate::missed(at_hand.slots, slot, seen->fault, std::move(seen->where), now);
  }
  const bool is_gone = operate::is_gone(at_hand.slots, now);
  const std::string_view outcome = seen->fault == SlotFault::none ? "watched"
                                   : is_gone                      ? "gone"
                                                                  : "missed";
  world_.metrics.counter(kLooks, kLooksHelp, {{"outcome", std::string(outcome)}}).add();
  const auto stored = co_await put(at_hand, {});
  if (!stored || !*stored) co_return stored;
  if (is_gone && !was_gone) {
    const operate::SlotTrouble trouble = operate::trouble_of_signing(at_hand.slots);
    // Of our own zone it is the operator's to mend, of the CNAMEs the domain's owner's.
    const bool is_ours = trouble.fault == SlotFault::zone_lacks;
    log::write(is_ours ? log::Level::error : log::Level::warning,
               "DKIM keys that sign are not published any more",
               {{"domain", at_hand.row.domain},
                {"reason", operate::fault_words(trouble.fault, trouble.where, Language::english)}});
  } else if (was_gone && seen->fault == SlotFault::none) {
    log::info("DKIM keys that sign are published again", {{"domain", at_hand.row.domain}});
  }
  co_return stored;
}

Task<Result<bool>> KeyKeeper::look_for(
    SlotsAtHand& at_hand,  // NOLINT(*-reference-coroutine-parameters)
    std::size_t slot) {
  auto looked = co_await see(at_hand, slot);
  if (!looked) co_return fail(std::move(looked.error()));
  KeysSeen& seen = *looked;
  const Instant now = world_.store.clock().now();
  if (seen.fault == SlotFault::none) {
    world_.metrics.counter(kLooks, kLooksHelp, {{"outcome", "seen"}}).add();
    const bool begins = operate::seen(at_hand.slots, slot, options_.pace, now);
    Keys begun;
    if (begins) begun.begin = operate::signing_keys_of(at_hand, slot, now);
    const auto stored = co_await put(at_hand, std::move(begun));
    if (stored && *stored && begins) {
      world_.metrics.counter(kMoves, kMovesHelp).add();
      log::info("new DKIM keys sign",
                {{"domain", at_hand.row.domain}, {"slot", slot == 0 ? "a" : "b"}});
    }
    co_return stored;
  }
  const std::optional<Instant> before = at_hand.slots.slots[slot].tried;
  const bool was_stalled = before && operate::is_stalled(at_hand.slots, *before);
  operate::not_seen(at_hand.slots, slot, seen.fault, std::move(seen.where), now);
  const bool is_stalled = operate::is_stalled(at_hand.slots, now);
  world_.metrics.counter(kLooks, kLooksHelp, {{"outcome", is_stalled ? "stalled" : "waiting"}})
      .add();
  const auto stored = co_await put(at_hand, {});
  if (stored && *stored && is_stalled && !was_stalled) {
    log::warning("new DKIM keys wait to be published",
                 {{"domain", at_hand.row.domain},
                  {"reason", operate::fault_words(at_hand.slots.fault, at_hand.slots.where,
                                                  Language::english)}});
  }
  co_return stored;
}

Task<Result<bool>> KeyKeeper::put(SlotsAtHand& at_hand,  // NOLINT(*-reference-coroutine-parameters)
                                  Keys keys) {
  at_hand.row = operate::row_of(at_hand, options_.pace, world_.store.clock().now());
  const auto stored = co_await world_.store.write(
      store::WritePriority::retention,
      [row = at_hand.row, keys](store::WriteTransaction& transaction) -> Result<bool> {
        const auto put = transaction.put_key_slots(row);
        if (!put || !*put) return put;
        for (const store::DkimKey& key : keys.begin) {
          auto done = operate::put_dkim(transaction, key);
          if (!done) return fail(std::move(done.error()));
        }
        for (const store::DkimKey& key : keys.gone) {
          auto done = operate::remove_dkim(transaction, key);
          if (!done && done.error().kind != ErrorKind::not_found) {
            return fail(std::move(done.error()));
          }
        }
        return true;
      });
  if (!stored || !*stored) co_return stored;
  ++at_hand.row.revision;
  if (!keys.begin.empty() || !keys.gone.empty()) {
    const auto known = co_await world_.changed();
    if (!known) co_return fail(known.error());
  }
  co_return true;
}

Task<Result<void>> KeyKeeper::tell_zone(std::vector<SlotsAtHand> rows) {
  std::vector<operate::ZoneChange> changes;
  for (const SlotsAtHand& row : rows) {
    if (row.slots.zone != options_.terms.zone) continue;
    std::ranges::move(operate::zone_changes_of(row), std::back_inserter(changes));
  }
  auto told = co_await tell_file();
  if (told && !changes.empty()) told = co_await tell_hook(std::move(changes));
  if (!told && told.error().kind == ErrorKind::cancelled) co_return told;
  const SteadyInstant steady = world_.clock.steady_now();
  if (told) {
    is_first_ = false;
    telling_.worked(steady);
  } else {
    telling_.failed(steady, {{"reason", told.error().detail}});
  }
  world_.metrics.counter(kWrites, kWritesHelp, {{"result", told ? "written" : "failed"}}).add();
  for (SlotsAtHand& row : rows) {
    const Instant now = world_.store.clock().now();
    if (row.slots.zone != options_.terms.zone) {
      operate::zone_not_told(row.slots, SlotFault::other_zone, row.slots.zone, now);
    } else if (told) {
      operate::zone_told(row.slots);
    } else {
      operate::zone_not_told(row.slots, SlotFault::not_written, told.error().detail, now);
    }
    const auto stored = co_await put(row, {});
    if (stored) continue;
    const auto off = co_await put_off(row.row.account, row.row.domain, stored.error());
    if (!off) co_return off;
  }
  co_return Result<void>{};
}

Task<Result<void>> KeyKeeper::tell_file() {
  if (!options_.writes_file) co_return Result<void>{};
  const auto body = co_await whole_body();
  if (!body) co_return fail(body.error());
  const std::string digest = sha256_hex(*body);
  if (zone_.digest != digest) {
    // Before it is written: two contents never have one serial.
    zone_.serial = operate::next_serial(zone_.serial, world_.store.clock().now());
    zone_.digest = digest;
    const auto stored = co_await put_zone(zone_.until);
    if (!stored) co_return fail(stored.error());
    if (!*stored) co_return fail(ErrorKind::conflict, "another process writes the zone");
  }
  const std::string text = operate::zone_file(options_.terms, zone_.serial, *body);
  co_return co_await world_.files.run(async::FilePool::Owner{},
                                      [this, &text] { return world_.write_file(text); });
}

Task<Result<void>> KeyKeeper::tell_hook(std::vector<operate::ZoneChange> changes) {
  const std::string update = operate::zone_update(options_.terms, changes);
  co_return co_await world_.files.run(async::FilePool::Owner{},
                                      [this, &update] { return world_.run_hook(update); });
}

Task<Result<std::string>> KeyKeeper::whole_body() {
  std::vector<operate::ZoneRecord> records;
  std::optional place = store::DomainPlace{.account = store::kPlatform, .domain = {}};
  while (place) {
    auto rows = co_await rows_after(place);
    if (!rows) co_return fail(std::move(rows.error()));
    for (store::KeySlotsRow& row : *rows) {
      const auto at_hand = operate::slots_at_hand(std::move(row));
      // A zone without keys that may be in use would be worse than an old one.
      if (!at_hand) co_return fail(at_hand.error());
      if (at_hand->slots.zone != options_.terms.zone) continue;
      std::ranges::move(operate::zone_records_of(*at_hand), std::back_inserter(records));
    }
  }
  co_return operate::zone_body(std::move(records), options_.terms.ttl);
}

Milliseconds KeyKeeper::lease() const {
  return options_.hook_most + kHeldLonger;
}

Task<Result<bool>> KeyKeeper::hold() {
  const SteadyInstant asked = world_.clock.steady_now();
  if (held_until_ && asked + lease() / 2 < *held_until_) co_return true;
  const bool is_still_ours = held_until_.has_value() && asked < *held_until_;
  if (is_taking_) co_return is_still_ours;
  is_taking_ = true;
  auto taken = co_await take_zone(asked);
  is_taking_ = false;
  co_return taken;
}

Task<Result<bool>> KeyKeeper::take_zone(SteadyInstant asked) {
  auto row =
      co_await world_.store.read([zone = options_.terms.zone](store::ReadTransaction& reader) {
        return reader.key_slots_of(store::kPlatform, zone);
      });
  if (!row) co_return fail(std::move(row.error()));
  zone_row_ = std::move(*row).value_or(store::KeySlotsRow{.account = store::kPlatform,
                                                          .domain = options_.terms.zone,
                                                          .revision = 0,
                                                          .look = {},
                                                          .state = {}});
  zone_ = {};
  if (zone_row_.revision > 0) {
    auto state = operate::unpack_zone(zone_row_.state);
    if (!state) co_return fail(std::move(state.error()));
    zone_ = std::move(*state);
  }
  const Instant now = world_.store.clock().now();
  const bool is_anothers = !zone_.holder.empty() && zone_.holder != name_ && zone_.until &&
                           *zone_.until > now && *zone_.until <= now + lease();
  if (is_anothers && !options_.alone) {
    held_until_.reset();
    co_return false;
  }
  zone_.holder = name_;
  const auto stored = co_await put_zone(now + lease());
  if (!stored) co_return fail(stored.error());
  held_until_.reset();
  if (*stored) held_until_ = asked + lease();
  co_return *stored;
}

Task<Result<bool>> KeyKeeper::put_zone(std::optional<Instant> until) {
  zone_.until = until;
  zone_row_.state = operate::pack_zone(zone_);
  const auto stored = co_await world_.store.write(
      store::WritePriority::retention, [row = zone_row_](store::WriteTransaction& transaction) {
        return transaction.put_key_slots(row);
      });
  if (stored && *stored) {
    ++zone_row_.revision;
  } else {
    held_until_.reset();
  }
  co_return stored;
}

Task<void> KeyKeeper::give_up() {
  if (!held_until_) co_return;
  zone_.holder.clear();
  (void)co_await put_zone(std::nullopt);
  held_until_.reset();
}

}  // namespace todoku::app
