// SPDX-License-Identifier: Apache-2.0
#include "dns/resolver_watch.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "base/log.h"
#include "dns/statuses.h"

namespace todoku::dns {
namespace {

Unroutable doubtful(std::string_view domain, const std::string& problem) {
  return {.permanent = false,
          .status = kDirectoryFailure,
          .reason = fmt::format("our own resolver cannot be believed about {}: {}", domain,
                                problem.empty() ? "it has just begun to answer again" : problem),
          .by_absence = false,
          .ours = true,
          .cause = Cause::resolver_doubted};
}

bool is_denial(const RouteAnswer& answer) {
  return !answer && answer.error().permanent && answer.error().by_absence;
}

constexpr std::string_view kChecks = "todoku_dns_resolver_checks_total";
constexpr std::string_view kChecksHelp =
    "Checks of the resolver (dns.check_names), by what came of them.";

}  // namespace

ResolverWatch::ResolverWatch(const ResolverHealth::Options& options, Check check,
                             async::Executor executor, const Clock& clock, Metrics& metrics)
    : options_(options),
      check_(std::move(check)),
      executor_(executor),
      clock_(clock),
      trusted_gauge_(metrics.gauge("todoku_dns_resolver_trusted",
                                   "1 if the last check of the resolver passed, so that a domain "
                                   "it denies may bounce; else mail to such domains waits.")),
      passed_(metrics.counter(kChecks, kChecksHelp, {{"result", "passed"}})),
      failed_(metrics.counter(kChecks, kChecksHelp, {{"result", "failed"}})),
      unanswered_(metrics.counter(kChecks, kChecksHelp, {{"result", "no_answer"}})),
      doubted_(metrics.counter("todoku_dns_answers_doubted_total",
                               "Look-ups whose answer was not believed: the mail waits.")),
      health_(options),
      wake_(executor),
      tasks_(executor) {}

void ResolverWatch::start() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = false;
  }
  boost::asio::post(executor_, [this] { tasks_.spawn("resolver watch", run()); });
}

Task<void> ResolverWatch::stop() {
  {
    std::unique_lock lock(mutex_);
    stopped_ = true;
    release_waiters(std::move(lock));
  }
  co_await async::run_on(executor_, tasks_.stop());
}

// ---- what an answer is worth -------------------------------------------------------------------

ResolverWatch::Ruling ResolverWatch::rule_locked(const RouteAnswer& answer, SteadyInstant asked,
                                                 SteadyInstant answered) const {
  if (is_denial(answer)) return health_.rule_denial(asked, answered);
  if (!answer) {
    return answer.error().cause == Cause::dns_failed ? health_.rule_failure(answered)
                                                     : Ruling::stands;
  }
  if (answer->implicit_mx) return health_.rule_bare_address(asked, answered);
  const bool invented = std::ranges::any_of(answer->hosts, [this](const MailHost& host) {
    return std::ranges::any_of(host.addresses, [this](const net::IpAddress& address) {
      return health_.invented(address);
    });
  });
  return invented ? Ruling::doubtful : Ruling::stands;
}

Task<RouteAnswer> ResolverWatch::believed(std::string domain, SteadyInstant asked,
                                          RouteAnswer answer) {
  const SteadyInstant answered = clock_.steady_now();
  {
    const std::lock_guard lock(mutex_);
    health_.used();
    if (answer || answer.error().permanent) {
      health_.answered(domain, is_denial(answer), answered);
    }
  }
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      const Ruling ruling = rule_locked(answer, asked, answered);
      if (ruling == Ruling::stands) co_return answer;
      if (ruling == Ruling::doubtful || stopped_) {
        doubted_.add();
        co_return std::unexpected(doubtful(domain, health_.problem()));
      }
    }
    co_await check_ended();
  }
}

Task<void> ResolverWatch::check_ended() {
  co_await async::from_callback<bool>([this](async::Callback<bool> done) {
    std::unique_lock lock(mutex_);
    if (stopped_) {
      lock.unlock();
      done(false);
      return;
    }
    waiting_.push_back(std::move(done));
    lock.unlock();
    wake();
  });
}

Task<Result<void>> ResolverWatch::ready() {
  bool known = false;
  {
    const std::lock_guard lock(mutex_);
    const auto checked = health_.checked();
    known = checked && clock_.steady_now() - *checked < options_.every;
    health_.used();
  }
  if (!known) co_await check_ended();
  const std::lock_guard lock(mutex_);
  if (health_.problem().empty()) co_return Result<void>();
  co_return fail(ErrorKind::unavailable, health_.problem());
}

// ---- checks ------------------------------------------------------------------------------------

void ResolverWatch::wake() {
  boost::asio::post(executor_, [this] { wake_.notify(); });
}

Task<void> ResolverWatch::run() {
  while (true) {
    SteadyInstant next{};
    SteadyInstant now{};
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) co_return;
      now = clock_.steady_now();
      next = health_.next_check(waiting_.size(), now);
      if (next <= now) health_.check_began(now);
    }
    if (next > now) {
      // Woken by who waits, at the time, or to stop.
      co_await wake_.wait_until(next);
      continue;
    }
    CheckFinding finding;
    try {
      finding = co_await check_();
    } catch (const std::exception&) {
      async::report_exception("checking the resolver", std::current_exception());
    }
    finish(std::move(finding));
  }
}

void ResolverWatch::finish(CheckFinding finding) {
  using Result = CheckFinding::Result;
  Counter& counter = finding.result == Result::passed   ? passed_
                     : finding.result == Result::failed ? failed_
                                                        : unanswered_;
  counter.add();
  const bool invents = finding.invents;
  std::unique_lock lock(mutex_);
  if (stopped_) return;  // it was cut off and says nothing
  const auto change = health_.check_ended(std::move(finding), clock_.steady_now());
  trusted_gauge_.set(health_.trusted() ? 1 : 0);
  const std::string problem = health_.problem();
  lock.unlock();
  tell(change, problem);
  // Lies that were taken for answers must not live on. A resolver that only denies has told none
  // that anybody believed, and what it said before may be all that we get for a while.
  const bool answers_void = change == ResolverHealth::Change::honest ||
                            (change == ResolverHealth::Change::lies && invents);
  if (answers_void && forget_) forget_();
  lock.lock();
  release_waiters(std::move(lock));
}

void ResolverWatch::tell(ResolverHealth::Change change, const std::string& problem) const {
  switch (change) {
    case ResolverHealth::Change::none:
      return;
    case ResolverHealth::Change::lies:
      log::error("the resolver lies, mail to domains that it denies waits", {{"reason", problem}});
      return;
    case ResolverHealth::Change::silent:
      log::warning("the resolver does not answer", {{"reason", problem}});
      return;
    case ResolverHealth::Change::honest:
      log::info("the resolver is believed again");
      return;
    case ResolverHealth::Change::heard:
      log::info("the resolver answers again");
      return;
  }
}

void ResolverWatch::release_waiters(std::unique_lock<std::mutex> lock) {
  std::vector<async::Callback<bool>> waiting;
  waiting.swap(waiting_);
  lock.unlock();
  for (async::Callback<bool>& each : waiting) each(true);
}

}  // namespace todoku::dns
