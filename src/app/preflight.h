// SPDX-License-Identifier: Apache-2.0
// For the API: "will it arrive?" (doctor/preflight.h). Reads a delivery, composes and signs its
// mail for a few recipients as it would be sent now, counts the domains of its list, asks the DNS
// (app/preflight_facts.h), and lets doctor/ judge.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "api/preflight.h"
#include "app/preflight_facts.h"
#include "app/sample_facts.h"
#include "delivery/key_ring.h"
#include "delivery/options.h"
#include "delivery/sample_letters.h"
#include "store/store.h"

namespace todoku::app {

// Of a list: the domains with the most recipients that the DNS is asked about, and those of the
// smaller ones, as a sample of them (store::DomainHistogram::largest_and_some()).
inline constexpr std::size_t kDomainsAsked = 500;
inline constexpr std::size_t kSmallerDomainsAsked = 100;
// Of the time there is, a part: no further message is made after it, and no more of the list is
// counted. The rest is for the DNS.
inline constexpr int kComposingShare = 3;

// Thread-safe. What is given outlives it.
class ComposedPreflight final : public api::Preflight {
 public:
  struct World {
    store::Store& store;
    delivery::KeyRing& keys;
    PreflightWorld names;
    const Clock& clock;
  };
  ComposedPreflight(World world, delivery::Options options,
                    std::vector<doctor::SourceIdentity> sources)
      : world_(std::move(world)),
        asks_nobody_(options.sandbox),
        bulk_life_(options.retry_bulk.life_time),
        letters_(world_.store, world_.keys, std::move(options)),
        sources_(std::move(sources)) {}

  [[nodiscard]] Task<Result<doctor::PreflightReport>> judge(store::AccountKey account,
                                                            store::PublicId delivery,
                                                            api::PreflightTerms terms) override;

 private:
  [[nodiscard]] Task<Result<std::optional<doctor::SlowPace>>> slow_pace(
      store::Delivery delivery, api::PreflightStart start) const;

  const World world_;
  const bool asks_nobody_;  // whatever the terms are: nothing leaves this machine
  const Milliseconds bulk_life_;
  const delivery::SampleLetters letters_;
  const std::vector<doctor::SourceIdentity> sources_;
};

}  // namespace todoku::app
