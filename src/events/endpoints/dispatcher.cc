// SPDX-License-Identifier: Apache-2.0
#include "events/endpoints/dispatcher.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "base/log.h"

namespace todoku::events::endpoints {
namespace {

constexpr std::int64_t kPage = 200;  // endpoints of one question
// Commits since the last poll whose accounts are asked for: a few milliseconds of a reader.
constexpr std::int64_t kSheetsLooked = 2'000;
// Of one that throws: before it is taken again, doubled each time.
constexpr Milliseconds kPutOffFirst = std::chrono::seconds(5);
constexpr Milliseconds kPutOffLongest = std::chrono::minutes(10);
constexpr Milliseconds kForgivenAfter = std::chrono::hours(1);

bool is_dead(const std::set<store::NodeKey>& living, store::NodeKey node) {
  return node == store::kNobody || !living.contains(node);
}

Result<std::set<store::NodeKey>> living(store::ReadTransaction& transaction) {
  const auto nodes = transaction.nodes();
  if (!nodes) return fail(nodes.error());
  std::set<store::NodeKey> keys;
  for (const store::Node& node : *nodes) {
    if (!node.is_void) keys.insert(node.key);
  }
  return keys;
}

// Whose events came; nullopt: anybody's.
struct News {
  store::EventPlace until;
  std::optional<std::vector<store::AccountKey>> accounts;
};

// 0: there is none of that name.
Result<store::AccountKey> key_of(store::ReadTransaction& transaction, const std::string& account) {
  if (account.empty()) return store::AccountKey{};
  const auto found = transaction.account_by_name(account);
  if (found) return found->key;
  if (found.error().kind == ErrorKind::not_found) return store::AccountKey{};
  return fail(found.error());
}

Result<News> news_since(store::ReadTransaction& transaction,
                        const std::optional<store::EventPlace>& after) {
  const auto last = transaction.last_event_place();
  if (!last) return fail(last.error());
  News news{.until = *last, .accounts = std::nullopt};
  if (!after) return news;
  if (*last == *after) {
    news.accounts.emplace();
    return news;
  }
  auto accounts = transaction.accounts_told(*after, *last, kSheetsLooked);
  if (!accounts) return fail(std::move(accounts.error()));
  news.accounts = std::move(*accounts);
  return news;
}

}  // namespace

Figures::Figures(Metrics& metrics)
    : accepted(metrics.counter("todoku_webhook_calls_total",
                               "Calls to endpoints of webhooks, by what they came to",
                               {{"result", "accepted"}})),
      refused(metrics.counter("todoku_webhook_calls_total", "", {{"result", "refused"}})),
      throttled(metrics.counter("todoku_webhook_calls_total", "", {{"result", "throttled"}})),
      busy(metrics.counter("todoku_webhook_calls_total", "", {{"result", "busy"}})),
      gone(metrics.counter("todoku_webhook_calls_total", "", {{"result", "gone"}})),
      events(metrics.counter("todoku_webhook_events_total", "Events that endpoints have taken")),
      set_aside(metrics.counter("todoku_webhook_events_set_aside_total",
                                "Events that an endpoint refused for a day")),
      reads(metrics.counter("todoku_webhook_reads_total",
                            "Looks at an account's events for one of its endpoints")),
      active(metrics.gauge("todoku_webhook_endpoints", "Endpoints that this process tells",
                           {{"status", "active"}})),
      failing(metrics.gauge("todoku_webhook_endpoints", "", {{"status", "failing"}})) {}

Dispatcher::Dispatcher(Ground ground, Options options, async::Executor executor)
    : ground_(std::move(ground)),
      options_(std::move(options)),
      executor_(executor),
      figures_(ground_.metrics),
      wake_(executor),
      tasks_(executor),
      leavings_(executor) {}

void Dispatcher::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("endpoints", run()); });
}

Task<void> Dispatcher::stop(SteadyInstant deadline) {
  co_await async::run_on(executor_, stop_here(deadline));
}

