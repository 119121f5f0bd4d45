// SPDX-License-Identifier: Apache-2.0
#include "events/journal/journaler.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "events/journal/gathering.h"
#include "store/codec.h"

namespace todoku::events::journal {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kReader = "journal";
constexpr std::uint64_t kForm = 1;
constexpr std::size_t kNameOctets = 12;
// What says nothing is stored that often: read once more, it does not either.
constexpr Microseconds kSavePlaceEvery = 10s;
constexpr Microseconds kBetweenPages = 2ms;  // while there are more
constexpr Microseconds kDropEvery = 1h;
// Behind for so long it is told of, as trouble is.
constexpr Microseconds kBehindTold = 30s;

// In the pool: who waits for a folder that hangs is nobody else (accounts have numbers from one on,
// and the zero is that of who has none).
constexpr async::FilePool::Owner kLine{-1};
// After which it is told of that a stop waits.
constexpr Microseconds kStopPatience = 10s;
constexpr Microseconds kTurnMost = 10s;  // a page and a sync; beyond that somebody does not answer

Result<std::int64_t> last_removal(store::ReadTransaction& transaction) {
  constexpr std::int64_t kAtOnce = 10'000;
  std::int64_t last = 0;
  while (true) {
    const auto page = transaction.removals_after(last, kAtOnce);
    if (!page) return fail(page.error());
    if (page->empty()) return last;
    last = page->back().number;
  }
}

}  // namespace

std::string new_store_name() {
  return to_hex(random_octets(kNameOctets));
}

std::string pack(const Progress& progress) {
  std::string packed;
  store::put_varint(packed, kForm);
  store::put_varint(packed, progress.number);
  store::put_varint(packed, progress.after.generation);
  store::put_varint(packed, progress.after.commit);
  store::put_varint(packed, progress.after.entry);
  store::put_zigzag(packed, static_cast<std::int64_t>(progress.after_account));
  store::put_zigzag(packed, to_epoch_ms(progress.stops_from));
  store::put_zigzag(packed, progress.removals_after);
  return packed;
}

Result<Progress> unpack_progress(std::string_view packed) {
  store::BlobReader in(packed);
  const std::uint64_t form = in.varint();
  Progress progress;
  progress.number = in.varint();
  progress.after.generation = in.varint();
  progress.after.commit = in.varint();
  const std::uint64_t entry = in.varint();
  progress.after.entry = static_cast<std::uint32_t>(entry);
  progress.after_account = store::AccountKey{in.zigzag()};
  progress.stops_from = from_epoch_ms(in.zigzag());
  progress.removals_after = in.zigzag();
  if (form == kForm && !in.failed() && in.at_end() && std::in_range<std::uint32_t>(entry)) {
    return progress;
  }
  return fail(ErrorKind::corrupt, "what the journal's reader keeps is damaged");
}

Journaler::Journaler(World world, JournalOptions options, async::Executor executor)
    : world_(std::move(world)),
      options_(std::move(options)),
      executor_(executor),
      records_(world_.metrics.counter("todoku_journal_records_total",
                                      "Records appended to the journal outside of the store")),
      octets_(world_.metrics.counter("todoku_journal_bytes_total", "Bytes appended to it")),
      failures_(world_.metrics.counter("todoku_journal_failures_total",
                                       "Times that its folder could not be written to")),
      drop_failures_(world_.metrics.counter("todoku_journal_drop_failures_total",
                                            "Times that old files of it could not be removed")),
      lag_(world_.metrics.gauge("todoku_journal_lag_seconds",
                                "Since when this process knows that the journal is behind the "
                                "store; 0: it is not, or another process writes it")),
      told_(std::make_unique<Told>()),
      stops_limit_(kStopsAtOnce),
      wake_(executor),
      tasks_(executor) {}

Journaler::~Journaler() = default;

void Journaler::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("journal", run()); });
}

Task<void> Journaler::stop() {
  co_await async::run_on(executor_, stop_here());
}

Task<void> Journaler::stop_here() {
  stopping_ = true;
  wake_.notify();
  // A call of the system that hangs cannot be broken off, and what it works with is ours.
  const auto soon = [] {
    return std::chrono::time_point_cast<Microseconds>(async::TimerClock::now()) + kStopPatience;
  };
  while (!co_await tasks_.wait_empty_until(soon())) {
    log::warning("the stop waits for the journal, which waits for its folder",
                 {{"folder", options_.folder},
                  {"what_to_do", "have it answer, or kill the process: nothing accepted is lost"}});
  }
  segment_.reset();
  if (!taken_as_) co_return;
  if (progress_ != saved_) (void)co_await save();
  (void)co_await world_.store.write(store::WritePriority::import,
                                    [node = *taken_as_](store::WriteTransaction& t) {
                                      return t.give_event_reader(node, kReader);
                                    });
}

