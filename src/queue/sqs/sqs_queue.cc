// SPDX-License-Identifier: Apache-2.0
#include "queue/sqs/sqs_queue.h"

#include <algorithm>
#include <span>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "async/runtime.h"
#include "base/log.h"

namespace todoku::queue::sqs {
namespace {

using namespace std::chrono_literals;

// An answer of a long poll may come this long after its wait.
constexpr Milliseconds kPollSlack = 5s;
// For so long a poll that failed at once is repeated before it counts as failed.
constexpr Milliseconds kPollRetries = 5s;
constexpr Milliseconds kSettleMax = 5s;
constexpr Milliseconds kFindMax = 10s;
constexpr std::uint32_t kSendsOfOneBell = 3;
constexpr Backoff kSendingPause{.first = 1s, .longest = 10s};
constexpr Backoff kPollingPause{.first = 1s, .longest = 20s};

// As the interface has them: what is not ours to stop is "not now".
Error as_queue_error(Error error) {
  if (error.kind != ErrorKind::cancelled && error.kind != ErrorKind::closed) {
    error.kind = ErrorKind::unavailable;
  }
  return error;
}

template <class T>
std::vector<std::vector<T>> in_batches(std::vector<T> all) {
  std::vector<std::vector<T>> batches;
  for (std::size_t i = 0; i < all.size(); i += kBatchMax) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kBatchMax, all.size() - i));
    batches.emplace_back(std::make_move_iterator(begin), std::make_move_iterator(end));
  }
  return batches;
}

template <class T>
std::vector<T> at_places(const std::vector<T>& all, const std::vector<std::size_t>& places) {
  std::vector<T> some;
  for (const std::size_t place : places) some.push_back(all[place]);
  return some;
}

}  // namespace

// Says that a poll is under way as long as its frame lives, and then that there is news.
class SqsQueue::Polling {
 public:
  explicit Polling(SqsQueue& queue) : queue_(queue) {}
  ~Polling() {
    queue_.polling_ = false;
    queue_.news_.notify();
  }
  Polling(const Polling&) = delete;
  Polling& operator=(const Polling&) = delete;

 private:
  SqsQueue& queue_;
};

SqsQueue::SqsQueue(std::string name, const Channel& channel, const QueueWorld& world,
                   const async::Executor& executor)
    : name_(std::move(name)),
      world_(world),
      executor_(executor),
      trouble_(log::Level::warning, "queue of SQS not usable", "queue of SQS is usable again",
               name_),
      age_(world.metrics.gauge(
          "todoku_sqs_bell_age_seconds",
          "Age of the oldest bell in the last answer with bells, by the clock of SQS.",
          {{"source", channel.source},
           {"class", channel.traffic == TrafficClass::bulk ? "bulk" : "transactional"}})),
      foreign_(world.metrics.counter("todoku_sqs_foreign_messages_total",
                                     "Messages that are no bells, and were deleted.")),
      sending_(kSendingPause),
      receiving_(kPollingPause),
      news_(executor),
      polls_(executor) {}

Task<Result<void>> SqsQueue::send(std::vector<Bell> bells) {
  co_return co_await async::run_on(executor_, send_here(std::move(bells)));
}
Task<Result<std::vector<ReceivedBell>>> SqsQueue::receive(std::size_t max, Milliseconds wait) {
  co_return co_await async::run_on(executor_, receive_here(max, wait));
}
Task<Result<void>> SqsQueue::acknowledge(std::vector<Receipt> receipts) {
  co_return co_await async::run_on(
      executor_, settle_here(Action::delete_message_batch, std::move(receipts), 0s));
}
Task<Result<void>> SqsQueue::release(std::vector<Receipt> receipts, Milliseconds delay) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(
      std::clamp<Milliseconds>(delay, Milliseconds(0), kDelayMax));
  co_return co_await async::run_on(
      executor_, settle_here(Action::change_visibility_batch, std::move(receipts), seconds));
}
Task<Result<Depth>> SqsQueue::depth() {
  co_return co_await async::run_on(executor_, depth_here());
}
Task<Result<void>> SqsQueue::find() {
  co_return co_await async::run_on(executor_, find_here(world_.clock.steady_now() + kFindMax));
}

Task<void> SqsQueue::stop() {
  closed_ = true;
  news_.notify();
  co_await polls_.stop();
}

CallBounds SqsQueue::until(SteadyInstant deadline) const {
  const auto left = std::chrono::ceil<Milliseconds>(deadline - world_.clock.steady_now());
  // A single try does not use it all up: the second often goes well.
  return {.all = std::max<Milliseconds>(left, 1ms), .once = std::max<Milliseconds>(left / 2, 1s)};
}