void Dispatcher::on_change() {
  look_at_ = SteadyInstant{};
  wake_.notify();
}

Task<void> Dispatcher::run() {
  while (!stopping_) {
    try {
      if (ground_.holds()) {
        if (ground_.clock.steady_now() >= look_at_) co_await look();
        if (!tellers_.empty()) co_await poll();
      }
      let_go();
    } catch (const std::exception&) {
      async::report_exception("looking for endpoints", std::current_exception());
    }
    show_figures();
    const SteadyInstant soon = ground_.clock.steady_now() + options_.poll_every;
    const bool idle = tellers_.empty() && ground_.holds();
    (void)co_await wake_.wait_until(idle ? look_at_ : soon);
  }
}

// Who is told elsewhere is another process's, as long as that lives.
Task<void> Dispatcher::look() {
  look_at_ = ground_.clock.steady_now() + options_.look_every;
  std::set<std::string> seen;
  std::vector<std::string> free;
  std::string after;
  std::size_t endpoints = 0;
  bool more = true;
  while (more) {
    std::set<store::NodeKey> alive;
    store::AccountKey closed{};
    const auto page = co_await ground_.store.read(
        [after, &alive, &closed,
         this](store::ReadTransaction& t) -> Result<std::vector<store::Webhook>> {
          const auto account = key_of(t, options_.closed_account);
          if (!account) return fail(account.error());
          closed = *account;
          auto nodes = living(t);
          if (!nodes) return fail(std::move(nodes.error()));
          alive = std::move(*nodes);
          return t.webhooks_to_tell(after, kPage);
        });
    const SteadyInstant now = ground_.clock.steady_now();
    if (!page) {
      looking_.failed(now, {{"reason", page.error().detail}});
      co_return;
    }
    looking_.worked(now);
    for (const store::Webhook& webhook : *page) {
      if (webhook.account == closed) continue;
      ++endpoints;
      seen.insert(webhook.name);
      const auto mine = tellers_.find(webhook.name);
      if (mine != tellers_.end()) {
        if (mine->second->turn() != webhook.turn) mine->second->on_decision();
      } else if (leaving_.contains(webhook.name)) {
        continue;
      } else if (const auto off = put_off_.find(webhook.name);
                 off != put_off_.end() && now < off->second.until) {
        look_at_ = std::min(look_at_, off->second.until);
      } else if (webhook.node == ground_.node() || is_dead(alive, webhook.node)) {
        free.push_back(webhook.name);
      }
    }
    more = static_cast<std::int64_t>(page->size()) == kPage;
    if (more) after = page->back().name;
  }
  endpoints_ = endpoints;
  std::erase_if(put_off_, [&](const auto& each) { return !seen.contains(each.first); });
  for (const auto& [name, teller] : tellers_) {
    if (!seen.contains(name)) teller->on_decision();
  }
  for (std::string& name : free) {
    if (stopping_) co_return;
    co_await take(std::move(name));
  }
}

Task<void> Dispatcher::take(std::string name) {
  auto taken = co_await ground_.store.write(
      store::WritePriority::import,
      [node = ground_.node(), name](store::WriteTransaction& t) -> Result<Teller::Taken> {
        auto webhook = t.take_webhook(node, name);
        if (!webhook) return fail(std::move(webhook.error()));
        auto calls = t.read().webhook_calls(name);
        if (!calls) return fail(std::move(calls.error()));
        return Teller::Taken{std::move(*webhook), std::move(*calls)};
      });
  if (!taken) {
    const bool is_others =
        taken.error().kind == ErrorKind::conflict || taken.error().kind == ErrorKind::not_found;
    if (!is_others) {
      looking_.failed(ground_.clock.steady_now(), {{"reason", taken.error().detail}});
    }
    co_return;
  }
  if (stopping_) {
    (void)co_await ground_.store.write(
        store::WritePriority::import,
        [node = taken->webhook.node, name](store::WriteTransaction& t) {
          return t.give_webhook(node, name);
        });
    co_return;
  }
  const std::size_t share = options_.window_octets_all / std::max<std::size_t>(endpoints_, 1);
  auto teller = std::make_unique<Teller>(
      ground_, figures_, *taken,
      std::clamp(share, options_.window_octets_min, std::size_t{2} << 20U), executor_);
  teller->start();
  tellers_.insert_or_assign(std::move(name), std::move(teller));
}

