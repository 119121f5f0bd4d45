// SPDX-License-Identifier: Apache-2.0
#include "events/endpoints/registry.h"

#include <utility>

#include <fmt/format.h>

#include "async/timer.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/utf8.h"
#include "events/webhooks/bodies.h"
#include "events/webhooks/call_answer.h"
#include "events/webhooks/challenge.h"
#include "events/webhooks/endpoint_state.h"
#include "events/webhooks/forms.h"
#include "events/webhooks/reading_place.h"
#include "events/webhooks/told_of.h"
#include "http/json.h"

namespace todoku::events::endpoints {
namespace {

using store::ReadTransaction;
using store::WriteTransaction;
using webhooks::EndpointState;
using webhooks::EndpointTarget;
using webhooks::RecentCall;
using webhooks::SigningSecret;
using webhooks::ToldEvent;
using webhooks::WrittenEvent;

constexpr auto kPriority = store::WritePriority::accept;  // somebody waits

// A call that hangs is broken off before (http::GuardedRequest::timeout).
constexpr Milliseconds kPlaceAwaited{16'000};
constexpr std::string_view kManyAsked =
    "many endpoints are being asked at this moment, four for an account; try again in a while";

std::int64_t new_number() {
  std::uint64_t number = 0;
  for (const char octet : random_octets(sizeof number)) {
    number = number << 8U | static_cast<std::uint8_t>(octet);
  }
  return static_cast<std::int64_t>(number >> 1U);
}

std::string name_of(std::int64_t number) {
  return fmt::format("wh_{:016x}", number);
}

// The other forms have no event of a test: one that they know, of an address that nobody has
// (RFC 2606); of a service's one that has its clients write nobody off.
ToldEvent test_event(store::WebhookForm form, Instant now) {
  ToldEvent event{
      .id = "test_" + to_hex(random_octets(8)), .kind = webhooks::ToldKind::test, .at = now};
  if (form == store::WebhookForm::standard) return event;
  const bool fails = form == store::WebhookForm::contract;
  event.kind = fails ? webhooks::ToldKind::hard_error : webhooks::ToldKind::sent;
  event.email = "test@example.com";
  event.delivery =
      std::make_shared<const store::EventDelivery>(store::EventDelivery{.subject = "test"});
  event.code = fails ? 550 : 250;
  event.message = "test";
  return event;
}

http::GuardedRequest signed_request(store::AccountKey account,
                                    std::shared_ptr<const http::TargetUrl> url, std::string body) {
  http::GuardedRequest request;
  request.url = std::move(url);
  request.party = static_cast<std::uint64_t>(account);
  request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  return request;
}

// Empty: the receiver needs the public key alone.
SecretText shown_secret(const SigningSecret& secret) {
  return secret.kind() == webhooks::SecretKind::hmac ? secret.to_text() : SecretText();
}

}  // namespace

Result<std::shared_ptr<const http::TargetUrl>> Registry::judged(std::string_view url) const {
  auto parsed = http::TargetUrl::parse(url);
  if (!parsed) return fail(std::move(parsed.error()));
  if (auto allowed = parsed->judge(parts_.rule); !allowed) return fail(std::move(allowed.error()));
  return std::make_shared<const http::TargetUrl>(std::move(*parsed));
}

Result<EndpointView> Registry::view_of(store::Webhook webhook) const {
  const auto state = webhooks::unpack_state(webhook.state, webhook.status);
  if (!state) return fail(state.error());
  const auto place = webhooks::unpack_reading_place(state->cursor);
  if (!place) return fail(place.error());
  const auto target = webhooks::open_target(parts_.box, webhook.name, webhook.terms.sealed);
  if (!target) return fail(target.error());
  EndpointView view;
  if (webhook.status == store::WebhookStatus::failing) {
    view.failing_since = state->failing_since;
    view.owner_told = state->owner_told;
  }
  view.parked = state->parked.size();
  view.replays = place->replays.size();
  if (!target->secrets.empty()) view.public_key = target->secrets.front().secret.public_text();
  const Instant now = parts_.clock.now();
  for (const webhooks::EndpointSecret& secret : target->secrets) {
    if (secret.until && *secret.until > now) view.old_secrets_until.push_back(*secret.until);
  }
  view.webhook = std::move(webhook);
  return view;
}

Task<http::GuardedAnswer> Registry::ask(http::GuardedRequest request) {
  constexpr Milliseconds kBetween{250};
  request.standing = http::Standing::asked;
  const SteadyInstant until = parts_.clock.steady_now() + kPlaceAwaited;
  while (true) {
    auto answer = co_await parts_.send(request);
    const bool is_full =
        !answer.response && answer.response.error().kind == ErrorKind::limit_exceeded;
    if (!is_full || parts_.clock.steady_now() >= until) co_return answer;
    const bool waited = co_await async::sleep_for(kBetween);
    if (!waited) co_return answer;
  }
}

// Before the row is there: nobody has one for a host that does not want it.
Task<Result<void>> Registry::challenge(store::AccountKey account,
                                       std::shared_ptr<const http::TargetUrl> url,
                                       const EndpointTarget& target) {
  const auto place = asking_.take(account);
  if (!place) co_return fail(ErrorKind::unavailable, std::string(kManyAsked));
  const Instant now = parts_.clock.now();
  const webhooks::Challenge asked = webhooks::make_challenge();
  auto request = signed_request(account, std::move(url), webhooks::challenge_body(asked, now));
  webhooks::add_signature(request.headers, target.signing(now), {.id = asked.id, .at = now},
                          request.body);
  auto answer = co_await ask(std::move(request));
  if (!answer.response) {
    const Error& error = answer.response.error();
    if (error.kind == ErrorKind::limit_exceeded) {
      co_return fail(ErrorKind::unavailable, error.detail);
    }
    co_return fail(ErrorKind::unauthorized, "the endpoint was not reached: " + error.detail);
  }
  co_return webhooks::check_challenge(asked, *answer.response);
}

namespace {

Result<void> check_kinds(store::WebhookForm form, const store::WebhookWishes& wishes) {
  if (webhooks::is_foreign(form) && wishes.insert_codes) {
    return fail(ErrorKind::conflict, "the form has no place for insert codes (insert_codes)");
  }
  if (webhooks::tells_any(form, wishes)) return {};
  return fail(ErrorKind::conflict, "the form has a word for none of these kinds");
}

}  // namespace

Task<Result<IssuedSecret>> Registry::create(store::AccountKey account, NewEndpoint wanted,
                                            std::optional<store::IdempotencyRecord> keep) {
  if (auto told = check_kinds(wanted.form, wanted.wishes); !told) {
    co_return fail(std::move(told.error()));
  }
  auto url = judged(wanted.url.view());
  if (!url) co_return fail(std::move(url.error()));
  const auto others =
      co_await parts_.store.read([account](ReadTransaction& t) { return t.webhooks(account); });
  if (!others) co_return fail(others.error());
  if (auto room = store::check_one_more(*others); !room) co_return fail(std::move(room.error()));

  EndpointTarget target;
  target.url = SecretText(std::string(wanted.url.view()));
  SecretText shown;
  target.is_foreign = webhooks::is_foreign(wanted.form);
  if (const auto kind = webhooks::secret_kind(wanted.form, wanted.kind)) {
    auto secret = SigningSecret::generate(*kind);
    shown = shown_secret(secret);
    target.secrets.push_back({std::move(secret), std::nullopt});
  }
  if (webhooks::is_challenged(wanted.form)) {
    auto answered = co_await challenge(account, *url, target);
    if (!answered) co_return fail(std::move(answered.error()));
  }
  const std::int64_t number = new_number();
  if (keep) keep->answer = number;
  store::NewWebhook row{.name = name_of(number), .account = account, .form = wanted.form};
  row.terms.shown = (*url)->shown();
  row.terms.sealed = webhooks::seal_target(parts_.box, row.name, target);
  row.terms.wishes = std::move(wanted.wishes);
  auto made = co_await parts_.store.write(
      kPriority,
      [row = std::move(row), keep](WriteTransaction& t) mutable -> Result<store::Webhook> {
        // From now on: of what was before it is told where its owner wants that.
        const auto last = t.read().last_event_place();
        if (!last) return fail(last.error());
        row.state = webhooks::pack_state(
            EndpointState{.status = EndpointState::Status::active,
                          .cursor = webhooks::pack({.replays = {}, .after = *last})});
        auto created = t.create_webhook(row);
        if (!created || !keep) return created;
        if (auto kept = t.keep_answer(*keep); !kept) return fail(std::move(kept.error()));
        return created;
      });
  if (!made) co_return fail(std::move(made.error()));
  auto view = view_of(std::move(*made));
  if (!view) co_return fail(std::move(view.error()));
  co_return IssuedSecret{std::move(*view), std::move(shown)};
}

Task<Result<IssuedSecret>> Registry::issued(store::AccountKey account, std::int64_t number) {
  co_return co_await issued(account, name_of(number));
}

Task<Result<IssuedSecret>> Registry::issued(store::AccountKey account, std::string name) {
  auto row = co_await parts_.store.read(
      [account, name](ReadTransaction& t) { return t.webhook(account, name); });
  if (!row) co_return fail(std::move(row.error()));
  const auto target = webhooks::open_target(parts_.box, row->name, row->terms.sealed);
  if (!target) co_return fail(target.error());
  IssuedSecret issued;
  if (!target->secrets.empty()) issued.secret = shown_secret(target->secrets.front().secret);
  auto view = view_of(std::move(*row));
  if (!view) co_return fail(std::move(view.error()));
  issued.view = std::move(*view);
  co_return issued;
}

Task<Result<std::vector<EndpointView>>> Registry::list(store::AccountKey account) {
  auto rows =
      co_await parts_.store.read([account](ReadTransaction& t) { return t.webhooks(account); });
  if (!rows) co_return fail(std::move(rows.error()));
  std::vector<EndpointView> views;
  for (store::Webhook& row : *rows) {
    auto view = view_of(std::move(row));
    if (!view) co_return fail(std::move(view.error()));
    views.push_back(std::move(*view));
  }
  co_return views;
}

Task<Result<EndpointView>> Registry::get(store::AccountKey account, std::string name) {
  auto row = co_await parts_.store.read(
      [account, name](ReadTransaction& t) { return t.webhook(account, name); });
  if (!row) co_return fail(std::move(row.error()));
  co_return view_of(std::move(*row));
}

namespace {

void apply(store::WebhookWishes& wishes, const EndpointChange& change) {
  if (change.kinds) wishes.kinds = *change.kinds;
  if (change.tags) wishes.tags = *change.tags;
  if (change.domains) wishes.domains = *change.domains;
  if (change.purposes) wishes.purposes = *change.purposes;
  if (change.insert_codes) wishes.insert_codes = *change.insert_codes;
  if (change.single) wishes.single = *change.single;
}

// Of the row as it is by now: somebody else may have changed it since it was looked at.
Result<store::WebhookTerms> changed_terms(const SecretBox& box, const store::Webhook& now,
                                          const EndpointChange& change, const std::string& shown) {
  store::WebhookTerms terms = now.terms;
  apply(terms.wishes, change);
  const bool leads = change.url || change.insert_codes.value_or(false);
  if (leads && terms.wishes.insert_codes && !change.may_see_codes) {
    return fail(ErrorKind::conflict,
                "the endpoint is told insert codes by now, which this key may not see");
  }
  if (auto told = check_kinds(now.form, terms.wishes); !told) return fail(std::move(told.error()));
  if (!change.url) return terms;
  auto target = webhooks::open_target(box, now.name, terms.sealed);
  if (!target) return fail(std::move(target.error()));
  target->url = SecretText(std::string(change.url->view()));
  terms.shown = shown;
  terms.sealed = webhooks::seal_target(box, now.name, *target);
  return terms;
}

// With another secret, which is shown in `secret`.
Result<store::WebhookTerms> rotated_terms(const SecretBox& box, const store::Webhook& webhook,
                                          Instant now, Milliseconds overlap, SecretText& secret) {
  store::WebhookTerms terms = webhook.terms;
  auto target = webhooks::open_target(box, webhook.name, terms.sealed);
  if (!target) return fail(std::move(target.error()));
  if (target->secrets.empty()) {
    return fail(ErrorKind::invalid_input, "the endpoint's form has no signature");
  }
  auto next = SigningSecret::generate(target->secrets.front().secret.kind());
  secret = shown_secret(next);
  if (auto done = target->rotate(std::move(next), now, overlap); !done) {
    return fail(std::move(done.error()));
  }
  terms.sealed = webhooks::seal_target(box, webhook.name, *target);
  return terms;
}

}  // namespace

Task<Result<EndpointView>> Registry::change(store::AccountKey account, std::string name,
                                            EndpointChange change) {
  auto row = co_await parts_.store.read(
      [account, name](ReadTransaction& t) { return t.webhook(account, name); });
  if (!row) co_return fail(std::move(row.error()));
  std::string shown;
  if (change.url) {
    auto url = judged(change.url->view());
    if (!url) co_return fail(std::move(url.error()));
    shown = (*url)->shown();
    const auto target = webhooks::open_target(parts_.box, name, row->terms.sealed);
    if (!target) co_return fail(target.error());
    if (webhooks::is_challenged(row->form)) {
      auto answered = co_await challenge(account, *url, *target);
      if (!answered) co_return fail(std::move(answered.error()));
    }
  }
  auto changed = co_await parts_.store.write(
      kPriority,
      [&box = parts_.box, account, name, shown,
       change = std::move(change)](WriteTransaction& t) -> Result<store::Webhook> {
        auto done = t.change_webhook(account, name, [&](const store::Webhook& now) {
          return changed_terms(box, now, change, shown);
        });
        if (done && change.enabled) done = t.enable_webhook(account, name, *change.enabled);
        if (!done) return fail(std::move(done.error()));
        return t.read().webhook(account, name);
      });
  if (!changed) co_return fail(std::move(changed.error()));
  co_return view_of(std::move(*changed));
}

Task<Result<void>> Registry::remove(store::AccountKey account, std::string name) {
  co_return co_await parts_.store.write(
      kPriority, [account, name](WriteTransaction& t) { return t.delete_webhook(account, name); });
}

Task<Result<IssuedSecret>> Registry::rotate(store::AccountKey account, std::string name,
                                            Milliseconds overlap,
                                            std::optional<store::IdempotencyRecord> keep) {
  struct Rotated {
    store::Webhook webhook;
    SecretText secret;
  };
  auto rotated = co_await parts_.store.write(
      kPriority,
      [&box = parts_.box, account, name, overlap, keep,
       now = parts_.clock.now()](WriteTransaction& t) -> Result<Rotated> {
        Rotated made;
        auto done = t.change_webhook(account, name, [&](const store::Webhook& webhook) {
          return rotated_terms(box, webhook, now, overlap, made.secret);
        });
        if (!done) return fail(std::move(done.error()));
        auto after = t.read().webhook(account, name);
        if (!after) return fail(std::move(after.error()));
        made.webhook = std::move(*after);
        if (!keep) return made;
        if (auto kept = t.keep_answer(*keep); !kept) return fail(std::move(kept.error()));
        return made;
      });
  if (!rotated) co_return fail(std::move(rotated.error()));
  auto view = view_of(std::move(rotated->webhook));
  if (!view) co_return fail(std::move(view.error()));
  co_return IssuedSecret{std::move(*view), std::move(rotated->secret)};
}

Task<Result<TestCall>> Registry::test(store::AccountKey account, std::string name) {
  const auto row = co_await parts_.store.read(
      [account, name](ReadTransaction& t) { return t.webhook(account, name); });
  if (!row) co_return fail(row.error());
  const auto target = webhooks::open_target(parts_.box, name, row->terms.sealed);
  if (!target) co_return fail(target.error());
  auto url = judged(target->url.view());
  if (!url) co_return fail(std::move(url.error()));
  const auto place = asking_.take(account);
  if (!place) co_return fail(ErrorKind::unavailable, std::string(kManyAsked));
  const Instant now = parts_.clock.now();
  const bool has_id = webhooks::has_call_id(row->form);
  const WrittenEvent event = webhooks::EventWriter(row->form).write(test_event(row->form, now));
  const WrittenEvent* const told = &event;
  const std::span<const WrittenEvent* const> events(&told, 1);
  auto request = signed_request(account, *url, webhooks::body_of(row->form, events));
  TestCall test;
  test.call = {.at = now, .id = has_id ? event.id : std::string(), .request = request.body};
  test.call.type =
      row->form == store::WebhookForm::contract ? "events.batch" : webhooks::type_of(event.kind);
  webhooks::sign_call(request.headers, row->form, target->signing(now), {.id = event.id, .at = now},
                      request.body);
  auto answer = co_await ask(std::move(request));
  test.accepted =
      webhooks::judge_answer(answer.response).how == webhooks::CallAnswer::How::accepted;
  test.call.took = answer.took;
  if (answer.response) {
    test.call.status = answer.response->status;
    test.call.answer = webhooks::shown_text(answer.response->body);
  } else if (answer.response.error().kind == ErrorKind::limit_exceeded) {
    co_return fail(ErrorKind::unavailable, answer.response.error().detail);
  } else {
    test.call.failure = answer.response.error().detail.substr(0, RecentCall::kFailureShown);
  }
  co_return test;
}

Task<Result<std::vector<RecentCall>>> Registry::calls(store::AccountKey account, std::string name) {
  const auto kept =
      co_await parts_.store.read([account, name](ReadTransaction& t) -> Result<std::string> {
        if (const auto mine = t.webhook(account, name); !mine) return fail(mine.error());
        return t.webhook_calls(name);
      });
  if (!kept) co_return fail(kept.error());
  const auto calls = webhooks::RecentCalls::unpack(*kept);
  if (!calls) co_return fail(calls.error());
  co_return std::vector<RecentCall>(calls->all().rbegin(), calls->all().rend());
}

Task<Result<std::vector<store::SetAsideEvent>>> Registry::set_aside(store::AccountKey account,
                                                                    std::string name,
                                                                    std::string after,
                                                                    std::int64_t limit) {
  co_return co_await parts_.store.read(
      [account, name, after,
       limit](ReadTransaction& t) -> Result<std::vector<store::SetAsideEvent>> {
        if (const auto mine = t.webhook(account, name); !mine) return fail(mine.error());
        return t.set_aside_of(name, after, limit);
      });
}

Task<Result<std::optional<std::size_t>>> Registry::replay(
    store::AccountKey account, std::string name, ReplayOrder order,
    std::optional<store::IdempotencyRecord> keep) {
  co_return co_await parts_.store.write(
      kPriority,
      [account, name, order = std::move(order),
       keep](WriteTransaction& t) mutable -> Result<std::optional<std::size_t>> {
        auto told = tell_again(t, account, name, order);
        if (!told || !keep) return told;
        keep->answer = *told ? static_cast<std::int64_t>(**told) : kUncounted;
        if (auto kept = t.keep_answer(*keep); !kept) return fail(std::move(kept.error()));
        return told;
      });
}

}  // namespace todoku::events::endpoints
