// SPDX-License-Identifier: Apache-2.0
#include "delivery/live_sources.h"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "delivery/sources.h"

namespace todoku::delivery {
namespace {
constexpr Milliseconds kRefreshEvery{2'000};
}  // namespace

StoredLiveSources::StoredLiveSources(store::Store& store, const Clock& clock,
                                     async::Executor executor)
    : store_(store), clock_(clock), executor_(executor), wake_(executor), tasks_(executor) {}

void StoredLiveSources::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("live sources", run()); });
}

Task<void> StoredLiveSources::stop() {
  stopping_ = true;
  wake_.notify();
  co_await tasks_.stop();
}

std::vector<std::string> StoredLiveSources::live() const {
  const std::lock_guard lock(mutex_);
  return live_;
}

Task<Result<void>> StoredLiveSources::refresh() {
  const SteadyInstant asked = clock_.steady_now();
  const auto owners =
      co_await store_.read([](store::ReadTransaction& reader) { return reader.source_owners(); });
  if (!owners) co_return fail(owners.error());
  std::vector<policy::SourceSeen> seen;
  for (const store::SourceOwner& owner : *owners) seen.push_back(seen_of(owner));
  std::vector<std::string> live = watch_.look(seen, asked, clock_.steady_now());
  const std::lock_guard lock(mutex_);
  live_ = std::move(live);
  co_return Result<void>{};
}

Task<void> StoredLiveSources::run() {
  while (!stopping_) {
    Result<void> asked = fail(ErrorKind::cancelled, "an exception");
    try {
      asked = co_await refresh();
    } catch (const std::exception&) {
      async::report_exception("asking which sources live", std::current_exception());
    }
    const SteadyInstant now = clock_.steady_now();
    if (asked) {
      asking_.worked(now);
    } else {
      asking_.failed(now, {{"reason", asked.error().detail}});
    }
    (void)co_await wake_.wait_until(now + kRefreshEvery);
  }
}

}  // namespace todoku::delivery
