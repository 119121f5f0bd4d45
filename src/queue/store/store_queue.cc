// SPDX-License-Identifier: Apache-2.0
#include "queue/store/store_queue.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <exception>
#include <iterator>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "async/runtime.h"
#include "base/digest.h"

namespace todoku::queue {
namespace {

using namespace std::chrono_literals;

constexpr Backoff kAwayPause{.first = 1s, .longest = 10s};
// Bells of errands that wait, and of one piece of work.
constexpr std::size_t kErrandBellsMax = 100'000;
constexpr std::size_t kTurnBellsMax = 2'000;
// Taken out at once, of a channel.
constexpr std::size_t kHeardMax = 1'000;
constexpr Microseconds kForgetEvery = 1min;
constexpr std::int64_t kForgottenAtOnce = 500;
// A turn ends before that: the store has deadlines of its own.
constexpr Microseconds kTurnLasts = 1min;

// As the interface has them: what is not ours to stop is "not now".
Error as_queue_error(Error error) {
  if (error.kind != ErrorKind::cancelled && error.kind != ErrorKind::closed) {
    error.kind = ErrorKind::unavailable;
  }
  return error;
}

Error closed_error() {
  return {ErrorKind::closed, "the queue is closed"};
}

std::uint64_t new_reception() {
  const std::string octets = random_octets(sizeof(std::uint64_t));
  std::uint64_t reception = 0;
  std::memcpy(&reception, octets.data(), sizeof reception);
  return reception;
}

store::BellChannel channel_of(const Channel& channel) {
  return {channel.source, channel.traffic};
}

store::Bell stored_bell(const store::BellChannel& channel, const Bell& bell) {
  return {channel, {store::DeliveryKey{bell.delivery}, bell.batch}};
}

// A receipt: "<delivery>.<batch>.<reception>".
Receipt receipt_of(const store::HeldBell& held) {
  const store::BatchKey& batch = held.bell.batch;
  return {fmt::format("{}.{}.{}", static_cast<std::int64_t>(batch.delivery), batch.batch,
                      held.reception)};
}

// nullopt: this back end never gave it.
std::optional<store::HeldBell> read_receipt(const store::BellChannel& channel,
                                            const Receipt& receipt) {
  Bell bell;
  std::uint64_t reception = 0;
  const char* at = receipt.handle.data();
  const char* const end = at + receipt.handle.size();
  const auto read = [&](auto& value, bool is_last) {
    const auto [rest, bad] = std::from_chars(at, end, value);
    if (bad != std::errc()) return false;
    at = rest;
    if (is_last) return at == end;
    return at != end && *at++ == '.';
  };
  if (!read(bell.delivery, false) || !read(bell.batch, false) || !read(reception, true)) {
    return std::nullopt;
  }
  return store::HeldBell{stored_bell(channel, bell), reception};
}

// A wait until an instant of the injected clock, whose zero is its own.
SteadyInstant timer_instant(SteadyInstant until, SteadyInstant now) {
  return std::chrono::ceil<Microseconds>(async::TimerClock::now()) +
         std::max<Microseconds>(until - now, 0us);
}

Task<bool> is_cancelled() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  co_return state.cancelled() != boost::asio::cancellation_type::none;
}

}  // namespace

// What a task has to be done, and waits for unless it has gone.
struct StoreQueues::Errand {
  explicit Errand(const async::Executor& executor) : told(executor) {}
  [[nodiscard]] std::size_t size() const {
    return rung.size() + acknowledged.size() + given_back.size();
  }
  void tell(Result<void> result) {
    done = std::move(result);
    told.notify();
  }
  std::vector<store::Bell> rung;
  std::vector<store::HeldBell> acknowledged;
  std::vector<store::GivenBack> given_back;
  std::optional<Result<void>> done;
  async::Signal told;
};

struct StoreQueues::Receiver {
  Receiver(store::BellChannel its_channel, std::size_t most, const async::Executor& executor)
      : channel(std::move(its_channel)), max(most), told(executor) {}
  [[nodiscard]] bool wants() const { return !gone && heard.empty(); }

  const store::BellChannel channel;
  const std::size_t max;
  std::vector<store::HeldBell> heard;
  Bells bells;         // the same
  bool asked = false;  // the store has answered for it
  std::optional<Error> failed;
  bool gone = false;
  async::Signal told;
};

