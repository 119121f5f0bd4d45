// SPDX-License-Identifier: Apache-2.0
// Tells one endpoint, which this process has taken: carries out what its policy decides
// (webhooks/endpoint_policy.h), writes how far it has come, and hears what its owner decides.
//
// Lives on one thread. It is over when the endpoint is gone, disabled, or another's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/trouble.h"
#include "events/endpoints/ground.h"
#include "events/webhooks/endpoint_policy.h"
#include "events/webhooks/recent_calls.h"
#include "events/webhooks/target.h"
#include "http/guarded/standing.h"
#include "http/guarded/target_url.h"

namespace todoku::events::endpoints {

class Teller {
 public:
  // As it was taken.
  struct Taken {
    store::Webhook webhook;
    std::string calls;  // the latest (webhooks/recent_calls.h)
  };
  // Everything given outlives it.
  Teller(const Ground& ground, Figures& figures, const Taken& taken, std::size_t window_octets,
         async::Executor executor);

  void start();
  // Makes no more calls, waits for answers until `deadline`, writes what they said, gives the
  // endpoint to others. Also of one that is over.
  Task<void> stop(SteadyInstant deadline);

  // There may be events of its account after those that it has read.
  void on_events();
  // Its owner has decided something.
  void on_decision();

  [[nodiscard]] std::uint64_t turn() const { return turn_; }
  [[nodiscard]] store::AccountKey account() const { return account_; }
  [[nodiscard]] bool is_over() const { return over_; }
  // It is over because something was thrown.
  [[nodiscard]] bool has_thrown() const { return thrown_; }
  // For the dispatcher's own use: it is being stopped.
  void leave() { leaving_ = true; }
  [[nodiscard]] bool is_leaving() const { return leaving_; }
  // Failing: it takes nothing, or cannot be read.
  [[nodiscard]] webhooks::EndpointState::Status status() const {
    return broken_ ? webhooks::EndpointState::Status::failing : policy_->status();
  }

 private:
  // One that is under way, until this goes.
  class Underway {
   public:
    explicit Underway(std::size_t& count) : count_(count) { ++count_; }
    Underway(const Underway&) = delete;
    Underway& operator=(const Underway&) = delete;
    ~Underway() { --count_; }

   private:
    std::size_t& count_;
  };

  [[nodiscard]] Result<void> adopt_target(const store::Webhook& webhook);
  void adopt_wishes(const store::Webhook& webhook);
  void begin_policy(const store::Webhook& webhook);
  void begin_anew(store::Webhook webhook);
  [[nodiscard]] http::Promptness remembered() const;
  void break_off(const Error& why);
  void end(std::string_view why);
  void end_thrown();

  Task<void> run();
  // Whatever is thrown ends this one: what it had in mind is lost, and it is taken anew from its
  // row.
  void spawn(std::string_view what, Task<void> task);
  Task<void> ending_if_thrown(Task<void> task);
  void step();
  void act(webhooks::EndpointActions actions);
  void wait_until(Instant at, Instant now);
  void read_if_wanted();
  void keep_calls_if_due();
  [[nodiscard]] bool is_quiet() const { return calls_ + works_ == 0; }
  void renew_signing(Instant now);

  Task<void> call(webhooks::EndpointActions::Call call);
  [[nodiscard]] http::GuardedRequest request_of(
      const std::vector<const webhooks::WrittenEvent*>& told, std::string id, Instant now);
  void record(const webhooks::RecentCall& call);
  void record_unsent(const webhooks::RecentCall& call);
  void count(const webhooks::CallAnswer& answer, std::size_t events);
  Task<void> read();
  Task<void> load(std::string id);
  Task<void> save(webhooks::EndpointActions::Save save);
  Task<void> keep_calls();
  Task<void> reload();
  [[nodiscard]] bool is_as_left(const store::Webhook& webhook) const;
  void notice(webhooks::EndpointActions::Notice what) const;

  const Ground& ground_;
  Figures& figures_;
  const std::string name_;
  const store::AccountKey account_;
  const store::WebhookForm form_;
  const std::size_t window_octets_;
  store::NodeKey node_;
  std::uint64_t turn_ = 0;

  std::string shown_;
  std::shared_ptr<const http::TargetUrl> url_;
  webhooks::EndpointTarget target_;
  std::vector<webhooks::SigningSecret> signing_;  // those of the target that sign until then
  std::optional<Instant> signing_until_;
  std::shared_ptr<const Wanted> wanted_;
  std::unique_ptr<webhooks::EndpointPolicy> policy_;
  std::string stored_;   // the state that is stored
  std::string offered_;  // and the one that may be
  http::Promptness promptness_;
  webhooks::RecentCalls recent_;
  bool recent_changed_ = false;
  SteadyInstant keep_calls_at_{};

  bool over_ = false;
  bool thrown_ = false;
  bool leaving_ = false;
  bool broken_ = false;  // it cannot be read; it waits for its owner's next decision
  bool stopping_ = false;
  bool decided_ = false;  // its owner, and we have not heard what
  bool reloading_ = false;
  SteadyInstant reload_at_{};  // not before
  bool reading_ = false;
  bool more_ = true;         // there may be events that were not read
  bool lost_told_ = false;   // to the operator: once is enough
  SteadyInstant read_at_{};  // not before
  std::size_t calls_ = 0;    // under way
  std::size_t works_ = 0;    // of the store, under way
  SteadyInstant next_step_{};
  Trouble store_trouble_{log::Level::warning, "an endpoint's events are not read or written",
                         "an endpoint's events are read and written again"};
  async::Signal wake_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::events::endpoints