// ---- finding the queue -------------------------------------------------------------------------

Task<Result<void>> SqsQueue::find_here(SteadyInstant deadline) {
  auto url = co_await find_url(deadline);
  if (!url) co_return fail(fmt::format("queue {}", name_), url.error().error);
  auto answer = co_await world_.caller.call(Action::get_queue_attributes,
                                            write_get_attributes(*url), until(deadline));
  if (!answer) co_return fail(fmt::format("queue {}", name_), answer.error().error);
  const auto attributes = read_attributes(*answer);
  if (!attributes) co_return fail(fmt::format("queue {}", name_), attributes.error());
  if (attributes->fifo) {
    co_return fail(ErrorKind::unsupported,
                   fmt::format("queue {} is a FIFO queue: make it a standard queue", name_));
  }
  if (attributes->retention > kRetention) {
    log::warning("queue of SQS keeps bells for too long",
                 {{"queue", name_},
                  {"retention_seconds", attributes->retention.count()},
                  {"enough_seconds", kRetention.count()}});
  }
  url_ = std::move(*url);
  co_return Result<void>();
}

Task<SqsQueue::Answer> SqsQueue::find_url(SteadyInstant deadline) {
  auto answer = co_await world_.caller.call(Action::get_queue_url, write_get_queue_url(name_),
                                            until(deadline));
  if (!answer && answer.error().error.kind == ErrorKind::not_found) {
    if (!world_.options.create) {
      answer.error().error.detail =
          "there is no such queue: make a standard queue of this name, or set queue.sqs.create";
      co_return answer;
    }
    answer = co_await world_.caller.call(Action::create_queue,
                                         write_create_queue(name_, world_.options.visibility),
                                         until(deadline));
    if (!answer && answer.error().code == "QueueNameExists") {
      // Another process was faster, or somebody has set the attributes otherwise.
      answer = co_await world_.caller.call(Action::get_queue_url, write_get_queue_url(name_),
                                           until(deadline));
    }
    if (answer) log::info("queue of SQS made", {{"queue", name_}});
  }
  if (!answer) co_return answer;
  auto url = read_queue_url(*answer);
  if (!url) co_return std::unexpected(CallFailure{url.error(), {}});
  co_return std::move(*url);
}

Task<SqsQueue::Answer> SqsQueue::ask(Action action, Write write, CallBounds bounds) {
  const SteadyInstant deadline = world_.clock.steady_now() + bounds.all;
  for (bool again = true;; again = false) {
    if (url_.empty()) {
      const SteadyInstant soon = world_.clock.steady_now() + kFindMax;
      const auto found = co_await find_here(std::min(deadline, soon));
      if (!found) co_return std::unexpected(CallFailure{found.error(), {}});
    }
    // The URL may be forgotten by another task meanwhile.
    const std::string url = url_;
    bounds.all = std::max<Milliseconds>(
        std::chrono::ceil<Milliseconds>(deadline - world_.clock.steady_now()), 1ms);
    auto answer = co_await world_.caller.call(action, write(url), bounds);
    if (answer || answer.error().error.kind != ErrorKind::not_found) co_return answer;
    if (url_ == url) url_.clear();
    if (!again) co_return answer;
  }
}

// ---- ringing -----------------------------------------------------------------------------------

Task<Result<void>> SqsQueue::send_here(std::vector<Bell> bells) {
  const SteadyInstant now = world_.clock.steady_now();
  if (closed_) co_return fail(ErrorKind::closed, "the queue is closed");
  if (!world_.reachable.lets_through(now) || !sending_.lets_through(now)) {
    co_return fail(ErrorKind::unavailable,
                   fmt::format("queue {} did not take the last bells: tried again soon", name_));
  }
  const SteadyInstant deadline = now + world_.options.send_max;
  for (std::vector<Bell>& batch : in_batches(std::move(bells))) {
    const auto sent = co_await send_batch(std::move(batch), deadline);
    if (sent) continue;
    if (sent.error().kind != ErrorKind::cancelled) {
      sending_.failed(world_.clock.steady_now(), world_.random);
      trouble_.failed(world_.clock.steady_now(), {{"reason", sent.error().detail}});
    }
    co_return fail(as_queue_error(sent.error()));
  }
  sending_.worked();
  world_.reachable.worked();
  trouble_.worked(world_.clock.steady_now());
  co_return Result<void>();
}

