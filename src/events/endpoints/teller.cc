// SPDX-License-Identifier: Apache-2.0
#include "events/endpoints/teller.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "events/webhooks/call_answer.h"
#include "events/webhooks/endpoint_state.h"
#include "events/webhooks/forms.h"

namespace todoku::events::endpoints {
namespace {

using namespace std::chrono_literals;
using webhooks::CallAnswer;
using webhooks::EndpointActions;
using webhooks::EndpointState;

constexpr std::size_t kPageMax = 500;  // events: a few milliseconds of a reader
// About what an event takes in memory; so no more are read than there will be room for.
constexpr std::size_t kEventOctets = 512;
constexpr Milliseconds kAgain = 1s;         // after the store refused
constexpr Milliseconds kStepAtLeast = 60s;  // clocks may be set

webhooks::EndpointOptions options_of(store::WebhookForm form, bool single, std::size_t octets) {
  webhooks::EndpointOptions options = form == store::WebhookForm::contract
                                          ? webhooks::EndpointOptions::of_contract()
                                          : webhooks::EndpointOptions{};
  if (single || webhooks::tells_one_by_one(form)) options.batch_events_max = 1;
  options.window_octets_max = octets;
  return options;
}

}  // namespace

Teller::Teller(const Ground& ground, Figures& figures, const Taken& taken,
               std::size_t window_octets, async::Executor executor)
    : ground_(ground),
      figures_(figures),
      name_(taken.webhook.name),
      account_(taken.webhook.account),
      form_(taken.webhook.form),
      window_octets_(window_octets),
      node_(taken.webhook.node),
      wake_(executor),
      tasks_(executor) {
  // They are for looking at: of what cannot be read a new list begins.
  if (auto calls = webhooks::RecentCalls::unpack(taken.calls)) recent_ = std::move(*calls);
  begin_policy(taken.webhook);
}

// By the calls that are on record: a process that has just begun is no reason for those who answer
// to wait behind those who have not shown yet whether they do.
http::Promptness Teller::remembered() const {
  http::Promptness promptness;
  const Instant now = ground_.clock.now();
  for (const webhooks::RecentCall& call : recent_.all()) {
    // One that was not made, or came to nothing at once, says nothing of how long answers take.
    if (call.status == 0 && call.took <= http::Promptness::kLateWithin) continue;
    const Milliseconds ago = std::max(now - call.at, Milliseconds(0));
    promptness.answered(call.took, ground_.clock.steady_now() - ago);
  }
  return promptness;
}

void Teller::start() {
  tasks_.spawn("endpoint", run());
}

// ---- what its owner has decided ----------------------------------------------------------------

void Teller::begin_policy(const store::Webhook& webhook) {
  adopt_wishes(webhook);
  auto state = webhooks::unpack_state(webhook.state, webhook.status);
  auto target = adopt_target(webhook);
  if (state && !target) state = fail(std::move(target.error()));
  broken_ = false;
  if (!state) {
    break_off(state.error());
    state = EndpointState{};
  }
  if (!policy_) {
    promptness_ = state->status == EndpointState::Status::failing
                      ? http::Promptness(http::Standing::slow)
                      : remembered();
  }
  policy_ = std::make_unique<webhooks::EndpointPolicy>(
      options_of(form_, wanted_->wishes.single, window_octets_), std::move(*state), ground_.random);
  stored_ = webhook.state;
  offered_ = stored_;
  more_ = true;
}

// Nothing of it can be told, and what there is must stay for whoever mends it. It is kept, or it
// would be taken again, and found broken, at every look.
void Teller::break_off(const Error& why) {
  log::error("an endpoint of webhooks cannot be read",
             {{"account", static_cast<std::int64_t>(account_)},
              {"endpoint", name_},
              {"reason", why.detail}});
  broken_ = true;
}

void Teller::adopt_wishes(const store::Webhook& webhook) {
  wanted_ = std::make_shared<const Wanted>(Wanted{.account = account_,
                                                  .form = form_,
                                                  .wishes = webhook.terms.wishes,
                                                  .explain = ground_.explain});
  shown_ = webhook.terms.shown;
  turn_ = webhook.turn;
}

Result<void> Teller::adopt_target(const store::Webhook& webhook) {
  auto target = webhooks::open_target(ground_.box, name_, webhook.terms.sealed);
  if (!target) return fail(std::move(target.error()));
  auto url = http::TargetUrl::parse(target->url.view());
  if (!url) return fail(std::move(url.error()));
  // Whoever answers at one host has proven nothing of another.
  if (url_ && url_->host() != url->host()) {
    promptness_ = http::Promptness();
    policy_->begin_carefully();
  }
  url_ = std::make_shared<const http::TargetUrl>(std::move(*url));
  target_ = std::move(*target);
  renew_signing(ground_.clock.now());
  return {};
}

// Reading a secret takes longer than signing with it.
void Teller::renew_signing(Instant now) {
  signing_ = target_.signing(now);
  signing_until_.reset();
  for (const webhooks::EndpointSecret& each : target_.secrets) {
    if (!each.until || *each.until <= now) continue;
    signing_until_ = std::min(*each.until, signing_until_.value_or(*each.until));
  }
}

void Teller::on_decision() {
  decided_ = true;
  wake_.notify();
}

void Teller::on_events() {
  more_ = true;
  wake_.notify();
}

void Teller::end(std::string_view why) {
  if (over_) return;
  over_ = true;
  log::debug("an endpoint is told here no more", {{"endpoint", name_}, {"why", why}});
}

void Teller::end_thrown() {
  thrown_ = true;
  end("something was thrown");
}

// What is stored is what this one wrote, or may have; and what is in memory was read for these
// wishes: other wishes may leave it out.
bool Teller::is_as_left(const store::Webhook& webhook) const {
  return (webhook.state == stored_ || webhook.state == offered_) &&
         webhook.terms.wishes == wanted_->wishes;
}

Task<void> Teller::reload() {
  std::optional<Underway> underway(works_);
  const auto row =
      co_await ground_.store.read([account = account_, name = name_](store::ReadTransaction& t) {
        return t.webhook(account, name);
      });
  underway.reset();
  reloading_ = false;
  wake_.notify();
  if (!row) {
    if (row.error().kind == ErrorKind::not_found) {
      end("it is gone");
    } else {
      decided_ = true;
      store_trouble_.failed(ground_.clock.steady_now(), {{"reason", row.error().detail}});
      reload_at_ = ground_.clock.steady_now() + kAgain;
    }
    co_return;
  }
  if (row->status == store::WebhookStatus::disabled) co_return end("it is disabled");
  if (row->node != node_) co_return end("another process tells it");
  if (broken_ || !is_as_left(*row)) {
    begin_anew(*row);
    co_return;
  }
  adopt_wishes(*row);
  if (auto target = adopt_target(*row); !target) {
    break_off(target.error());
    co_return;
  }
  // That was the decision, or it was failing without a word written of it, which costs a few calls.
  if (row->status == store::WebhookStatus::active &&
      policy_->status() != EndpointState::Status::active) {
    policy_->enable(ground_.clock.now());
  }
  // Another address, another secret, or switched on: what was refused before may be taken now.
  policy_->hasten(ground_.clock.now());
}

// What it passed under its old wishes is not told under others, though that it was passed may not
// be written yet.
void Teller::begin_anew(store::Webhook webhook) {
  const std::string written = webhook.state;
  const bool is_as_written = written == stored_ || written == offered_;
  const auto place = broken_ || !is_as_written ? std::nullopt : policy_->unwritten_place();
  if (auto state = webhooks::unpack_state(webhook.state, webhook.status); place && state) {
    state->cursor = *place;
    webhook.state = webhooks::pack_state(*state);
  }
  begin_policy(webhook);
  stored_ = offered_ = written;
}

// ---- what its policy has decided ---------------------------------------------------------------

Task<void> Teller::run() {
  while (!stopping_ && !over_) {
    try {
      step();
    } catch (const std::exception&) {
      async::report_exception("telling an endpoint", std::current_exception());
      end_thrown();
    }
    if (!over_) (void)co_await wake_.wait_until(next_step_);
  }
}

void Teller::spawn(std::string_view what, Task<void> task) {
  tasks_.spawn(what, ending_if_thrown(std::move(task)));
}

Task<void> Teller::ending_if_thrown(Task<void> task) {
  try {
    co_await std::move(task);
  } catch (const std::exception&) {
    async::report_exception("telling an endpoint", std::current_exception());
    end_thrown();
  }
  if (over_) wake_.notify();
}

void Teller::wait_until(Instant at, Instant now) {
  const Milliseconds wait =
      at <= now + kStepAtLeast ? std::max(at - now, Milliseconds(5)) : kStepAtLeast;
  next_step_ = std::min(next_step_, ground_.clock.steady_now() + wait);
}

void Teller::step() {
  const Instant now = ground_.clock.now();
  next_step_ = ground_.clock.steady_now() + kStepAtLeast;
  if (!ground_.holds()) return wait_until(now + kAgain, now);
  if (ground_.node() != node_) return end("this process has entered anew");
  if (decided_) {
    // What is under way belongs to what was before.
    if (!is_quiet() || reloading_) return;
    if (ground_.clock.steady_now() < reload_at_) {
      next_step_ = reload_at_;
      return;
    }
    decided_ = false;
    reloading_ = true;
    spawn("endpoint read again", reload());
    return;
  }
  if (reloading_ || broken_) return;
  act(policy_->next(now));
  read_if_wanted();
  keep_calls_if_due();
  wait_until(policy_->wake_at(), now);
}

void Teller::act(EndpointActions actions) {
  for (EndpointActions::Call& one : actions.calls) spawn("endpoint call", call(std::move(one)));
  for (std::string& id : actions.load) spawn("endpoint load", load(std::move(id)));
  if (actions.save) spawn("endpoint save", save(std::move(*actions.save)));
  for (const EndpointActions::Notice what : actions.notices) notice(what);
}

void Teller::notice(EndpointActions::Notice what) const {
  const log::Fields fields = {
      {"account", static_cast<std::int64_t>(account_)}, {"endpoint", name_}, {"url", shown_}};
  switch (what) {
    case EndpointActions::Notice::failing:
      log::warning("an endpoint of webhooks has taken nothing for an hour", fields);
      break;
    case EndpointActions::Notice::recovered:
      log::info("an endpoint of webhooks takes events again", fields);
      break;
    case EndpointActions::Notice::disabled:
      log::warning("an endpoint of webhooks wants no more events and is disabled", fields);
      break;
  }
}

// ---- the store ---------------------------------------------------------------------------------

void Teller::read_if_wanted() {
  if (reading_ || !more_ || !policy_->wants_events()) return;
  if (ground_.clock.steady_now() < read_at_) {
    next_step_ = std::min(next_step_, read_at_);
    return;
  }
  reading_ = true;
  more_ = false;
  spawn("endpoint reads", read());
}

Task<void> Teller::read() {
  std::optional<Underway> underway(works_);
  figures_.reads.add();
  const EventsRoom room{.events = std::clamp(window_octets_ / kEventOctets, std::size_t{1},
                                             std::min(policy_->room(), kPageMax)),
                        .octets = policy_->room_octets()};
  auto page = co_await ground_.store.read(
      [wanted = wanted_, cursor = policy_->read_from(), room](store::ReadTransaction& t) {
        return read_events(t, *wanted, cursor, room);
      });
  underway.reset();
  reading_ = false;
  wake_.notify();
  const SteadyInstant now = ground_.clock.steady_now();
  if (!page) {
    more_ = true;
    read_at_ = now + kAgain;
    store_trouble_.failed(now, {{"endpoint", name_}, {"reason", page.error().detail}});
    co_return;
  }
  store_trouble_.worked(now);
  if (page->lost && !std::exchange(lost_told_, true)) {
    log::warning("events may have been deleted before an endpoint was told of them",
                 {{"account", static_cast<std::int64_t>(account_)}, {"endpoint", name_}});
  }
  more_ = more_ || page->more;
  policy_->on_page(std::move(page->events), std::move(page->cursor), ground_.clock.now());
}

Task<void> Teller::load(std::string id) {
  std::optional<Underway> underway(works_);
  auto told = co_await ground_.store.read(
      [wanted = wanted_, id](store::ReadTransaction& t) { return read_event(t, *wanted, id); });
  underway.reset();
  if (told) {
    policy_->on_loaded(id, std::move(*told));
  } else {
    policy_->on_load_failed(id, ground_.clock.now());
  }
  wake_.notify();
}

Task<void> Teller::save(EndpointActions::Save save) {
  std::optional<Underway> underway(works_);
  store::WebhookProgress progress{.name = name_,
                                  .node = node_,
                                  .turn = turn_,
                                  .status = webhooks::stored_status(save.state.status),
                                  .state = webhooks::pack_state(save.state),
                                  .set_aside = std::move(save.set_aside)};
  offered_ = progress.state;
  const auto set_aside = progress.set_aside.size();
  const bool is_disabled = progress.status == store::WebhookStatus::disabled;
  auto saved = co_await ground_.store.write(
      store::WritePriority::import, [progress = std::move(progress)](store::WriteTransaction& t) {
        return t.save_webhook(progress);
      });
  underway.reset();
  policy_->on_saved(saved.has_value());
  const SteadyInstant now = ground_.clock.steady_now();
  if (saved) {
    stored_ = offered_;
    figures_.set_aside.add(set_aside);
    store_trouble_.worked(now);
    if (is_disabled) end("it wants no more");
  } else if (saved.error().kind == ErrorKind::conflict ||
             saved.error().kind == ErrorKind::not_found) {
    decided_ = true;
  } else {
    store_trouble_.failed(now, {{"endpoint", name_}, {"reason", saved.error().detail}});
  }
  wake_.notify();
}

Task<void> Teller::stop(SteadyInstant deadline) {
  stopping_ = true;
  wake_.notify();
  (void)co_await tasks_.wait_empty_until(deadline);
  co_await tasks_.stop();
  if (!over_ && !decided_ && !broken_) {
    const Instant now = ground_.clock.now();
    policy_->save_soon(now);
    // Calls that it would make now are not made, and so not behind what is written.
    auto last = policy_->next(now);
    if (last.save) co_await save(std::move(*last.save));
    if (recent_changed_) co_await keep_calls();
  }
  (void)co_await ground_.store.write(store::WritePriority::import,
                                     [node = node_, name = name_](store::WriteTransaction& t) {
                                       return t.give_webhook(node, name);
                                     });
}

}  // namespace todoku::events::endpoints
