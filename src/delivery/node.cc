// SPDX-License-Identifier: Apache-2.0
#include "delivery/node.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "base/log.h"
#include "base/safeguard.h"

namespace todoku::delivery {
namespace {

// After a renewal that the store refused to take: soon again, the lease runs.
constexpr std::chrono::milliseconds kTryAgain{500};
// A lease of another that is not renewed has lapsed by then, unless the store's clock leapt.
constexpr std::chrono::seconds kOthersKnownWithin{40};
// Batches that the store is asked about in one question, which must be short (store/store.h).
constexpr std::size_t kAskedAtOnce = 1'000;
constexpr std::size_t kGivenBackAtOnce = 100;
// From one look for what was forgotten to the next, and while something may be: what was in doubt
// may still become stored, and what is missing come into hand.
constexpr std::chrono::seconds kLookEvery{60};
constexpr std::chrono::seconds kLookAgainAfter{10};
constexpr std::chrono::seconds kWatchfulFor{60};

}  // namespace

Node::Node(store::Store& store, const Clock& clock, store::NewNode who, Metrics& metrics,
           async::Executor executor)
    : store_(store),
      clock_(clock),
      who_(std::move(who)),
      lapses_total_(metrics.counter("todoku_node_lapses_total",
                                    "Times that the lease of this process could not be renewed in "
                                    "time; meanwhile nothing was begun.")),
      lost_total_(metrics.counter("todoku_lost_batches_total",
                                  "Batches in hand that had passed to another process.")),
      forgotten_total_(metrics.counter("todoku_forgotten_batches_total",
                                       "Batches that the store had leased to this process by an "
                                       "answer that never came, and that it gave back.")),
      executor_(executor),
      wake_(executor),
      renew_(executor),
      look_(executor),
      tasks_(executor) {}

void Node::start() {
  boost::asio::post(executor_, [this] {
    tasks_.spawn("node", run());
    tasks_.spawn("looking for forgotten batches", keep_looking());
  });
}

Task<void> Node::stop() {
  stopping_ = true;
  wake_.notify();
  co_await tasks_.stop();
}

Task<void> Node::leave() {
  until_us_ = 0;
  const store::NodeKey node = key();
  if (node == store::kNobody) co_return;
  const auto left = co_await store_.write(
      store::WritePriority::claims,
      [node](store::WriteTransaction& transaction) { return transaction.leave_node(node); });
  if (!left) log::warning("node not signed off", {{"reason", left.error().detail}});
}

void Node::renew_soon() {
  boost::asio::post(executor_, [this] { renew_.notify(); });
}

Task<bool> Node::held() {
  while (!stopping_ && !holds()) co_await wake_.wait();
  co_return !stopping_;
}

void Node::hold(SteadyInstant asked) {
  life_.renewed(asked, store::kNodeLease);
  const SteadyInstant until =
      stands(Safeguard::lapse_respected) ? life_.until() : SteadyInstant::max();
  until_us_ = until.time_since_epoch().count();
  wake_.notify();
  if (BatchHolder* const holder = holder_) holder->may_begin_again();
}

Task<Result<void>> Node::enter(std::function<bool()> give_up) {
  const SteadyInstant patience = clock_.steady_now() + kOthersKnownWithin;
  bool told = false;
  while (true) {
    const SteadyInstant asked = clock_.steady_now();
    auto entered = co_await take_key();
    if (entered) hold(asked);
    if (!waiting_) co_return entered;
    if (clock_.steady_now() > patience) co_return fail(ErrorKind::conflict, entered.error().detail);
    if (give_up && give_up()) co_return fail(ErrorKind::cancelled, "the start was given up");
    if (!std::exchange(told, true)) {
      log::warning(
          "waiting until it is known whether another process is gone",
          {{"reason", entered.error().detail},
           {"seconds_at_most",
            std::chrono::duration_cast<std::chrono::seconds>(kOthersKnownWithin).count()}});
    }
    (void)co_await async::sleep_for(kTryAgain);
  }
}

// Of a node that must be alone: whether nobody else is left. Else waiting_ says whether that is
// only not known yet.
Task<Result<void>> Node::look_for_others() {
  waiting_ = false;
  const auto nodes =
      co_await store_.read([](store::ReadTransaction& reader) { return reader.nodes(); });
  if (!nodes) co_return fail(nodes.error());
  std::vector<policy::SoleWatch::Seen> others;
  std::string who;
  for (const store::Node& node : *nodes) {
    if (node.is_void || (who_.succeeds && node.name == who_.name)) continue;
    others.push_back({static_cast<std::int64_t>(node.key), node.left});
    if (who.empty()) who = store::lives_here(node);
  }
  const auto verdict = others_.look(others, clock_.steady_now());
  if (verdict == policy::SoleWatch::Verdict::alone) co_return Result<void>{};
  waiting_ = verdict == policy::SoleWatch::Verdict::wait;
  co_return fail(ErrorKind::conflict, who);
}

Task<Result<void>> Node::take_key() {
  if (who_.alone) {
    auto alone = co_await look_for_others();
    if (!alone) co_return alone;
  }
  const auto entered = co_await store_.write(
      store::WritePriority::accept,
      [who = who_](store::WriteTransaction& transaction) { return transaction.enter_node(who); });
  if (!entered) co_return fail(entered.error());
  key_ = static_cast<std::int64_t>(*entered);
  entered_ = true;
  if (who_.alone) who_.succeeds = false;
  co_return Result<void>{};
}

Task<void> Node::run() {
  while (true) {
    bool renewed = false;
    try {
      renewed = co_await renew();
    } catch (const std::exception&) {
      async::report_exception("renewing the lease of this process", std::current_exception());
    }
    if (const std::uint64_t doubts = store_.figures().doubts; renewed && doubts != doubts_) {
      doubts_ = doubts;
      watchful_until_ = clock_.steady_now() + kWatchfulFor;
      look_.notify();
    }
    const Milliseconds wait = renewed ? store::kRenewEvery : kTryAgain;
    (void)co_await renew_.wait_until(clock_.steady_now() + wait);
    if (stopping_) co_return;
  }
}

// False if the store could not be asked.
Task<bool> Node::renew() {
  const SteadyInstant asked = clock_.steady_now();
  const bool is_first = !entered_;
  Result<void> renewed = fail(ErrorKind::conflict, "not entered yet");
  if (key() != store::kNobody) {
    renewed = co_await store_.write(store::WritePriority::accept,
                                    [node = key()](store::WriteTransaction& transaction) {
                                      return transaction.renew_node(node);
                                    });
    if (!renewed && renewed.error().kind == ErrorKind::conflict) {
      log::error("this process counted as dead: what it had in hand is offered to others");
      life_.lost();
      until_us_ = 0;
      key_ = 0;
    }
  }
  if (!renewed && renewed.error().kind == ErrorKind::conflict) renewed = co_await take_key();
  const bool lapsed = !is_first && !life_.holds(clock_.steady_now());
  if (lapsed && !std::exchange(in_doubt_, true)) lapses_total_.add();
  if (renewed && in_doubt_) renewed = co_await confirm();
  if (!renewed) {
    renewing_.failed(clock_.steady_now(), {{"reason", renewed.error().detail}});
    co_return false;
  }
  renewing_.worked(clock_.steady_now());
  in_doubt_ = false;
  hold(asked);
  co_return true;
}

// The lease had lapsed: what may somebody else have taken?
Task<Result<void>> Node::confirm() {
  BatchHolder* const holder = holder_;
  if (holder == nullptr) co_return Result<void>{};
  const std::vector<store::HeldBatch> held = holder->held();
  for (std::size_t begin = 0; begin < held.size(); begin += kAskedAtOnce) {
    const std::size_t end = std::min(begin + kAskedAtOnce, held.size());
    const std::vector<store::HeldBatch> some(held.begin() + static_cast<std::ptrdiff_t>(begin),
                                             held.begin() + static_cast<std::ptrdiff_t>(end));
    const auto lost = co_await store_.read([node = key(), some](store::ReadTransaction& reader) {
      return reader.lost_by(node, some);
    });
    if (!lost) co_return fail(lost.error());
    const std::size_t gone = lost->empty() ? 0 : holder->lost(*lost);
    if (gone == 0) continue;
    lost_total_.add(gone);
    log::warning("batches in hand were lost", {{"batches", gone}});
  }
  co_return Result<void>{};
}

// ---- what was forgotten ------------------------------------------------------------------------

Task<void> Node::keep_looking() {
  SteadyInstant next = clock_.steady_now() + kLookEvery;
  while (true) {
    (void)co_await look_.wait_until(next);
    if (stopping_) co_return;
    Result<void> looked = fail(ErrorKind::unavailable, "");
    try {
      if (holds()) looked = co_await look_for_forgotten();
    } catch (const std::exception&) {
      async::report_exception("looking for forgotten batches", std::current_exception());
    }
    const SteadyInstant now = clock_.steady_now();
    const bool soon = !looked || forgotten_.any() || now < watchful_until_;
    next = now + (soon ? kLookAgainAfter : kLookEvery);
  }
}

Task<Result<void>> Node::look_for_forgotten() {
  const store::NodeKey node = key();
  BatchHolder* const holder = holder_;
  if (holder == nullptr || node == store::kNobody) co_return Result<void>{};
  // What is in hand is looked at after each page has come, so that what was claimed meanwhile is.
  forgotten_.begin(node, clock_.steady_now(), store_.figures().performing_since);
  std::optional<store::BatchKey> after;
  while (true) {
    const auto page = co_await store_.read([node, after](store::ReadTransaction& reader) {
      return reader.held_by(node, after, kAskedAtOnce);
    });
    if (!page) co_return fail(page.error());
    forgotten_.missing(holder->not_in_hand(*page));
    if (page->size() < kAskedAtOnce) break;
    after = page->back().key;
  }
  co_return co_await give_back(forgotten_.end());
}

Task<Result<void>> Node::give_back(std::vector<store::HeldBatch> forgotten) {
  std::int64_t batches = 0;
  std::int64_t unknown = 0;
  Result<void> done;
  for (std::size_t begin = 0; done && begin < forgotten.size(); begin += kGivenBackAtOnce) {
    const std::size_t end = std::min(begin + kGivenBackAtOnce, forgotten.size());
    const std::vector<store::HeldBatch> some =
        holder_.load()->forget({forgotten.begin() + static_cast<std::ptrdiff_t>(begin),
                                forgotten.begin() + static_cast<std::ptrdiff_t>(end)});
    const auto given = co_await store_.write(store::WritePriority::claims,
                                             [node = key(), some](store::WriteTransaction& writer) {
                                               return writer.give_back(node, some);
                                             });
    if (!given) {
      done = fail(given.error());
      break;
    }
    batches += given->batches;
    unknown += given->unknown;
    holder_.load()->given_back(some);
  }
  if (batches > 0) {
    forgotten_total_.add(static_cast<std::uint64_t>(batches));
    log::warning(
        "batches were given back that nobody here had in hand: the answer that leased "
        "them was lost",
        {{"batches", batches}, {"unknown", unknown}});
  }
  co_return done;
}

}  // namespace todoku::delivery
