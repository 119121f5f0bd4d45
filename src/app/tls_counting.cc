// SPDX-License-Identifier: Apache-2.0
#include "app/tls_counting.h"

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "async/timer.h"
#include "base/bytes.h"
#include "delivery/policy/tls_results.h"
#include "mailauth/mta_sts/knowledge.h"

namespace todoku::app {
namespace {

constexpr Microseconds kStoreEvery = std::chrono::seconds(5);
constexpr std::int64_t kDaysKept = 60;

TlsResult result_of(mailauth::mta_sts::Fault fault) {
  switch (fault) {
    case mailauth::mta_sts::Fault::policy_fetch_error:
      return TlsResult::sts_policy_fetch_error;
    case mailauth::mta_sts::Fault::policy_invalid:
      return TlsResult::sts_policy_invalid;
    case mailauth::mta_sts::Fault::webpki_invalid:
      return TlsResult::sts_webpki_invalid;
  }
  return TlsResult::validation_failure;
}

}  // namespace

TlsCounting::TlsCounting(sts::PolicyCache* policies, store::Store& store, async::Executor executor,
                         const Clock& clock, Metrics& metrics)
    : policies_(policies),
      store_(store),
      executor_(executor),
      clock_(clock),
      metrics_(metrics),
      tasks_(executor) {}

void TlsCounting::tried(std::string_view domain, const Outcome& outcome, const Path& path) {
  const std::string name = to_ascii_lower(domain);
  if (const auto by_dane = delivery::policy::tls_result_by_dane(outcome, path)) {
    count(name, TlsPolicyType::tlsa, *by_dane);
    return;
  }
  const auto policy = policies_ == nullptr ? nullptr : policies_->peek(name);
  const delivery::policy::TlsAskedBySts asked{
      .has_policy = policy != nullptr,
      .host_named = policy != nullptr && mailauth::mta_sts::names(policy->policy, path.mx_host)};
  const auto result = delivery::policy::tls_result(outcome, path, asked);
  if (!result) return;
  count(name, policy == nullptr ? TlsPolicyType::no_policy_found : TlsPolicyType::sts, *result);
  if (policies_ == nullptr) return;
  if (outcome.cause == Cause::mta_sts) policies_->doubt(name);
  if (policy != nullptr) return;
  if (const auto failure = policies_->failure(name)) {
    count(name, TlsPolicyType::sts, result_of(failure->fault));
  }
}

void TlsCounting::count(std::string_view domain, TlsPolicyType policy, TlsResult result) {
  tally_.add(clock_.now(), domain, policy, result);
  const std::lock_guard lock(mutex_);
  Counter*& counter = counters_[{policy, result}];
  if (counter == nullptr) {
    counter = &metrics_.counter(
        "todoku_tls_results_total",
        "Attempts by how the protection of their connection fared, in the words of RFC 8460.",
        {{"policy", to_string(policy)}, {"result", to_string(result)}});
  }
  counter->add();
}

void TlsCounting::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("counts of TLS", run()); });
}

Task<void> TlsCounting::stop() {
  co_await async::run_on(executor_, tasks_.stop());
  co_await async::run_on(executor_, store_counts());
}

Task<void> TlsCounting::run() {
  while (true) {
    const bool awake = co_await async::sleep_for(kStoreEvery);
    if (!awake) co_return;
    co_await store_counts();
  }
}

Task<void> TlsCounting::store_counts() {
  const std::vector<sts::TlsTally::Count> taken = tally_.take();
  if (taken.empty()) co_return;
  std::vector<store::TlsCount> counts;
  counts.reserve(taken.size());
  for (const sts::TlsTally::Count& each : taken) {
    counts.push_back({.day = each.day,
                      .domain = each.domain,
                      .policy = each.policy,
                      .result = each.result,
                      .attempts = each.attempts});
  }
  const std::int64_t keep_since = sts::day_of(clock_.now()) - kDaysKept;
  const auto stored = co_await store_.write(store::WritePriority::retention,
                                            [&counts, keep_since](store::WriteTransaction& writer) {
                                              return writer.add_tls_counts(counts, keep_since);
                                            });
  const SteadyInstant now = clock_.steady_now();
  if (stored) {
    storing_.worked(now);
  } else {
    tally_.put_back(taken);
    storing_.failed(now, {{"reason", stored.error().detail}});
  }
}

}  // namespace todoku::app
