// SPDX-License-Identifier: Apache-2.0
// What was typed and not sent, kept per person until it is, or until the person signs out.
#include <array>
#include <string>
#include <utility>

#include "console/answers.h"
#include "console/calls.h"
#include "console/console.h"

namespace todoku::console {
namespace {

Task<http::Response> list_texts(Asked asked) {
  const auto texts = co_await asked.console.people().texts(asked.who);
  if (!texts) co_return refused(texts.error(), asked);
  http::JsonWriter json;
  json.begin_object();
  json.key("texts");
  json.begin_array();
  for (const store::KeptText& each : *texts) {
    json.begin_object();
    json.member("place", each.place);
    instant_or_null(json, "kept", each.kept);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> show_text(Asked asked) {
  const auto texts = co_await asked.console.people().texts(asked.who, asked.given.text("place"));
  if (!texts) co_return refused(texts.error(), asked);
  if (texts->empty()) {
    co_return refused(404, "nothing is kept for this place.",
                      "この場所に保存された入力はありません。", asked);
  }
  co_return http::Response::json(200, texts->front().text);
}

Task<http::Response> keep_text(Asked asked) {
  std::string text = asked.given.text("text");
  http::JsonArena arena;
  const auto json = http::parse_json(
      text, arena, {.octets_max = static_cast<std::size_t>(store::kKeptTextOctetsMax)});
  if (!json) {
    co_return refused(400, json.error().detail + ".", "JSONを読み取れません。", asked);
  }
  const auto kept = co_await asked.console.people().keep_text(asked.who, asked.given.text("place"),
                                                              std::move(text));
  co_return kept ? nothing() : refused(kept.error(), asked);
}

Task<http::Response> drop_text(Asked asked) {
  const auto dropped =
      co_await asked.console.people().keep_text(asked.who, asked.given.text("place"), {});
  co_return dropped ? nothing() : refused(dropped.error(), asked);
}

constexpr std::array kTextRoutes{
    RouteOf{http::Method::get, Wanted::look, true, &calls::kTexts, list_texts},
    RouteOf{http::Method::get, Wanted::look, true, &calls::kText, show_text},
    RouteOf{http::Method::put, Wanted::change, true, &calls::kKeepText, keep_text},
    RouteOf{http::Method::delete_, Wanted::change, true, &calls::kDropText, drop_text},
};

}  // namespace

std::span<const RouteOf> text_routes() {
  return kTextRoutes;
}

}  // namespace todoku::console
