// SPDX-License-Identifier: Apache-2.0
// What owners do with their endpoints: register, change, replace secrets, test, look at calls, have
// events told again. Whoever tells an endpoint hears of it by the store (store/changes.h).
//
// Errors, besides those of the store: not_found (the account has no such endpoint), limit_exceeded
// (it has as many as it may), conflict (its form tells none of these kinds; too much is told again
// already), invalid_input (the URL), unauthorized (the rule for outbound calls forbids the URL, or
// the endpoint did not answer the challenge).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret_box.h"
#include "base/wipe.h"
#include "events/endpoints/asking.h"
#include "events/endpoints/ground.h"
#include "events/endpoints/replay.h"
#include "events/webhooks/endpoint_policy.h"
#include "events/webhooks/recent_calls.h"
#include "events/webhooks/target.h"
#include "net/outbound_rule.h"
#include "store/store.h"

namespace todoku::events::endpoints {

inline constexpr Milliseconds kOverlapStandard = std::chrono::hours(24);

struct NewEndpoint {
  SecretText url;
  store::WebhookForm form = store::WebhookForm::standard;
  webhooks::SecretKind kind = webhooks::SecretKind::hmac;  // of the form `standard`
  store::WebhookWishes wishes;
};

// nullopt leaves a thing as it is.
struct EndpointChange {
  std::optional<SecretText> url;
  std::optional<bool> enabled;
  std::optional<std::vector<std::string>> kinds;
  std::optional<std::vector<std::string>> tags;
  std::optional<std::vector<std::string>> domains;
  std::optional<std::vector<std::string>> purposes;
  std::optional<bool> insert_codes;
  std::optional<bool> single;
  bool may_see_codes = false;  // who changes it: else it leads no insert codes anywhere
};

struct EndpointView {
  store::Webhook webhook;
  std::optional<Instant> failing_since;
  bool owner_told = false;  // it has been failing for an hour
  std::size_t parked = 0;   // refused, and tried again
  std::size_t replays = 0;  // of what is told again, not done yet
  std::string public_key;   // of Ed25519
  std::vector<Instant> old_secrets_until;
};

// With what is shown only once; the secret is empty where the receiver needs none.
struct IssuedSecret {
  EndpointView view;
  SecretText secret;
};

struct TestCall {
  webhooks::RecentCall call;
  bool accepted = false;
};

class Registry {
 public:
  // Everything given outlives it; `clock` is the machine's, by which receivers judge signatures.
  struct Parts {
    store::Store& store;
    const SecretBox& box;
    const Clock& clock;
    Send send;
    net::OutboundRule rule;
  };
  explicit Registry(Parts parts) : parts_(std::move(parts)) {}

  // `keep` is committed with it, its answer being the endpoint's number; conflict also: another
  // request has kept one under this key. What was made under that number is shown again by
  // issued(), with the secret that signs now.
  [[nodiscard]] Task<Result<IssuedSecret>> create(
      store::AccountKey account, NewEndpoint wanted,
      std::optional<store::IdempotencyRecord> keep = std::nullopt);
  [[nodiscard]] Task<Result<IssuedSecret>> issued(store::AccountKey account, std::int64_t number);
  [[nodiscard]] Task<Result<std::vector<EndpointView>>> list(store::AccountKey account);
  [[nodiscard]] Task<Result<EndpointView>> get(store::AccountKey account, std::string name);
  [[nodiscard]] Task<Result<EndpointView>> change(store::AccountKey account, std::string name,
                                                  EndpointChange change);
  [[nodiscard]] Task<Result<void>> remove(store::AccountKey account, std::string name);
  // With the secret that signs now, as the request that is repeated was answered.
  [[nodiscard]] Task<Result<IssuedSecret>> issued(store::AccountKey account, std::string name);
  // `keep` as with create(), its answer being nothing. invalid_input: its form has none.
  [[nodiscard]] Task<Result<IssuedSecret>> rotate(
      store::AccountKey account, std::string name, Milliseconds overlap,
      std::optional<store::IdempotencyRecord> keep = std::nullopt);
  [[nodiscard]] Task<Result<TestCall>> test(store::AccountKey account, std::string name);
  // The latest first.
  [[nodiscard]] Task<Result<std::vector<webhooks::RecentCall>>> calls(store::AccountKey account,
                                                                      std::string name);
  [[nodiscard]] Task<Result<std::vector<store::SetAsideEvent>>> set_aside(store::AccountKey account,
                                                                          std::string name,
                                                                          std::string after,
                                                                          std::int64_t limit);
  // How many events that is, where it is known: `keep` is committed with it, its answer being that
  // number or kUncounted.
  static constexpr std::int64_t kUncounted = -1;
  [[nodiscard]] Task<Result<std::optional<std::size_t>>> replay(
      store::AccountKey account, std::string name, ReplayOrder order,
      std::optional<store::IdempotencyRecord> keep = std::nullopt);

 private:
  [[nodiscard]] Result<std::shared_ptr<const http::TargetUrl>> judged(std::string_view url) const;
  [[nodiscard]] Result<EndpointView> view_of(store::Webhook webhook) const;
  // Waits a while for a place, as somebody waits for the answer.
  [[nodiscard]] Task<http::GuardedAnswer> ask(http::GuardedRequest request);
  [[nodiscard]] Task<Result<void>> challenge(store::AccountKey account,
                                             std::shared_ptr<const http::TargetUrl> url,
                                             const webhooks::EndpointTarget& target);

  Asking asking_;
  const Parts parts_;
};

}  // namespace todoku::events::endpoints