Task<Result<void>> SqsQueue::send_batch(std::vector<Bell> bells, SteadyInstant deadline) {
  for (std::uint32_t tries = 1;; ++tries) {
    auto write = [&bells](std::string_view url) { return write_send(url, bells); };
    const auto answer = co_await ask(Action::send_message_batch, write, until(deadline));
    if (!answer) {
      // No answer at all: the other queues need not find that out one by one.
      const CallFailure& why = answer.error();
      if (why.error.kind == ErrorKind::unavailable && why.code.empty()) {
        world_.reachable.failed(world_.clock.steady_now(), world_.random);
      }
      co_return fail(why.error);
    }
    const auto fared = read_batch(*answer, bells.size());
    if (!fared) co_return fail(fared.error());
    if (!fared->refused.empty()) {
      co_return fail(ErrorKind::invalid_input,
                     fmt::format("queue {} refuses bells: {}", name_, fared->reason));
    }
    if (fared->again.empty()) co_return Result<void>();
    if (tries == kSendsOfOneBell || world_.clock.steady_now() >= deadline) {
      co_return fail(ErrorKind::unavailable,
                     fmt::format("queue {} did not take all bells: {}", name_, fared->reason));
    }
    bells = at_places(bells, fared->again);
  }
}

// ---- receiving ---------------------------------------------------------------------------------

Task<Result<std::vector<ReceivedBell>>> SqsQueue::receive_here(std::size_t max, Milliseconds wait) {
  using Bells = std::vector<ReceivedBell>;
  max = std::min(max, kBatchMax);
  const SteadyInstant deadline =
      world_.clock.steady_now() + std::clamp<Milliseconds>(wait, Milliseconds(0), kWaitMax);
  const std::uint64_t failures = failures_;
  while (true) {
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
      co_return fail(ErrorKind::cancelled, "stopped while waiting for the queue");
    }
    if (closed_) co_return fail(ErrorKind::closed, "the queue is closed");
    if (max == 0) co_return Bells();
    Bells bells = take_share(max);
    if (!bells.empty()) co_return bells;
    if (wait <= Milliseconds(0)) {
      auto fetched = co_await fetch(max, 0s);
      if (!fetched) co_return fail(as_queue_error(fetched.error()));
      co_return std::move(*fetched);
    }
    if (failures_ != failures && failed_) co_return fail(as_queue_error(*failed_));
    const SteadyInstant now = world_.clock.steady_now();
    if (now >= deadline) co_return Bells();
    begin_poll();
    const SteadyInstant pause = polling_ ? deadline : receiving_.closed_until();
    struct Waiter {
      std::size_t& count;
      explicit Waiter(std::size_t& of) : count(of) { ++count; }
      ~Waiter() { --count; }
      Waiter(const Waiter&) = delete;
      Waiter& operator=(const Waiter&) = delete;
    };
    const Waiter waiter(waiting_);
    // Whether there is news or the time is over is for the next look to say.
    (void)co_await news_.wait_until(std::min(deadline, std::max(pause, now + 1ms)));
  }
}

// As many as there are for each of those who wait, and those who have got theirs leave the rest.
std::vector<ReceivedBell> SqsQueue::take_share(std::size_t max) {
  // Soon somebody else may receive these again. Half the time is for claiming them.
  const Milliseconds hidden = world_.options.visibility;
  const SteadyInstant fresh = world_.clock.steady_now() - hidden / 2;
  while (!shared_.empty() && shared_.front().came < fresh) shared_.pop_front();
  const std::size_t takers = waiting_ + 1;
  const std::size_t share = std::min(max, (shared_.size() + takers - 1) / takers);
  std::vector<ReceivedBell> taken;
  for (std::size_t i = 0; i < share; ++i) {
    taken.push_back(std::move(shared_.front().bell));
    shared_.pop_front();
  }
  return taken;
}

void SqsQueue::begin_poll() {
  if (polling_ || !receiving_.lets_through(world_.clock.steady_now())) return;
  polling_ = true;
  polls_.spawn("poll of SQS", poll());
}

Task<void> SqsQueue::poll() {
  const Polling polling(*this);
  auto bells = co_await fetch(kBatchMax, world_.options.poll);
  const SteadyInstant now = world_.clock.steady_now();
  if (!bells) {
    if (bells.error().kind == ErrorKind::cancelled) co_return;
    failed_ = bells.error();
    ++failures_;
    receiving_.failed(now, world_.random);
    trouble_.failed(now, {{"reason", failed_->detail}});
    co_return;
  }
  receiving_.worked();
  world_.reachable.worked();
  trouble_.worked(now);
  for (ReceivedBell& bell : *bells) shared_.push_back({.bell = std::move(bell), .came = now});
}

