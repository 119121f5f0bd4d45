// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/migration.h"

#include <condition_variable>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "store/postgres/fitness.h"

namespace todoku::store::postgres {
namespace {

constexpr Milliseconds kWatchMost = std::chrono::seconds(5);
constexpr Milliseconds kWatchPause{200};
constexpr std::string_view kLockNotFree = "55P03";

const Sql kBlockers{"migration: blockers",
                    "SELECT a.pid::bigint, coalesce(a.application_name, ''),"
                    " coalesce(extract(epoch FROM now() - a.xact_start), 0)::bigint,"
                    " coalesce(left(regexp_replace(a.query, '\\s+', ' ', 'g'), 80), '')"
                    " FROM unnest(pg_blocking_pids($1::bigint::int)) b(pid)"
                    " CROSS JOIN LATERAL pg_stat_get_activity(b.pid) a ORDER BY a.pid"};

}  // namespace

// Looks from a connection of its own at whom a step waits for.
class Migration::Watch {
 public:
  // `link` may be null: then nobody is seen.
  explicit Watch(std::unique_ptr<Link> link) : link_(std::move(link)), thread_([this] { run(); }) {}
  ~Watch() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    stop_.notify_all();
    thread_.join();
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void look_at(std::int64_t pid) {
    const std::lock_guard lock(mutex_);
    pid_ = pid;
    seen_.clear();
  }
  [[nodiscard]] std::vector<Blocker> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, kWatchPause, [this] { return stopped_; })) {
      if (pid_ == 0 || link_ == nullptr || !link_->usable()) continue;
      const std::int64_t pid = pid_;
      lock.unlock();
      auto found = look(pid);
      lock.lock();
      if (pid == pid_ && !found.empty()) seen_ = std::move(found);
    }
  }
  std::vector<Blocker> look(std::int64_t pid) {
    std::vector<Blocker> found;
    const auto rows = link_->fly_one(kBlockers, Params() << pid, kWatchMost);
    for (int row = 0; rows && row < rows->size(); ++row) {
      found.push_back({rows->integer(row, 0), std::string(rows->text(row, 1)),
                       rows->integer(row, 2), std::string(rows->text(row, 3))});
    }
    return found;
  }

  const std::unique_ptr<Link> link_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable stop_;
  bool stopped_ = false;
  std::int64_t pid_ = 0;
  std::vector<Blocker> seen_;
  std::thread thread_;
};

Result<std::unique_ptr<Link>> Migration::connect() {
  auto link = dialer_.dial();
  if (!link) return link;
  auto fit = check_database(**link);
  if (!fit) return fail(std::move(fit.error()));
  return link;
}

Result<std::vector<SchemaStep>> Migration::status() {
  auto link = connect();
  if (!link) return fail(std::move(link.error()));
  return schema_history(**link, steps_);
}

namespace {

bool is_contraction(Steps steps, std::int64_t number) {
  return steps[static_cast<std::size_t>(number - 1)].kind == StepKind::contraction;
}
// Whose first is not of the kind `contraction` or is: the last of those of one kind that follow
// `taken`.
std::int64_t last_alike(Steps steps, std::int64_t taken, bool contraction) {
  while (taken < std::ssize(steps) && is_contraction(steps, taken + 1) == contraction) ++taken;
  return taken;
}

}  // namespace

Result<void> Migration::up(Milliseconds patience, const Blocked& blocked) {
  auto link = connect();
  if (!link) return fail(std::move(link.error()));
  const auto taken = schema_step_of(**link, steps_);
  if (!taken) return fail(taken.error());
  // Nobody can miss what was never there.
  const std::int64_t last = *taken == 0 ? std::ssize(steps_) : last_alike(steps_, *taken, false);
  auto done = take(
      **link, {.first = *taken + 1, .last = last, .alone_as = {}, .patience = patience}, blocked);
  if (!done || last >= schema_steps_needed(steps_)) return done;
  return fail(ErrorKind::conflict,
              fmt::format("schema step {} takes away what the version before worked with, and {} "
                          "waits for it: run `todoku migrate contract` of the version that works "
                          "on the tables now, and then this again",
                          last + 1, schema_steps_needed(steps_)));
}

Result<void> Migration::contract(std::string_view version, Milliseconds patience,
                                 const Blocked& blocked) {
  auto link = connect();
  if (!link) return fail(std::move(link.error()));
  const auto taken = schema_step_of(**link, steps_);
  if (!taken) return fail(taken.error());
  const std::int64_t last = last_alike(steps_, *taken, true);
  if (last == *taken && *taken < std::ssize(steps_)) {
    return fail(ErrorKind::conflict,
                fmt::format("schema step {} is missing, which takes nothing away: run `todoku "
                            "migrate up` first, and replace what runs",
                            *taken + 1));
  }
  return take(**link,
              {.first = *taken + 1, .last = last, .alone_as = version, .patience = patience},
              blocked);
}

Result<void> Migration::take(Link& link, const Part& part, const Blocked& blocked) {
  if (part.first > part.last) return {};
  auto may = check_right_to_migrate(link);
  if (!may) return may;
  auto observer = dialer_.dial();
  Watch watch(observer ? std::move(*observer) : nullptr);
  const SystemClock machine;  // bounds how long somebody waits
  const SteadyInstant until = machine.steady_now() + part.patience;
  for (std::int64_t step = part.first; step <= part.last;) {
    link.forget_failure();
    auto taken = take_schema_step(
        link, {.step = step, .lock_most = limits_.lock_most, .alone_as = part.alone_as},
        [&](std::int64_t pid) { watch.look_at(pid); }, steps_);
    if (taken) {
      ++step;
      continue;
    }
    if (link.failure().state != kLockNotFree) {
      return fail(fmt::format("schema step {}", step), std::move(taken.error()));
    }
    blocked(step, watch.seen());
    if (machine.steady_now() + limits_.pause >= until) {
      return fail(
          ErrorKind::unavailable,
          fmt::format("schema step {} was not taken: others held locks all the time, which "
                      "were waited for {} s",
                      step, std::chrono::ceil<std::chrono::seconds>(part.patience).count()));
    }
    std::this_thread::sleep_for(limits_.pause);
  }
  return {};
}

}  // namespace todoku::store::postgres