// One piece of work: what goes with it, and who is told what comes back.
struct StoreQueues::Turn {
  Turn() = default;
  ~Turn() {
    // What was thrown on the way.
    for (const auto& errand : errands) {
      if (!errand->done) errand->tell(fail(ErrorKind::unavailable, {}));
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  store::BellWork work;
  std::uint64_t reception = 0;
  bool listens = false;
  bool forgets = false;
  std::vector<std::shared_ptr<Errand>> errands;
  std::vector<std::shared_ptr<Receiver>> receivers;
};

// Somebody listens as long as its frame lives; what it was given and has not taken goes back.
class StoreQueues::Listening {
 public:
  Listening(StoreQueues& queues, std::shared_ptr<Receiver> receiver)
      : queues_(queues), receiver_(std::move(receiver)) {
    queues_.receivers_.push_back(receiver_);
    queues_.hurries_ = true;
    queues_.begin_loop();
  }
  ~Listening() {
    receiver_->gone = true;
    std::erase(queues_.receivers_, receiver_);
    std::vector<store::GivenBack> left;
    for (store::HeldBell& held : receiver_->heard) left.push_back({std::move(held), {}});
    queues_.give_back(std::move(left));
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  [[nodiscard]] Receiver& receiver() { return *receiver_; }
  [[nodiscard]] Bells take() {
    receiver_->heard.clear();
    return std::move(receiver_->bells);
  }

 private:
  StoreQueues& queues_;
  std::shared_ptr<Receiver> receiver_;
};

class StoreQueues::Running {
 public:
  explicit Running(StoreQueues& queues) : queues_(queues) {}
  ~Running() { queues_.running_ = false; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  StoreQueues& queues_;
};

// ---- one channel -------------------------------------------------------------------------------

class StoreQueues::OneQueue final : public Queue {
 public:
  OneQueue(StoreQueues& all, const Channel& channel) : all_(all), channel_(channel_of(channel)) {}

  Task<Result<void>> send(std::vector<Bell> bells) override {
    auto errand = std::make_shared<Errand>(all_.executor_);
    for (const Bell& bell : bells) errand->rung.push_back(stored_bell(channel_, bell));
    co_return co_await async::run_on(all_.executor_, all_.run_errand(std::move(errand)));
  }

  Task<Result<Bells>> receive(std::size_t max, Milliseconds wait) override {
    co_return co_await async::run_on(all_.executor_, all_.receive(channel_, max, wait));
  }

  Task<Result<void>> acknowledge(std::vector<Receipt> receipts) override {
    auto errand = std::make_shared<Errand>(all_.executor_);
    for (const Receipt& receipt : receipts) {
      if (auto held = read_receipt(channel_, receipt)) {
        errand->acknowledged.push_back(std::move(*held));
      }
    }
    co_return co_await async::run_on(all_.executor_, all_.run_errand(std::move(errand)));
  }

  Task<Result<void>> release(std::vector<Receipt> receipts, Milliseconds delay) override {
    auto errand = std::make_shared<Errand>(all_.executor_);
    delay = std::clamp<Milliseconds>(delay, 0ms, kDelayMax);
    for (const Receipt& receipt : receipts) {
      if (auto held = read_receipt(channel_, receipt)) {
        errand->given_back.push_back({std::move(*held), delay});
      }
    }
    co_return co_await async::run_on(all_.executor_, all_.run_errand(std::move(errand)));
  }

  Task<Result<Depth>> depth() override {
    auto counted = co_await all_.store_.read(
        [channel = channel_](store::ReadTransaction& read) { return read.bell_depth(channel); });
    if (!counted) co_return fail(as_queue_error(std::move(counted.error())));
    co_return Depth{.ready = static_cast<std::size_t>(counted->ready),
                    .held = static_cast<std::size_t>(counted->held),
                    .delayed = static_cast<std::size_t>(counted->delayed),
                    .oldest_ready_age = counted->oldest_ready_age};
  }

 private:
  StoreQueues& all_;
  const store::BellChannel channel_;
};

// ---- all of them -------------------------------------------------------------------------------

StoreQueues::StoreQueues(const Options& options, store::Store& store, const Clock& clock,
                         Metrics& metrics, const async::Executor& executor)
    : options_(options),
      store_(store),
      clock_(clock),
      executor_(executor),
      random_(options.seed),
      turns_total_(metrics.counter("todoku_store_queue_calls_total",
                                   "Pieces of work with bells that the store was given.")),
      heard_total_(metrics.counter("todoku_store_queue_bells_total",
                                   "Bells that this process took out of the store.")),
      forgotten_total_(metrics.counter("todoku_store_queue_forgotten_total",
                                       "Bells that nobody took for an hour, and were removed.")),
      trouble_(log::Level::warning, "the queue on the store is not usable",
               "the queue on the store is usable again"),
      pace_(options.pace),
      reachable_(kAwayPause),
      next_forgetting_(clock.steady_now()),
      news_(executor),
      tasks_(executor) {}

Task<Result<std::shared_ptr<Queue>>> StoreQueues::open(Channel channel) {
  co_return get(channel);
}

std::shared_ptr<Queue> StoreQueues::get(const Channel& channel) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Queue>& queue = queues_[channel];
  if (!queue) queue = std::make_shared<OneQueue>(*this, channel);
  return queue;
}

void StoreQueues::wake_receivers() {
  boost::asio::post(executor_, [this] {
    hurries_ = true;
    wake_all();
  });
}

void StoreQueues::wake_all() {
  news_.notify();
  for (const auto& receiver : receivers_) receiver->told.notify();
}

Task<void> StoreQueues::stop() {
  co_await async::run_on(executor_, stop_here());
}

Task<void> StoreQueues::stop_here() {
  closed_ = true;
  wake_all();
  co_await tasks_.wait_empty();
}

Task<Result<void>> StoreQueues::run_errand(std::shared_ptr<Errand> errand) {
  if (closed_) co_return fail(closed_error());
  if (errand->size() == 0) co_return Result<void>();
  if (!reachable_.lets_through(clock_.steady_now())) {
    co_return fail(ErrorKind::unavailable,
                   "the store did not answer for the queue: tried again soon");
  }
  if (errand_bells_ + errand->size() > kErrandBellsMax) {
    co_return fail(ErrorKind::unavailable, "too many bells wait for the store");
  }
  errand_bells_ += errand->size();
  errands_.push_back(errand);
  begin_loop();
  while (!errand->done) {
    const bool gone = co_await is_cancelled();
    if (gone) co_return fail(ErrorKind::cancelled, "stopped while waiting for the store");
    (void)co_await errand->told.wait();
  }
  co_return std::move(*errand->done);
}

Task<Result<StoreQueues::Bells>> StoreQueues::receive(store::BellChannel channel, std::size_t max,
                                                      Milliseconds wait) {
  if (closed_) co_return fail(closed_error());
  if (max == 0) co_return Bells();
  const SteadyInstant deadline =
      clock_.steady_now() + std::clamp<Milliseconds>(wait, 0ms, kWaitMax);
  Listening listening(
      *this, std::make_shared<Receiver>(std::move(channel), std::min(max, kHeardMax), executor_));
  while (true) {
    const bool gone = co_await is_cancelled();
    if (gone) co_return fail(ErrorKind::cancelled, "stopped while waiting for the queue");
    const Receiver& receiver = listening.receiver();
    if (!receiver.heard.empty()) co_return listening.take();
    if (closed_) co_return fail(closed_error());
    if (receiver.failed) co_return fail(*receiver.failed);
    const SteadyInstant now = clock_.steady_now();
    if (now >= deadline) {
      if (receiver.asked) co_return Bells();
      if (!reachable_.lets_through(now)) {
        co_return fail(ErrorKind::unavailable, "the store does not answer for the queue");
      }
    }
    const SteadyInstant until = now < deadline ? deadline : now + kTurnLasts;
    (void)co_await listening.receiver().told.wait_until(timer_instant(until, now));
  }
}

// ---- the loop ----------------------------------------------------------------------------------

void StoreQueues::begin_loop() {
  news_.notify();
  if (running_) return;
  running_ = true;
  tasks_.spawn("queue on the store", loop());
}

bool StoreQueues::has_work() const {
  return !errands_.empty() || (!closed_ && !receivers_.empty());
}

bool StoreQueues::is_time(SteadyInstant now) const {
  return !errands_.empty() || hurries_ || now >= pace_.next();
}

Task<void> StoreQueues::loop() {
  const Running running(*this);
  while (has_work()) {
    const SteadyInstant now = clock_.steady_now();
    if (!reachable_.lets_through(now)) {
      refuse_errands({ErrorKind::unavailable, "the store does not answer for the queue"});
      if (closed_) co_return;
      (void)co_await news_.wait_until(timer_instant(reachable_.closed_until(), now));
    } else if (is_time(now)) {
      try {
        co_await take_turn();
      } catch (const std::exception&) {
        async::report_exception("queue on the store", std::current_exception());
        reachable_.failed(clock_.steady_now(), random_);
      }
    } else {
      (void)co_await news_.wait_until(timer_instant(pace_.next(), now));
    }
  }
}

void StoreQueues::gather(Turn& turn, SteadyInstant now) {
  std::size_t bells = 0;
  while (!errands_.empty() &&
         (turn.errands.empty() || bells + errands_.front()->size() <= kTurnBellsMax)) {
    Errand& errand = *turn.errands.emplace_back(std::move(errands_.front()));
    errands_.pop_front();
    bells += errand.size();
    errand_bells_ -= errand.size();
    std::ranges::move(errand.rung, std::back_inserter(turn.work.rung));
    std::ranges::move(errand.acknowledged, std::back_inserter(turn.work.acknowledged));
    std::ranges::move(errand.given_back, std::back_inserter(turn.work.given_back));
  }
  hurries_ = false;
  if (closed_) return;
  std::map<store::BellChannel, std::size_t> wanted;
  for (const auto& receiver : receivers_) {
    if (!receiver->wants()) continue;
    wanted[receiver->channel] += receiver->max;
    turn.receivers.push_back(receiver);
  }
  for (const auto& [channel, most] : wanted) {
    turn.work.wanted.push_back({channel, static_cast<std::int64_t>(std::min(most, kHeardMax))});
  }
  turn.work.visibility = std::min(options_.visibility, kVisibilityMax);
  turn.reception = new_reception();
  turn.work.reception = turn.reception;
  turn.listens = !wanted.empty();
  turn.forgets = turn.listens && now >= next_forgetting_;
  if (turn.forgets) turn.work.forget = kForgottenAtOnce;
}

Task<void> StoreQueues::take_turn() {
  Turn turn;
  gather(turn, clock_.steady_now());
  if (turn.errands.empty() && !turn.listens) {
    // Receivers have theirs, and will take them.
    pace_.answered(true, clock_.steady_now(), random_);
    co_return;
  }
  turns_total_.add();
  auto heard = co_await store_.perform(std::move(turn.work));
  const SteadyInstant now = clock_.steady_now();
  if (!heard) {
    turn_failed(turn, as_queue_error(std::move(heard.error())));
    co_return;
  }
  reachable_.worked();
  trouble_.worked(now);
  if (turn.listens) pace_.answered(!heard->bells.empty(), now, random_);
  if (turn.forgets && heard->forgotten < kForgottenAtOnce) next_forgetting_ = now + kForgetEvery;
  heard_total_.add(heard->bells.size());
  forgotten_total_.add(static_cast<std::uint64_t>(heard->forgotten));
  share_out(turn, heard->bells);
  for (const auto& errand : turn.errands) errand->tell({});
}

// Evenly among those of a channel who are still there.
void StoreQueues::share_out(Turn& turn, const std::vector<store::HeardBell>& heard) {
  std::map<store::BellChannel, std::vector<std::shared_ptr<Receiver>>> listeners;
  for (const auto& receiver : turn.receivers) {
    receiver->asked = true;
    if (!receiver->gone && !closed_) listeners[receiver->channel].push_back(receiver);
  }
  std::map<store::BellChannel, std::size_t> next;
  std::vector<store::GivenBack> left;
  for (const store::HeardBell& one : heard) {
    store::HeldBell held{one.bell, turn.reception};
    auto& those = listeners[one.bell.channel];
    std::erase_if(those, [](const auto& each) { return each->heard.size() >= each->max; });
    if (those.empty()) {
      left.push_back({std::move(held), {}});
      continue;
    }
    Receiver& receiver = *those[next[one.bell.channel]++ % those.size()];
    receiver.bells.push_back(
        {.bell = {static_cast<std::int64_t>(one.bell.batch.delivery), one.bell.batch.batch},
         .receipt = receipt_of(held),
         .times = std::max(one.times, 1U)});
    receiver.heard.push_back(std::move(held));
  }
  for (const auto& receiver : turn.receivers) receiver->told.notify();
  give_back(std::move(left));
}

void StoreQueues::give_back(std::vector<store::GivenBack> bells) {
  if (bells.empty() || (closed_ && !running_)) return;
  auto errand = std::make_shared<Errand>(executor_);
  errand->given_back = std::move(bells);
  errand_bells_ += errand->size();
  errands_.push_back(std::move(errand));
  begin_loop();
}

void StoreQueues::turn_failed(Turn& turn, const Error& error) {
  for (const auto& errand : turn.errands) errand->tell(fail(error));
  for (const auto& receiver : turn.receivers) {
    receiver->failed = error;
    receiver->told.notify();
  }
  if (error.kind == ErrorKind::cancelled) return;
  const SteadyInstant now = clock_.steady_now();
  reachable_.failed(now, random_);
  trouble_.failed(now, {{"reason", error.detail}});
}

void StoreQueues::refuse_errands(const Error& error) {
  while (!errands_.empty()) {
    errand_bells_ -= errands_.front()->size();
    errands_.front()->tell(fail(error));
    errands_.pop_front();
  }
}

}  // namespace todoku::queue
