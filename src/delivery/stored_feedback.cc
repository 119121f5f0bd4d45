// SPDX-License-Identifier: Apache-2.0
#include "delivery/stored_feedback.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "base/log.h"

namespace todoku::delivery {
namespace {

// Beyond this what is told is dropped, as if it had been lost on its way.
constexpr std::size_t kGatheredMax = 50'000;
constexpr std::size_t kSitesMax = 50'000;
// Whoever leads from now on has heard where mail goes after so long.
constexpr std::chrono::seconds kTellSitesAgain{30};
constexpr Milliseconds kLeadsNot{100};  // from one look at who leads to the next
constexpr std::int64_t kItemsAtOnce = 64;

}  // namespace

StoredFeedback::StoredFeedback(store::Store& store, const NodeLease& node, const Leads& leads,
                               MemoryFeedback::SiteOf site_of, const Clock& clock, Metrics& metrics,
                               async::Executor executor, Options options)
    : store_(store),
      node_(node),
      leads_(leads),
      known_here_(std::move(site_of)),
      clock_(clock),
      options_(options),
      here_([](std::string_view domain) { return std::string(domain); }),
      told_(kSitesMax),
      heard_(kSitesMax),
      dropped_total_(metrics.counter("todoku_news_dropped_total",
                                     "What couriers had to tell the scheduler of another process "
                                     "and could not be written, in batches.")),
      executor_(executor),
      something_(executor),
      tasks_(executor) {}

StoredFeedback::~StoredFeedback() = default;

void StoredFeedback::start() {
  boost::asio::post(executor_, [this] {
    tasks_.spawn("telling news", tell());
    if (options_.listens) tasks_.spawn("hearing news", hear());
  });
}

Task<void> StoredFeedback::stop() {
  co_await tasks_.stop();
  co_await write();
}

// ---- couriers tell -----------------------------------------------------------------------------

void StoredFeedback::gathered_locked() {
  if (std::exchange(posted_, true)) return;
  boost::asio::post(executor_, [this] { something_.notify(); });
}

void StoredFeedback::progressed(std::vector<BatchProgress> progress) {
  if (leads_.leads()) return here_.progressed(std::move(progress));
  const std::lock_guard lock(mutex_);
  for (BatchProgress& step : progress) {
    if (progress_.size() >= kGatheredMax && !progress_.contains(step.key)) {
      dropped_total_.add();
      continue;
    }
    BatchProgress& all = progress_[step.key];
    all.key = step.key;
    all.settled += step.settled;
    all.parked += step.parked;
    if (step.released) all.released = step.released;
  }
  gathered_locked();
}

void StoredFeedback::rests(LaneRest rest) {
  if (leads_.leads()) return here_.rests(std::move(rest));
  const std::lock_guard lock(mutex_);
  if (rests_.size() >= kGatheredMax) return;
  auto key = std::tuple(rest.site, rest.source, rest.elsewhere);
  rests_.insert_or_assign(std::move(key), std::move(rest));
  gathered_locked();
}

void StoredFeedback::routed(std::string_view domain, std::string_view site) {
  if (domain == site || leads_.leads()) return;
  const std::lock_guard lock(mutex_);
  const SteadyInstant now = clock_.steady_now();
  if (now - told_since_ >= kTellSitesAgain) {
    told_.grow_old();
    told_since_ = now;
  }
  if (routed_.size() >= kGatheredMax || !told_.learn(domain, site)) return;
  routed_.emplace_back(domain, site);
  gathered_locked();
}

ToldNews StoredFeedback::take_gathered() {
  ToldNews told;
  const std::lock_guard lock(mutex_);
  posted_ = false;
  for (auto& [key, step] : std::exchange(progress_, {})) told.news.progress.push_back(step);
  for (auto& [key, rest] : std::exchange(rests_, {})) told.news.rests.push_back(std::move(rest));
  told.routed = std::exchange(routed_, {});
  return told;
}

Task<void> StoredFeedback::tell() {
  while (true) {
    co_await something_.wait();
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
    const bool awake = co_await async::sleep_for(options_.gather);
    if (!awake) co_return;
    try {
      co_await write();
    } catch (const std::exception&) {
      async::report_exception("telling news", std::current_exception());
    }
  }
}

Task<void> StoredFeedback::write() {
  const ToldNews told = take_gathered();
  if (told.empty()) co_return;
  const std::vector<std::string> pieces = write_news(told, store::kNewsMax);
  for (const std::string& piece : pieces) {
    const auto written = co_await store_.write(
        store::WritePriority::claims, [node = node_.key(), piece](store::WriteTransaction& t) {
          return t.tell_news(node, piece);
        });
    if (!written) {
      dropped_total_.add(told.news.progress.size());
      telling_.failed(clock_.steady_now(), {{"reason", written.error().detail}});
      co_return;
    }
  }
  telling_.worked(clock_.steady_now());
}

// ---- whoever leads hears -----------------------------------------------------------------------

Task<void> StoredFeedback::hear() {
  Milliseconds wait = options_.look_soon;
  while (true) {
    const bool leads = leads_.leads();
    Result<bool> heard = false;
    if (leads) {
      try {
        heard = co_await look();
      } catch (const std::exception&) {
        async::report_exception("hearing news", std::current_exception());
      }
      if (heard) {
        hearing_.worked(clock_.steady_now());
      } else {
        hearing_.failed(clock_.steady_now(), {{"reason", heard.error().detail}});
      }
      const bool some = heard && *heard;
      wait = some ? options_.look_soon : std::min(2 * wait, options_.look_late);
    } else {
      wait = options_.look_soon;
    }
    const bool awake = co_await async::sleep_for(leads ? wait : kLeadsNot);
    if (!awake) co_return;
  }
}

Task<Result<bool>> StoredFeedback::look() {
  // With those that could not be dropped, beside which there must be room for others.
  const std::int64_t limit = kItemsAtOnce + static_cast<std::int64_t>(read_.size());
  const auto items =
      co_await store_.read([limit](store::ReadTransaction& reader) { return reader.news(limit); });
  if (!items) co_return fail(items.error());
  if (items->empty()) {
    read_.clear();
    co_return false;
  }
  std::vector<std::int64_t> keys;
  bool some = false;
  for (const store::NewsItem& item : *items) {
    keys.push_back(item.key);
    if (!read_.insert(item.key).second) continue;
    some = true;
    take_in(item.body);
  }
  const auto dropped =
      co_await store_.write(store::WritePriority::claims,
                            [keys](store::WriteTransaction& t) { return t.drop_news(keys); });
  if (!dropped) co_return fail(dropped.error());
  for (const std::int64_t key : keys) read_.erase(key);
  co_return some;
}

void StoredFeedback::take_in(const std::string& text) {
  auto told = read_news(text);
  if (!told) {
    log::warning("news of another process left out", {{"reason", told.error().detail}});
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [domain, site] : told->routed) (void)heard_.learn(domain, site);
  }
  for (LaneRest& rest : told->news.rests) here_.rests(std::move(rest));
  here_.progressed(std::move(told->news.progress));
}

std::string StoredFeedback::site_of(std::string_view domain) const {
  std::string known = known_here_(domain);
  if (known != domain) return known;
  const std::lock_guard lock(mutex_);
  const std::string* const heard = heard_.find(domain);
  return heard == nullptr ? known : *heard;
}

}  // namespace todoku::delivery
