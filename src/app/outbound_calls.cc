// SPDX-License-Identifier: Apache-2.0
#include "app/outbound_calls.h"

#include <utility>

#include "app/module_options.h"

namespace todoku::app {
namespace {

constexpr std::size_t kCallSockets = 32;
constexpr std::size_t kLookUpsWaitingMax = 1'000;
constexpr std::size_t kHostsCacheOctets = std::size_t{4} << 20U;

}  // namespace

Result<std::unique_ptr<OutboundCalls>> OutboundCalls::make(const config::Config& config,
                                                           std::size_t calls_max,
                                                           async::Executor executor,
                                                           const Clock& clock, Metrics& metrics) {
  dns::UnboundResolver::Options names = resolver_options(config);
  names.sockets = kCallSockets;
  names.questions_max = 2 * calls_max;  // A and AAAA
  names.waiting_max = kLookUpsWaitingMax;
  names.cache_octets = kHostsCacheOctets;
  auto resolver = dns::UnboundResolver::create(std::move(names), executor, clock, metrics);
  if (!resolver) return fail("the DNS resolver", std::move(resolver.error()));
  http::GuardedOptions options = guarded_options(config);
  options.requests_max = calls_max;
  return std::unique_ptr<OutboundCalls>(
      new OutboundCalls(std::move(*resolver), std::move(options), clock));
}

}  // namespace todoku::app
