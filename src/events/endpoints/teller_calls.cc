// SPDX-License-Identifier: Apache-2.0
// The calls of a Teller, and what is kept of them.
#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "events/endpoints/teller.h"
#include "events/webhooks/bodies.h"
#include "events/webhooks/call_answer.h"
#include "events/webhooks/forms.h"

namespace todoku::events::endpoints {
namespace {

using namespace std::chrono_literals;
using webhooks::CallAnswer;
using webhooks::EndpointActions;
using webhooks::RecentCall;
using webhooks::WrittenEvent;

constexpr Milliseconds kCallsKeptEvery = 5s;  // what is shown of them, not what counts

}  // namespace

http::GuardedRequest Teller::request_of(const std::vector<const WrittenEvent*>& told,
                                        std::string id, Instant now) {
  http::GuardedRequest request;
  request.url = url_;
  request.party = static_cast<std::uint64_t>(account_);
  request.standing = promptness_.standing();
  request.headers.add("Content-Type", "application/json");
  request.body = webhooks::body_of(form_, told);
  if (signing_until_ && *signing_until_ <= now) renew_signing(now);
  webhooks::sign_call(request.headers, form_, signing_, {.id = std::move(id), .at = now},
                      request.body);
  return request;
}

Task<void> Teller::call(EndpointActions::Call call) {
  std::optional<Underway> underway(calls_);
  std::vector<const WrittenEvent*> told;
  told.reserve(call.events.size());
  for (const auto& event : call.events) told.push_back(event.get());
  const Instant begun = ground_.clock.now();
  const bool has_id = webhooks::has_call_id(form_);
  std::string id = has_id ? webhooks::call_id(told) : std::string();
  http::GuardedRequest request = request_of(told, id, begun);
  RecentCall recent{.at = begun, .id = std::move(id), .events = told.size()};
  recent.type = told.size() == 1 && form_ != store::WebhookForm::contract
                    ? webhooks::type_of(told.front()->kind)
                    : "events.batch";
  recent.request = utf8_prefix(request.body, RecentCall::kShownMax);
  recent.has_codes =
      std::ranges::any_of(told, [](const WrittenEvent* event) { return event->has_codes; });
  auto answer = co_await ground_.send(std::move(request));
  underway.reset();
  // Broken off by us: it says nothing about the endpoint.
  if (!answer.response && answer.response.error().kind == ErrorKind::cancelled) co_return;
  const CallAnswer meaning = webhooks::judge_answer(answer.response);
  count(meaning, told.size());
  recent.took = answer.took;
  if (answer.response) {
    recent.status = answer.response->status;
    recent.answer = webhooks::shown_text(answer.response->body);
  } else {
    recent.failure = answer.response.error().detail.substr(0, RecentCall::kFailureShown);
  }
  if (meaning.how == CallAnswer::How::busy) {
    record_unsent(recent);
  } else {
    promptness_.answered(answer.took, ground_.clock.steady_now());
    record(recent);
  }
  policy_->on_answer(call.number, meaning, ground_.clock.now());
  wake_.notify();
}

void Teller::count(const CallAnswer& answer, std::size_t events) {
  switch (answer.how) {
    case CallAnswer::How::accepted:
      figures_.accepted.add();
      figures_.events.add(events);
      break;
    case CallAnswer::How::refused:
      figures_.refused.add();
      break;
    case CallAnswer::How::throttled:
      figures_.throttled.add();
      break;
    case CallAnswer::How::busy:
      figures_.busy.add();
      break;
    case CallAnswer::How::gone:
      figures_.gone.add();
      break;
  }
}

void Teller::record(const RecentCall& call) {
  recent_.add(call);
  recent_changed_ = true;
}

// Its owner can see why nothing comes; of many in a row once.
void Teller::record_unsent(const RecentCall& call) {
  if (!recent_.all().empty() && recent_.all().back().failure == call.failure) return;
  record(call);
}

void Teller::keep_calls_if_due() {
  const SteadyInstant now = ground_.clock.steady_now();
  if (!recent_changed_) return;
  if (now < keep_calls_at_) {
    next_step_ = std::min(next_step_, keep_calls_at_);
    return;
  }
  keep_calls_at_ = now + kCallsKeptEvery;
  recent_changed_ = false;
  spawn("endpoint calls", keep_calls());
}

// They are for looking at: whether they are kept changes nothing.
Task<void> Teller::keep_calls() {
  std::optional<Underway> underway(works_);
  (void)co_await ground_.store.write(
      store::WritePriority::retention,
      [node = node_, name = name_, calls = recent_.pack()](store::WriteTransaction& t) {
        return t.keep_webhook_calls(node, name, calls);
      });
  underway.reset();
  wake_.notify();
}

}  // namespace todoku::events::endpoints
