// SPDX-License-Identifier: Apache-2.0
// Endpoints at which accounts want to be told of events (docs/webhooks.md): what is wanted, how it
// is reached, how far it has been told, and what it would not take. What is secret about one (its
// URL, which may hold a password, and what its calls are signed with) is sealed by the caller: the
// store cannot read it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

inline constexpr std::int64_t kWebhooksMax = 10;  // of an account
// What a dispatcher writes of one: a cursor and what is parked.
inline constexpr std::size_t kWebhookStateMax = std::size_t{256} * 1024;
// Of one endpoint; the oldest go when there are more.
inline constexpr std::int64_t kSetAsideMax = 1'000;
// What is remembered of an endpoint's calls.
inline constexpr std::size_t kWebhookCallsMax = std::size_t{64} * 1024;

// Stored as these numbers: never renumber. The last three are other services' own, for programs
// that were written for them.
enum class WebhookForm : std::uint8_t {
  standard = 1,
  contract = 2,
  sendgrid = 3,
  postmark = 4,
  resend = 5,
};
// `failing`: it refuses everything. `disabled`: it is told nothing until its owner says so.
enum class WebhookStatus : std::uint8_t { active = 1, failing = 2, disabled = 3 };

// Of which events it wants to be told. An empty list: of all.
struct WebhookWishes {
  std::vector<std::string> kinds;
  std::vector<std::string> tags;
  std::vector<std::string> domains;  // of From
  std::vector<std::string> purposes;
  bool insert_codes = false;  // they are told, too
  bool single = false;        // each event in a call of its own
  friend bool operator==(const WebhookWishes&, const WebhookWishes&) = default;
};

// What its owner decides.
struct WebhookTerms {
  std::string shown;   // of the URL what may be shown
  std::string sealed;  // the URL and the secrets
  WebhookWishes wishes;
  friend bool operator==(const WebhookTerms&, const WebhookTerms&) = default;
};

struct NewWebhook {
  std::string name;  // by which it is asked for; made by the caller, never the same twice
  AccountKey account{};
  WebhookForm form = WebhookForm::standard;
  WebhookTerms terms;
  std::string state;  // where telling begins
};

struct Webhook {
  std::string name;
  AccountKey account{};
  WebhookForm form = WebhookForm::standard;
  WebhookStatus status = WebhookStatus::active;
  WebhookTerms terms;
  std::string state;       // the dispatcher's, opaque here
  NodeKey node{};          // who tells it; kNobody: nobody does
  std::uint64_t turn = 0;  // grows with each taking and each decision of its owner
  Instant created{};
  Instant changed{};  // by its owner
};

struct SetAsideEvent {
  std::string event;  // its id
  Instant at{};
};

// What a dispatcher has come to.
struct WebhookProgress {
  std::string name;
  NodeKey node{};
  std::uint64_t turn = 0;  // as it was taken: what its owner decided since is not written over
  WebhookStatus status = WebhookStatus::active;
  std::string state;
  std::vector<std::string> set_aside;  // ids of events
};

class WebhookReads {
 public:
  virtual ~WebhookReads() = default;
  // Of an account, the oldest first.
  [[nodiscard]] virtual Result<std::vector<Webhook>> webhooks(AccountKey account) = 0;
  [[nodiscard]] virtual Result<Webhook> webhook(AccountKey account, std::string_view name) = 0;
  // Of all accounts, by name, those after `after`, at most `limit`; without those that are
  // disabled, and without what is long: `sealed` and `state` are empty.
  [[nodiscard]] virtual Result<std::vector<Webhook>> webhooks_to_tell(std::string_view after,
                                                                      std::int64_t limit) = 0;
  // In the order of events, those after `after`, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<SetAsideEvent>> set_aside_of(std::string_view name,
                                                                        std::string_view after,
                                                                        std::int64_t limit) = 0;
  // As they were last kept; empty if none were.
  [[nodiscard]] virtual Result<std::string> webhook_calls(std::string_view name) = 0;
};

class WebhookWrites {
 public:
  virtual ~WebhookWrites() = default;
  // limit_exceeded: the account has kWebhooksMax (counted under the lock of its row).
  [[nodiscard]] virtual Result<Webhook> create_webhook(const NewWebhook& webhook) = 0;
  // Its terms are made of those that are there, and nobody else changes them meanwhile (its row is
  // held). Errors of `make` pass through.
  [[nodiscard]] virtual Result<void> change_webhook(
      AccountKey account, std::string_view name,
      const std::function<Result<WebhookTerms>(const Webhook&)>& make) = 0;
  // Its owner has it told again: `state` is made of the one that is there, and nobody else writes
  // one meanwhile (its row is held). Errors of `make` pass through.
  [[nodiscard]] virtual Result<void> redirect_webhook(
      AccountKey account, std::string_view name,
      const std::function<Result<std::string>(const Webhook&)>& make) = 0;
  // Its owner switches it on or off. On: as if it had refused nothing.
  [[nodiscard]] virtual Result<void> enable_webhook(AccountKey account, std::string_view name,
                                                    bool on) = 0;
  // With what was set aside of it.
  [[nodiscard]] virtual Result<void> delete_webhook(AccountKey account, std::string_view name) = 0;

  // For dispatchers. Takes what is nobody's or a void node's; it is the node's from then on.
  // conflict: it is another's, the node is void, or it is disabled.
  [[nodiscard]] virtual Result<Webhook> take_webhook(NodeKey node, std::string_view name) = 0;
  // Nothing happens if it is another's.
  [[nodiscard]] virtual Result<void> give_webhook(NodeKey node, std::string_view name) = 0;
  // conflict: it is another's by now, or its owner has decided something: read it again.
  // not_found: it is gone.
  [[nodiscard]] virtual Result<void> save_webhook(const WebhookProgress& progress) = 0;
  // What its latest calls were, opaque here. Nothing happens if it is another node's by now.
  [[nodiscard]] virtual Result<void> keep_webhook_calls(NodeKey node, std::string_view name,
                                                        std::string_view calls) = 0;
  // They are told again, or are not wanted any more.
  [[nodiscard]] virtual Result<void> drop_set_aside(std::string_view name,
                                                    std::span<const std::string> events) = 0;
};

// How wishes are kept: a blob of lists (records.h).
[[nodiscard]] std::string pack_wishes(const WebhookWishes& wishes);
// Errors: corrupt.
[[nodiscard]] Result<WebhookWishes> unpack_wishes(std::string_view packed);

// What every back end refuses: invalid_input; limit_exceeded.
[[nodiscard]] Result<void> check_sound(const NewWebhook& webhook);
[[nodiscard]] Result<void> check_sound(const WebhookTerms& terms);
[[nodiscard]] Result<void> check_state(std::string_view state);
[[nodiscard]] Result<void> check_calls(std::string_view calls);
[[nodiscard]] Result<void> check_one_more(const std::vector<Webhook>& others);
[[nodiscard]] Result<void> check_sound(const WebhookProgress& progress);

}  // namespace todoku::store
