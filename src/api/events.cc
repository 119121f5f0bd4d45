// SPDX-License-Identifier: Apache-2.0
// GET /events: what became of recipients and deliveries, as pages after a cursor or as a stream.
#include "store/events.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "api/api.h"
#include "api/event_json.h"
#include "api/event_stream.h"
#include "api/list_query.h"
#include "api/progress_watch.h"
#include "http/forwarded.h"
#include "http/header_value.h"
#include "http/json.h"
#include "mail/address.h"
#include "mail/labels.h"

namespace todoku::api {
namespace {

constexpr std::int64_t kStandardCount = 100;
constexpr std::string_view kLatest = "latest";  // as a cursor: after everything there is

struct Asked {
  store::EventQuestion question;
  std::optional<store::PublicId> delivery;
  bool from_latest = false;
  bool progress = false;  // of the delivery, between its events
};

class AskedReader {
 public:
  AskedReader(const Call& call, intake::Problems& problems)
      : call_(call), query_(call.request.query_parameters()), problems_(problems) {}

  Asked read() {
    Asked asked;
    asked.question.account = call_.account.key;
    asked.question.limit = list_.number("count", kStandardCount);
    if (const auto* cursor = query_.find("cursor")) read_cursor("cursor", cursor->value, asked);
    for (const std::string_view word : query_.all("kind")) {
      if (const auto kind = store::event_kind(word)) {
        asked.question.kinds.push_back(*kind);
      } else {
        problems_.add({"kind"}, intake::texts::not_one_of(word, store::event_kind_words()));
      }
    }
    asked.delivery = list_.id("delivery_id");
    if (const auto* email = query_.find("email")) read_email(email->literal, asked);
    asked.question.tag = list_.text("tag", kTagCharactersMax);
    return asked;
  }
  // A page has none: it would be asked for again and again.
  void read_progress(bool as_stream, Asked& asked) {
    asked.progress = list_.truth("progress");
    if (!asked.progress) return;
    if (!as_stream) {
      problems_.add({"progress"},
                    {"is told in a stream (Accept: text/event-stream); once: "
                     "GET /deliveries/{delivery_id}/progress.",
                     "ストリーム（Accept: text/event-stream）でのみ指定できます。1 回だけなら"
                     "GET /deliveries/{delivery_id}/progressです。"});
    } else if (!asked.delivery) {
      problems_.add({"progress"}, {"is of one delivery: give delivery_id, too.",
                                   "配信ごとです。delivery_idも指定してください。"});
    }
  }
  // Where a stream goes on, or what happens from now on.
  void read_last_id(Asked& asked) {
    const std::string_view last = call_.request.headers.get("Last-Event-ID");
    if (!last.empty()) {
      asked.from_latest = false;
      read_cursor("Last-Event-ID", last, asked);
    } else if (query_.find("cursor") == nullptr) {
      asked.from_latest = true;
    }
  }

 private:
  void read_cursor(std::string_view name, std::string_view text, Asked& asked) {
    if (text == kLatest) {
      asked.from_latest = true;
    } else if (const auto place = store::event_place(text)) {
      asked.question.after = *place;
    } else {
      problems_.add({std::string(name)},
                    {"is no cursor; take next_cursor of an answer, or an event_id.",
                     "カーソルの形式が正しくありません。応答のnext_cursorまたはevent_idを指定して"
                     "ください。"});
    }
  }
  void read_email(const std::string& text, Asked& asked) {
    const auto address = parse_address(text);
    if (address) {
      asked.question.address = address->to_string();
    } else {
      problems_.add({"email"}, intake::texts::invalid_email(address.error().detail));
    }
  }

