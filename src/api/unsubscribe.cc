// SPDX-License-Identifier: Apache-2.0
#include "api/unsubscribe.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "api/answers.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "http/multipart.h"
#include "http/query.h"
#include "mail/varint.h"

namespace todoku::api {
namespace {

using intake::Leaves;
using Says = UnsubscribePage::Says;

// One short pair in urlencoded or multipart form, or our own form's.
constexpr std::size_t kFormOctetsMax = 8 * 1024;
constexpr std::size_t kLinkDigestOctets = 12;
// A form tells seconds, and is made after what it takes back was stored, by the store's clock.
constexpr Milliseconds kFormSlack{5'000};
constexpr std::string_view kUnsubscribesName = "todoku_unsubscribes_total";
constexpr std::string_view kUnsubscribesHelp =
    "What readers did by the link of List-Unsubscribe, by what became of it.";
// RFC 8058 section 3.2.
constexpr std::string_view kOneClickName = "List-Unsubscribe";
constexpr std::string_view kOneClickValue = "One-Click";

std::uint64_t seconds_of(Instant at) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

std::string digest_of(std::string_view link) {
  const Sha256 digest = sha256(link);
  return std::string(as_text(std::span<const std::uint8_t>(digest).first(kLinkDigestOctets)));
}

struct Sent {
  std::string one_click;
  std::string form;
};

Sent read_urlencoded(std::string_view body) {
  Sent sent;
  const http::Query query = http::Query::parse(body);
  if (const auto* pair = query.find(kOneClickName)) sent.one_click = pair->value;
  if (const auto* pair = query.find("form")) sent.form = pair->value;
  return sent;
}

Sent read_multipart(std::string_view content_type, std::string_view body) {
  Sent sent;
  const auto boundary = http::multipart_boundary(content_type);
  if (!boundary) return sent;
  http::MultipartParser parser(*boundary, {.parts_max = 8});
  parser.push(body);
  parser.end_of_input();
  while (true) {
    const auto event = parser.next();
    if (!event || event->kind == http::MultipartEvent::Kind::finished ||
        event->kind == http::MultipartEvent::Kind::need_more) {
      return sent;
    }
    if (event->kind != http::MultipartEvent::Kind::data) continue;
    if (parser.part().name == kOneClickName) sent.one_click += event->data;
    if (parser.part().name == "form") sent.form += event->data;
  }
}

Sent read_sent(const http::Request& request, std::string_view body) {
  const std::string_view type = request.headers.get("Content-Type");
  return to_ascii_lower(type).starts_with("multipart/") ? read_multipart(type, body)
                                                        : read_urlencoded(body);
}

http::Response html(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.body = std::move(body);
  response.headers.set("Cache-Control", "no-store");
  // The link is a right: it is told to nobody that the page leads to, and the page in a frame could
  // be pressed by somebody who does not see it.
  response.headers.set("Referrer-Policy", "no-referrer");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("X-Robots-Tag", "noindex, nofollow");
  response.headers.set("Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                       "frame-ancestors 'none'; base-uri 'none'");
  return response;
}

Language language_for(const http::Request& request) {
  return language_of(request.headers.get("Accept-Language"));
}

int status_for(Says says) {
  switch (says) {
    case Says::no_link:
      return 404;
    case Says::stale_form:
      return 400;
    case Says::too_often:
      return 429;
    case Says::failed:
      return 503;
    default:
      return 200;
  }
}

http::Response answer(const http::Request& request, const UnsubscribePage& page) {
  return html(status_for(page.says), to_html(page, language_for(request)));
}

}  // namespace

Unsubscribe::Unsubscribe(std::span<const std::uint8_t, 16> secret, store::Store& store,
                         const Clock& clock, Metrics& metrics)
    : tokens_(secret),
      forms_(secret, "unsubscribe form"),
      opt_outs_(store),
      clock_(clock),
      one_click_(metrics.counter(kUnsubscribesName, kUnsubscribesHelp, {{"result", "one_click"}})),
      by_page_(metrics.counter(kUnsubscribesName, kUnsubscribesHelp, {{"result", "by_page"}})),
      repeated_(metrics.counter(kUnsubscribesName, kUnsubscribesHelp, {{"result", "repeated"}})),
      taken_back_(
          metrics.counter(kUnsubscribesName, kUnsubscribesHelp, {{"result", "taken_back"}})),
      foreign_(metrics.counter(kUnsubscribesName, kUnsubscribesHelp, {{"result", "foreign"}})),
      failed_(metrics.counter(kUnsubscribesName, kUnsubscribesHelp, {{"result", "failed"}})) {}

void Unsubscribe::add_routes(http::Router& router) {
  const std::string pattern = fmt::format("{}{{token}}", kUnsubscribePath);
  router.add(http::Method::get, pattern, {.body_max = 0},
             [this](http::Request& request, http::Body&) { return show(request); });
  router.add(http::Method::post, pattern, {.body_max = kFormOctetsMax},
             [this](http::Request& request, http::Body& body) { return take(request, body); });
}

std::string Unsubscribe::form_for(Act act, std::string_view link, Instant made) const {
  std::string plain(1, static_cast<char>(act));
  append_varint(plain, seconds_of(made));
  plain += digest_of(link);
  std::string out;
  forms_.append(out, plain);
  return out;
}

std::optional<Unsubscribe::Form> Unsubscribe::read_form(std::string_view form,
                                                        std::string_view link) const {
  const auto plain = forms_.open(form);
  if (!plain || plain->empty()) return std::nullopt;
  const auto act = static_cast<Act>(plain->front());
  std::string_view rest = std::string_view(*plain).substr(1);
  const auto made = read_varint(rest);
  if (!made || rest != digest_of(link)) return std::nullopt;
  const auto lasts = std::chrono::duration_cast<std::chrono::seconds>(
      takes_back(act) ? kTakenBackWithin : kFormLasts);
  if (seconds_of(clock_.now()) > *made + static_cast<std::uint64_t>(lasts.count())) {
    return std::nullopt;
  }
  return Form{.act = act, .made = Instant(std::chrono::seconds(*made))};
}

UnsubscribePage Unsubscribe::page_for(Says says, const UnsubscribeToken& token) const {
  return {
      .says = says, .address = token.address, .list_id = token.list_id, .sender = {}, .forms = {}};
}

Task<http::Response> Unsubscribe::show(http::Request& request) {
  const std::string link(request.parameters.get("token"));
  const auto token = tokens_.read(link);
  if (!token) {
    foreign_.add(1);
    co_return answer(request, {.says = Says::no_link});
  }
  UnsubscribePage page = page_for(Says::asks, *token);
  // Without it the page still does what it is for.
  if (auto sender = co_await opt_outs_.sender_of(*token)) page.sender = std::move(*sender);
  if (!token->list_id.empty()) {
    page.forms.leave_list = form_for(Act::leave_list, link, clock_.now());
  }
  page.forms.leave_all = form_for(Act::leave_all, link, clock_.now());
  page = co_await with_what_is_left(std::move(page), *token, link);
  co_return answer(request, page);
}

Task<UnsubscribePage> Unsubscribe::with_what_is_left(UnsubscribePage page, UnsubscribeToken token,
                                                     std::string link) {
  const auto left = co_await opt_outs_.before(std::move(token));
  // Without it the page still does what it is for.
  if (!left || !*left) co_return page;
  page.says = Says::was_left;
  page.leaves = (*left)->leaves;
  page.forms.leave_list.clear();
  const bool all = page.leaves == Leaves::advertisements;
  if (all) page.forms.leave_all.clear();
  const auto at = (*left)->at;
  if (at && clock_.now() - *at < kTakenBackWithin) {
    page.forms.take_back = form_for(all ? Act::take_back_all : Act::take_back_list, link, *at);
  }
  co_return page;
}

Task<http::Response> Unsubscribe::take(http::Request& request, http::Body& body) {
  const std::string link(request.parameters.get("token"));
  auto token = tokens_.read(link);
  if (!token) {
    foreign_.add(1);
    co_return answer(request, {.says = Says::no_link});
  }
  const Sent sent = read_sent(request, body.text());
  if (trim(sent.one_click) == kOneClickValue) {
    const Act act = token->list_id.empty() ? Act::leave_all : Act::leave_list;
    co_return co_await leave(request, std::move(*token), act, true);
  }
  const auto form = read_form(sent.form, link);
  if (!form) co_return answer(request, page_for(Says::stale_form, *token));
  if (takes_back(form->act)) co_return co_await take_back(request, std::move(*token), *form);
  co_return co_await leave(request, std::move(*token), form->act, false);
}

Task<http::Response> Unsubscribe::leave(const http::Request& request, UnsubscribeToken token,
                                        Act act, bool is_one_click) {
  UnsubscribePage page = page_for(Says::left, token);
  page.leaves = act == Act::leave_list ? Leaves::list : Leaves::advertisements;
  const auto left = co_await opt_outs_.leave(token, page.leaves);
  if (!left) {
    failed_.add(1);
    log::warning("an opt-out was not recorded", {{"reason", left.error().detail}});
    page.says = Says::failed;
    co_return co_await finish(request, token, std::move(page));
  }
  const bool now = *left == intake::OptOuts::Left::now;
  (now ? (is_one_click ? one_click_ : by_page_) : repeated_).add(1);
  page.says = now ? Says::left : Says::was_left;
  if (now && !is_one_click) {
    page.forms.take_back =
        form_for(act == Act::leave_list ? Act::take_back_list : Act::take_back_all,
                 request.parameters.get("token"), clock_.now());
  }
  if (!now) {
    std::string link(request.parameters.get("token"));
    page = co_await with_what_is_left(std::move(page), token, std::move(link));
  }
  co_return co_await finish(request, token, std::move(page));
}

Task<http::Response> Unsubscribe::take_back(const http::Request& request, UnsubscribeToken token,
                                            Form form) {
  UnsubscribePage page = page_for(Says::taken_back, token);
  page.leaves = form.act == Act::take_back_list ? Leaves::list : Leaves::advertisements;
  const auto back = co_await opt_outs_.take_back(token, page.leaves, form.made + kFormSlack);
  if (back) {
    using TakenBack = intake::OptOuts::TakenBack;
    if (*back != TakenBack::nothing) taken_back_.add(1);
    if (*back == TakenBack::nothing) page.says = Says::nothing_to_undo;
    if (*back == TakenBack::not_all) page.says = Says::taken_back_in_part;
  } else if (back.error().kind == ErrorKind::limit_exceeded) {
    page.says = Says::too_often;
  } else {
    failed_.add(1);
    log::warning("an opt-out was not taken back", {{"reason", back.error().detail}});
    page.says = Says::failed;
  }
  co_return co_await finish(request, token, std::move(page));
}

Task<http::Response> Unsubscribe::finish(const http::Request& request,
                                         const UnsubscribeToken& token, UnsubscribePage page) {
  if (auto sender = co_await opt_outs_.sender_of(token)) page.sender = std::move(*sender);
  co_return answer(request, page);
}

}  // namespace todoku::api
