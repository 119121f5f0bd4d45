// SPDX-License-Identifier: Apache-2.0
#include "app/proof_names.h"

#include <utility>

#include "app/module_options.h"

namespace todoku::app {
namespace {

// A claim is looked at now and then.
constexpr std::size_t kSockets = 32;
constexpr std::size_t kQuestionsMax = 16;
constexpr std::size_t kWaitingMax = 1'000;
constexpr std::size_t kCacheOctets = std::size_t{1} << 20U;

}  // namespace

Result<std::unique_ptr<ProofNames>> ProofNames::make(const config::Config& config,
                                                     async::Executor executor, const Clock& clock,
                                                     Metrics& metrics) {
  dns::UnboundResolver::Options options = resolver_options(config);
  options.sockets = kSockets;
  options.questions_max = kQuestionsMax;
  options.waiting_max = kWaitingMax;
  options.cache_octets = kCacheOctets;
  auto resolver = dns::UnboundResolver::create(std::move(options), executor, clock, metrics);
  if (!resolver) return fail("the DNS resolver", std::move(resolver.error()));
  return std::unique_ptr<ProofNames>(new ProofNames(std::move(*resolver)));
}

Task<Result<std::vector<std::string>>> ProofNames::texts(std::string name, bool anew) {
  if (anew) resolver_->forget_answers();
  auto answer = co_await resolver_->txt(std::move(name));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return std::move(answer->records);
}

}  // namespace todoku::app