Task<void> Journaler::run() {
  while (!stopping_) {
    bool more = false;
    try {
      more = co_await turn();
    } catch (const std::exception&) {
      async::report_exception("writing the journal", std::current_exception());
      taken_as_.reset();
    }
    const Microseconds usual =
        trouble().empty() ? Microseconds(options_.look_every) : Microseconds(options_.retry_after);
    (void)co_await wake_.wait_until(world_.clock.steady_now() + (more ? kBetweenPages : usual));
  }
}

bool Journaler::hangs_at(SteadyInstant now) const {
  return turn_began_ && now - *turn_began_ > kTurnMost;
}

Microseconds Journaler::lag_at(SteadyInstant now) const {
  if (behind_since_) return now - *behind_since_;
  return hangs_at(now) ? now - *turn_began_ : Microseconds(0);
}

std::string Journaler::trouble() const {
  const SteadyInstant now = world_.clock.steady_now();
  const std::lock_guard lock(mutex_);
  if (!hangs_at(now)) return reason_;
  return fmt::format("its folder or the store has not answered for {} s",
                     std::chrono::floor<std::chrono::seconds>(now - *turn_began_).count());
}

void Journaler::show_lag() const {
  const SteadyInstant now = world_.clock.steady_now();
  const std::lock_guard lock(mutex_);
  lag_.set(std::chrono::duration<double>(lag_at(now)).count());
}

Task<bool> Journaler::turn() {
  {
    const std::lock_guard lock(mutex_);
    turn_began_ = world_.clock.steady_now();
  }
  if (!world_.holds()) {
    // Whoever holds the lease tells how far behind it is.
    note(false);
    co_return false;
  }
  if (taken_as_ != world_.node()) {
    const auto taken = co_await take();
    if (!taken) {
      taken_as_.reset();
      note(taken.error().kind == ErrorKind::conflict ? Result<bool>(false)
                                                     : Result<bool>(fail(taken.error())));
      co_return false;
    }
  }
  auto done = co_await go_on();
  const bool more = done && *done;
  // The lease has passed on, with the reader.
  const bool is_others = !done && done.error().kind == ErrorKind::conflict;
  if (is_others) taken_as_.reset();
  note(is_others ? Result<bool>(false) : std::move(done));
  co_return more;
}

void Journaler::note(Result<bool> done) {
  const SteadyInstant now = world_.clock.steady_now();
  const bool behind = !done || *done;
  const std::lock_guard lock(mutex_);
  // A turn that hung was behind from its beginning.
  if (behind && !behind_since_) behind_since_ = hangs_at(now) ? *turn_began_ : now;
  if (!behind) behind_since_.reset();
  turn_began_.reset();
  const Microseconds lag = lag_at(now);
  lag_.set(std::chrono::duration<double>(lag).count());
  std::string reason;
  if (!done) {
    failures_.add();
    is_stuck_.failed(now, {{"folder", options_.folder}, {"reason", done.error().detail}});
    reason = done.error().detail;
  } else {
    is_stuck_.worked(now);
    if (lag > kBehindTold) reason = "it is behind";
  }
  reason_ = std::move(reason);
}

// At the very first what has happened before is not told of: no copy that is older has a number of
// this journal.
Task<Result<void>> Journaler::take() {
  const store::NodeKey node = world_.node();
  struct Taken {
    std::string store;
    Progress progress;
  };
  auto taken = co_await world_.store.write(
      store::WritePriority::import,
      [node, now = world_.store.clock().now()](store::WriteTransaction& t) -> Result<Taken> {
        const auto kept = t.take_event_reader(node, kReader);
        if (!kept) return fail(kept.error());
        auto name = t.put_setting_once(kStoreSetting, new_store_name());
        if (!name) return fail(std::move(name.error()));
        if (!kept->empty()) {
          auto progress = unpack_progress(*kept);
          if (!progress) return fail(std::move(progress.error()));
          return Taken{.store = std::move(*name), .progress = *progress};
        }
        const auto last = t.read().last_event_place();
        if (!last) return fail(last.error());
        const auto removal = last_removal(t.read());
        if (!removal) return fail(removal.error());
        const Progress fresh{
            .after = *last,
            .after_account = store::AccountKey{std::numeric_limits<std::int64_t>::max()},
            .stops_from = now,
            .removals_after = *removal};
        auto saved = t.save_event_reader(node, kReader, pack(fresh));
        if (!saved) return fail(std::move(saved.error()));
        return Taken{.store = std::move(*name), .progress = fresh};
      });
  if (!taken) co_return fail(std::move(taken.error()));
  const auto end =
      co_await world_.files.run(kLine, [folder = options_.folder] { return end_of(folder); });
  if (!end) co_return fail(end.error());
  if (!end->store.empty() && end->store != taken->store) {
    co_return fail(ErrorKind::io,
                   "the folder holds the journal of another store: give this one a "
                   "folder of its own (journal.directory)");
  }
  if (end->number == 0 && taken->progress.number > 0) {
    log::error("the journal's folder is empty, and was not: a new journal is begun there",
               {{"folder", options_.folder}, {"what_to_do", "see whether it is mounted"}});
  }
  store_name_ = std::move(taken->store);
  progress_ = taken->progress;
  // A record that was appended and not noted is not counted twice.
  progress_.number = std::max(progress_.number, end->number);
  saved_ = taken->progress;
  *told_ = {};
  segment_.reset();
  taken_as_ = node;
  save_at_ = world_.clock.steady_now() + kSavePlaceEvery;
  co_return Result<void>{};
}

