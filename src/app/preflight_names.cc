// SPDX-License-Identifier: Apache-2.0
#include "app/preflight_names.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "app/module_options.h"
#include "dns/resolver_check.h"

namespace todoku::app {
namespace {

constexpr std::size_t kPreflightQuestionsMax = 512;
constexpr std::size_t kPreflightWaitingMax = 10'000;
constexpr std::size_t kPreflightCacheOctets = std::size_t{4} << 20U;
// Nobody waits for longer, and who is dead then makes room for others.
constexpr Milliseconds kPreflightTimeout = std::chrono::seconds(3);
// As dns::ResolverHealth::Options::wait_untrusted.
constexpr Microseconds kPreflightDoubtedFor = std::chrono::seconds(5);

Task<dns::CheckFinding> check_and_note(dns::ResolverCheckOptions options, const Clock& clock,
                                       std::shared_ptr<std::atomic<SteadyInstant>> doubted_until) {
  auto finding = co_await dns::check_resolver(std::move(options), clock);
  const bool passed = finding.result == dns::CheckFinding::Result::passed;
  *doubted_until = passed ? SteadyInstant::min() : clock.steady_now() + kPreflightDoubtedFor;
  co_return finding;
}

}  // namespace

Result<std::unique_ptr<PreflightNames>> PreflightNames::make(const config::Config& config,
                                                             std::size_t sockets,
                                                             async::Executor executor,
                                                             const Clock& clock, Metrics& metrics) {
  dns::UnboundResolver::Options options = resolver_options(config);
  options.timeout = std::min(options.timeout, kPreflightTimeout);
  options.sockets = sockets;
  options.questions_max = kPreflightQuestionsMax;
  options.waiting_max = kPreflightWaitingMax;
  options.cache_octets = kPreflightCacheOctets;
  auto resolver = dns::UnboundResolver::create(std::move(options), executor, clock, metrics);
  if (!resolver) return fail("the DNS resolver", std::move(resolver.error()));
  return std::unique_ptr<PreflightNames>(new PreflightNames(std::move(*resolver), config, clock));
}

PreflightWorld PreflightNames::world() {
  return {.resolver = *resolver_,
          .check_resolver =
              [check = resolver_check_options(config_, hello_name(config_)), &clock = clock_,
               until = doubted_until_] { return check_and_note(check, clock, until); },
          .is_doubted = [&clock = clock_,
                         until = doubted_until_] { return clock.steady_now() < until->load(); }};
}

}  // namespace todoku::app