Task<void> Dispatcher::poll() {
  const SteadyInstant begun = ground_.clock.steady_now();
  const bool all = !polled_ || begun >= all_look_at_;
  const auto news =
      co_await ground_.store.read([after = all ? std::nullopt : polled_](
                                      store::ReadTransaction& t) { return news_since(t, after); });
  const SteadyInstant now = ground_.clock.steady_now();
  if (!news) {
    looking_.failed(now, {{"reason", news.error().detail}});
    co_return;
  }
  looking_.worked(now);
  polled_ = news->until;
  if (all) all_look_at_ = begun + options_.all_look_every;
  for (const auto& [name, teller] : tellers_) {
    const bool is_told =
        !news->accounts || std::ranges::binary_search(*news->accounts, teller->account());
    if (is_told) teller->on_events();
  }
}

// Each by itself: one whose calls hang keeps nobody else from being told.
void Dispatcher::let_go() {
  for (auto each = tellers_.begin(); each != tellers_.end();) {
    const auto here = each++;
    if (here->second->is_over()) leaving_.insert(tellers_.extract(here));
  }
  std::vector<std::string> fresh;
  for (const auto& [name, teller] : leaving_) {
    if (teller->is_leaving()) continue;
    if (teller->has_thrown()) put_off(name);
    fresh.push_back(name);
  }
  for (const std::string& name : fresh) {
    leavings_.spawn("endpoint leaves", stop_leaving(name));
    if (const auto there = leaving_.find(name); there != leaving_.end()) there->second->leave();
  }
}

void Dispatcher::put_off(const std::string& name) {
  const SteadyInstant now = ground_.clock.steady_now();
  PutOff& its = put_off_[name];
  if (now > its.until + kForgivenAfter) its.times = 0;
  constexpr int kDoublings = 7;
  const auto wait = kPutOffFirst * (1 << std::min(its.times++, kDoublings));
  its.until = now + std::min<Milliseconds>(wait, kPutOffLongest);
}

Task<void> Dispatcher::stop_leaving(std::string name) {
  for (bool stopped = false; !stopped;) {
    try {
      co_await leaving_.at(name)->stop(ground_.clock.steady_now() + options_.stop_patience);
      stopped = true;
    } catch (const std::exception&) {
      async::report_exception("an endpoint leaves", std::current_exception());
    }
    if (!stopped) (void)co_await async::sleep_for(options_.poll_every);
  }
  leaving_.erase(name);
  // Its owner may have switched it on again since.
  look_at_ = SteadyInstant{};
  wake_.notify();
}

void Dispatcher::show_figures() {
  std::size_t failing = 0;
  for (const auto& [name, teller] : tellers_) {
    if (teller->status() == webhooks::EndpointState::Status::failing) ++failing;
  }
  figures_.failing.set(static_cast<double>(failing));
  figures_.active.set(static_cast<double>(tellers_.size() - failing));
}

Task<void> Dispatcher::stop_here(SteadyInstant deadline) {
  stopping_ = true;
  wake_.notify();
  co_await tasks_.wait_empty();
  const SteadyInstant until =
      std::min(deadline, ground_.clock.steady_now() + options_.stop_patience);
  // All at once: they wait for answers together.
  async::TaskGroup stops(executor_);
  for (const auto& [name, teller] : tellers_) stops.spawn("endpoint stops", teller->stop(until));
  co_await stops.wait_empty();
  co_await leavings_.wait_empty();
  tellers_.clear();
  show_figures();
}

}  // namespace todoku::events::endpoints