  const Call& call_;
  const http::Query query_;
  intake::Problems& problems_;
  const ListQuery list_{query_, problems_};
};

// What is asked for in the words of the store. A delivery that is not there, or is another
// account's, has no events.
Result<store::EventQuestion> question_of(store::ReadTransaction& t, const Asked& asked) {
  store::EventQuestion question = asked.question;
  if (asked.from_latest) {
    const auto last = t.last_event_place();
    if (!last) return fail(last.error());
    question.after = *last;
  }
  if (!asked.delivery) return question;
  const auto delivery = t.delivery_head(*question.account, *asked.delivery);
  if (!delivery && delivery.error().kind != ErrorKind::not_found) return fail(delivery.error());
  question.delivery = delivery ? delivery->key : store::DeliveryKey{};
  return question;
}

std::string page_json(const store::EventPage& page) {
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (const store::EventRecord& event : page.events) write_event(json, event);
  json.end_array();
  json.member("next_cursor", store::event_id(page.next));
  json.member("has_more", page.more);
  if (page.lost) json.member("lost", true);
  json.end_object();
  return json.take();
}

// not_found.
Task<Result<std::shared_ptr<ProgressWatch>>> watch_of(Api& api, const Asked& asked) {
  const auto head = co_await api.store().read(
      [account = *asked.question.account, id = *asked.delivery](store::ReadTransaction& reader) {
        return reader.delivery_head(account, id);
      });
  if (!head) co_return fail(head.error());
  co_return api.progress_watches().watch(*head);
}

Task<http::Response> stream(Api& api, Call& call, const Asked& asked) {
  auto place = api.event_places().take(call.account.key);
  if (!place) {
    co_return refused(429,
                      {"too many event streams are open; close one, or read pages.",
                       "開いているイベントストリームが多すぎます。閉じるか、ページで取得してくださ"
                       "い。"},
                      call.language);
  }
  auto question = co_await api.store().read(
      [&asked](store::ReadTransaction& t) { return question_of(t, asked); });
  if (!question) co_return refused(intake::refusal_of(question.error()), call.language);
  std::shared_ptr<ProgressWatch> watch;
  if (asked.progress) {
    auto found = co_await watch_of(api, asked);
    if (!found) co_return refused(intake::refusal_of(found.error()), call.language);
    watch = std::move(*found);
  }
  http::Response response;
  response.content_type = "text/event-stream";
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("X-Accel-Buffering", "no");  // nginx would hold it back
  response.source = std::make_unique<EventStream>(EventStream::Parts{
      .api = api,
      .place = std::move(*place),
      .question = std::move(*question),
      .watch = std::move(watch),
      .usher = call.usher,
      .authorization = call.authorization,
      .client = http::client_address(call.request, api.options().trusted_proxies),
      .executor = co_await boost::asio::this_coro::executor});
  co_return response;
}

Task<http::Response> list_events(Api& api, Call& call) {
  intake::Problems problems;
  AskedReader reader(call, problems);
  Asked asked = reader.read();
  const bool as_stream = wants_stream(call.request);
  reader.read_progress(as_stream, asked);
  if (as_stream) reader.read_last_id(asked);
  if (!problems.empty()) co_return invalid(problems, call.language);
  if (as_stream) co_return co_await stream(api, call, asked);
  const auto page =
      co_await api.store().read([&asked](store::ReadTransaction& t) -> Result<store::EventPage> {
        const auto question = question_of(t, asked);
        if (!question) return fail(question.error());
        return t.events(*question);
      });
  if (!page) co_return refused(intake::refusal_of(page.error()), call.language);
  co_return http::Response::json(200, page_json(*page));
}

Task<http::Response> ticket(Api& api, Call& call) {
  if (call.usher != nullptr) {
    co_return refused(400,
                      {"a ticket is for who sends a key: here a stream is opened without one.",
                       "チケットはAPIキーを使う場合のものです。ここではチケットなしでストリームを"
                       "開けます。"},
                      call.language);
  }
  const auto issued =
      api.event_tickets().issue(call.account.key, call.authorization, api.clock().steady_now());
  if (!issued) {
    co_return refused(429, {"too many tickets wait to be used.", "未使用のチケットが多すぎます。"},
                      call.language);
  }
  http::JsonWriter json;
  json.begin_object();
  json.member("ticket", *issued);
  json.member("expires_in", std::chrono::duration_cast<std::chrono::seconds>(kTicketLife).count());
  json.end_object();
  auto response = http::Response::json(201, json.take());
  response.headers.set("Cache-Control", "no-store");
  co_return response;
}

}  // namespace

void add_event_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, kEventsPath, kRead, &list_events);
  api.add(router, post, "/events/ticket", kRead, &ticket);
}

}  // namespace todoku::api