Task<Result<std::vector<ReceivedBell>>> SqsQueue::fetch(std::size_t max,
                                                        std::chrono::seconds wait) {
  const ReceiveOptions options{.max = max, .wait = wait, .visibility = world_.options.visibility};
  auto write = [options](std::string_view url) { return write_receive(url, options); };
  const Milliseconds once = wait + kPollSlack;
  const CallBounds bounds{.all = once + kPollRetries, .once = once, .least = once};
  const auto answer = co_await ask(Action::receive_message, write, bounds);
  if (!answer) co_return fail(answer.error().error);
  auto messages = read_messages(*answer);
  if (!messages) co_return fail(messages.error());
  std::vector<ReceivedBell> bells;
  std::vector<Receipt> foreign;
  double age = 0;
  for (Message& message : *messages) {
    if (message.sent) {
      const std::chrono::duration<double> since = world_.caller.now() - *message.sent;
      age = std::max(age, since.count());
    }
    if (const auto bell = read_bell(message.body)) {
      bells.push_back({.bell = *bell,
                       .receipt = Receipt{std::move(message.receipt)},
                       .times = std::max(message.times, 1U)});
    } else {
      foreign.push_back(Receipt{std::move(message.receipt)});
    }
  }
  if (!messages->empty()) age_.set(age);
  if (!foreign.empty()) {
    // The store knows what has to be sent; they would only come again and again.
    foreign_.add(foreign.size());
    log::warning("messages of SQS that are no bells", {{"queue", name_}, {"n", foreign.size()}});
    (void)co_await settle_batch(Action::delete_message_batch, std::move(foreign), 0s);
  }
  co_return bells;
}

// ---- what was received -------------------------------------------------------------------------

Task<Result<void>> SqsQueue::settle_here(Action action, std::vector<Receipt> receipts,
                                         std::chrono::seconds visibility) {
  // SQS never gave these, and would refuse the whole batch for them.
  std::erase_if(receipts, [](const Receipt& receipt) { return receipt.handle.empty(); });
  Result<void> all;
  for (std::vector<Receipt>& batch : in_batches(std::move(receipts))) {
    auto settled = co_await settle_batch(action, std::move(batch), visibility);
    if (!settled) all = fail(as_queue_error(std::move(settled.error())));
    if (!all && all.error().kind == ErrorKind::cancelled) break;
  }
  co_return all;
}

// A receipt that SQS refuses is one of a bell that is gone, or somebody else's by now: that is
// done.
Task<Result<void>> SqsQueue::settle_batch(Action action, std::vector<Receipt> receipts,
                                          std::chrono::seconds visibility) {
  const SteadyInstant deadline = world_.clock.steady_now() + kSettleMax;
  for (std::uint32_t tries = 1;; ++tries) {
    auto write = [&, action, visibility](std::string_view url) {
      return action == Action::delete_message_batch
                 ? write_delete(url, receipts)
                 : write_change_visibility(url, receipts, visibility);
    };
    const auto answer = co_await ask(action, write, until(deadline));
    if (!answer) co_return fail(answer.error().error);
    const auto fared = read_batch(*answer, receipts.size());
    if (!fared) co_return fail(fared.error());
    if (fared->again.empty()) co_return Result<void>();
    if (tries == kSendsOfOneBell || world_.clock.steady_now() >= deadline) {
      co_return fail(ErrorKind::unavailable,
                     fmt::format("queue {} did not settle all bells: {}", name_, fared->reason));
    }
    receipts = at_places(receipts, fared->again);
  }
}

Task<Result<Depth>> SqsQueue::depth_here() {
  auto write = [](std::string_view url) { return write_get_attributes(url); };
  const auto answer = co_await ask(Action::get_queue_attributes, write,
                                   until(world_.clock.steady_now() + kSettleMax));
  if (!answer) co_return fail(as_queue_error(answer.error().error));
  const auto attributes = read_attributes(*answer);
  if (!attributes) co_return fail(as_queue_error(attributes.error()));
  Depth depth = attributes->depth;
  // What a poll has brought and nobody has taken: hidden at SQS, and ready here.
  depth.held -= std::min(depth.held, shared_.size());
  depth.ready += shared_.size();
  co_return depth;
}

}  // namespace todoku::queue::sqs
