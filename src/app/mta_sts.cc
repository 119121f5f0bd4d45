// SPDX-License-Identifier: Apache-2.0
#include "app/mta_sts.h"

#include <utility>

#include "app/module_options.h"

namespace todoku::app {
namespace {

constexpr std::size_t kFetchesMax = 8;
// All are of one party, which has half of the three quarters that the unknown have of an address's
// places: 2. So an address that lets fetches hang, under however many domains, holds up itself.
constexpr std::size_t kPlacesOfAnAddress = 4;

http::GuardedOptions client_options(const config::Config& config) {
  http::GuardedOptions options = guarded_options(config);
  // The guarded client gives one party no more than a share of its places.
  options.requests_max = 4 * kFetchesMax;
  options.per_address_max = kPlacesOfAnAddress;
  return options;
}

sts::PolicyCache::Options cache_options() {
  sts::PolicyCache::Options options;
  options.fetches_max = kFetchesMax;
  return options;
}

}  // namespace

sts::WebPolicyFetch::Options policy_fetch_options(const config::Config& config) {
  sts::WebPolicyFetch::Options options;
  options.port = static_cast<std::uint16_t>(config.smtp_out.mta_sts_port);
  return options;
}

Task<Result<std::optional<StoredPolicies::Held>>> StoredPolicies::find(std::string domain) {
  const auto kept = co_await store_.read(
      [&domain](store::ReadTransaction& reader) { return reader.sts_policy(domain); });
  if (!kept) co_return fail(kept.error());
  if (!*kept) co_return std::optional<Held>();
  auto policy = mailauth::mta_sts::parse_policy((*kept)->text);
  // A later version may have written what this one cannot read: as if there were none.
  if (!policy) co_return std::optional<Held>();
  co_return Held{.id = (*kept)->id, .policy = std::move(*policy), .fetched = (*kept)->fetched};
}

Task<Result<void>> StoredPolicies::keep(std::string domain, Held held) {
  const store::StsPolicy policy{.domain = std::move(domain),
                                .id = held.id,
                                .text = to_text(held.policy),
                                .fetched = held.fetched,
                                .expires = held.expires()};
  co_return co_await store_.write(
      store::WritePriority::retention,
      [policy](store::WriteTransaction& writer) { return writer.keep_sts_policy(policy); });
}

MtaSts::MtaSts(const config::Config& config, dns::Resolver& resolver, store::Store& store,
               async::Executor executor, const Clock& clock, Metrics& metrics)
    : shelf_(store),
      client_(client_options(config), resolver, clock),
      fetch_(client_, policy_fetch_options(config)),
      policies_({.resolver = resolver,
                 .fetch = fetch_,
                 .shelf = &shelf_,
                 .clock = clock,
                 .metrics = metrics,
                 .executor = std::move(executor)},
                cache_options()) {}

}  // namespace todoku::app
