// SPDX-License-Identifier: Apache-2.0
#include "app/roles/known_senders.h"

#include "store/walks.h"

namespace todoku::app::roles {
namespace {

// Whose the domains are, and whether there is anybody to be taken for.
Task<Result<ChangeWatch::Take>> read_senders(store::Store& store, intake::Senders& senders) {
  store::ProvenDomains proven;
  const auto walked = co_await store::walk(store, proven);
  if (!walked) co_return fail(walked.error());
  store::AccountKinds kinds;
  const auto counted = co_await store::walk(store, kinds);
  if (!counted) co_return fail(counted.error());
  co_return ChangeWatch::Take([&senders, domains = proven.take(), several = kinds.several(),
                               sandboxes = kinds.take_sandboxes()]() -> Result<void> {
    senders.load(domains, several, sandboxes);
    return {};
  });
}

}  // namespace

bool takes_any_sender(const config::Config& config) {
  return config.intake.from_domains == "any";
}

void follow_senders(const Ground& ground, intake::Senders& senders) {
  for (const store::Topic topic : {store::Topic::accounts, store::Topic::domains}) {
    ground.changes.follow(
        topic, [&store = ground.store, &senders] { return read_senders(store, senders); });
  }
}

}  // namespace todoku::app::roles
