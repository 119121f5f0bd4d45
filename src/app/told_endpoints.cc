// SPDX-License-Identifier: Apache-2.0
#include "app/told_endpoints.h"

#include <string>
#include <utility>

#include "explain/advice.h"

namespace todoku::app {
namespace {

events::endpoints::Send sender_of(const roles::Ground& ground) {
  return [&calls = *ground.outbound](http::GuardedRequest request) {
    return calls.send(std::move(request));
  };
}

RecipientState told_state(store::EventKind kind) {
  if (kind == store::EventKind::dropped) return RecipientState::dropped;
  if (kind == store::EventKind::hard_error) return RecipientState::bounced;
  return RecipientState::expired;
}

// Receivers of the contract's form are told in Japanese what a failure means.
std::string meaning_of(const store::EventRecord& event) {
  const Outcome outcome{.state = told_state(event.entry.kind),
                        .stage = event.stage,
                        .reply = {.code = event.entry.code, .text = event.reply},
                        .cause = event.entry.cause};
  return std::string(explain::advice_for(outcome, true).meaning.ja);
}

}  // namespace

events::endpoints::Ground endpoints_ground(const roles::Ground& ground, Random& random) {
  return {.store = ground.store,
          .box = ground.box,
          .clock = ground.clock,
          .random = random,
          .metrics = ground.metrics,
          .send = sender_of(ground),
          .node = [&node = ground.node] { return node.key(); },
          .holds = [&node = ground.node] { return node.holds(); },
          .explain = meaning_of};
}

events::endpoints::Registry::Parts registry_parts(const roles::Ground& ground) {
  return {.store = ground.store,
          .box = ground.box,
          .clock = ground.clock,
          .send = sender_of(ground),
          .rule = ground.outbound->rule()};
}

}  // namespace todoku::app