// The store is never more than one record behind what was appended: more means that it is an older
// copy (operate/cluster_names.h).
Task<Result<bool>> Journaler::go_on() {
  if (progress_.number != saved_.number) {
    auto caught_up = co_await save();
    if (!caught_up) co_return fail(std::move(caught_up.error()));
  }
  auto gathered = co_await world_.store.read([this](store::ReadTransaction& t) {
    return gather(t, progress_, *told_, stops_limit_, world_.store.clock().now());
  });
  if (!gathered) co_return fail(std::move(gathered.error()));
  if (gathered->lost) {
    log::error("events were deleted before the journal had them", {{"folder", options_.folder}});
  }
  stops_limit_ = gathered->crowded ? std::min(2 * stops_limit_, kStopsLookedMax) : kStopsAtOnce;
  const bool says_something = !gathered->entries.empty();
  if (says_something) {
    gathered->progress.number = progress_.number + 1;
    std::string octets = pack(Record{.number = gathered->progress.number,
                                     .place = store::sheet_place(gathered->progress.after),
                                     .written = world_.store.clock().now(),
                                     .entries = std::move(gathered->entries)});
    octets_.add(octets.size());
    auto appended = co_await append(std::move(octets));
    if (!appended) {
      segment_.reset();
      co_return fail(std::move(appended.error()));
    }
    records_.add();
  }
  progress_ = gathered->progress;
  *told_ = std::move(gathered->told);
  const SteadyInstant now = world_.clock.steady_now();
  if (says_something || (now >= save_at_ && progress_ != saved_)) {
    auto saved = co_await save();
    if (!saved) co_return fail(std::move(saved.error()));
  }
  if (says_something) co_await drop();
  co_return gathered->more;
}

Task<Result<void>> Journaler::append(std::string octets) {
  co_return co_await world_.files.run(kLine, [this, &octets]() -> Result<void> {
    if (segment_ && segment_->octets() >= options_.segment_octets) segment_.reset();
    if (!segment_) {
      const auto end = end_of(options_.folder);
      if (!end) return fail(end.error());
      auto begun = Segment::begin(options_.folder, store_name_, end->ordinal);
      if (!begun) return fail(std::move(begun.error()));
      segment_ = std::move(*begun);
    }
    return segment_->append(octets);
  });
}

// What stays although it is old does no harm but to the disk.
Task<void> Journaler::drop() {
  const SteadyInstant now = world_.clock.steady_now();
  if (now < drop_at_) co_return;
  drop_at_ = now + kDropEvery;
  const auto dropped = co_await world_.files.run(
      kLine, [folder = options_.folder, before = world_.clock.now() - options_.keep] {
        return drop_older(folder, before);
      });
  if (dropped) {
    grows_.worked(now);
    co_return;
  }
  drop_failures_.add();
  grows_.failed(now, {{"folder", options_.folder}, {"reason", dropped.error().detail}});
}

Task<Result<void>> Journaler::save() {
  auto saved = co_await world_.store.write(
      store::WritePriority::import,
      [node = *taken_as_, progress = progress_](store::WriteTransaction& t) -> Result<void> {
        auto kept = t.save_event_reader(node, kReader, pack(progress));
        if (!kept) return kept;
        return t.put_setting(kNumberSetting, std::to_string(progress.number));
      });
  if (!saved) co_return fail(std::move(saved.error()));
  saved_ = progress_;
  save_at_ = world_.clock.steady_now() + kSavePlaceEvery;
  co_return Result<void>{};
}

}  // namespace todoku::events::journal
