// SPDX-License-Identifier: Apache-2.0
// The message of a recipient, as it was sent (docs/api.md).
#include <utility>

#include <fmt/format.h>

#include "api/api.h"

namespace todoku::api {
namespace {

constexpr store::Scopes kContent = static_cast<store::Scopes>(store::Scope::content);

http::Response not_shown(const Error& error, Language language) {
  switch (error.kind) {
    case ErrorKind::conflict:
      return refused(400,
                     {"its delivery has not started: no message of it was made yet.",
                      "配信がまだ開始されていないため、メッセージは作成されていません。"},
                     language);
    case ErrorKind::unsupported:
      return refused(
          410,
          {"it cannot be made as it was sent any more: its recipient, another of its header, or "
           "its "
           "content was erased, or a DKIM key that signed it is gone.",
           "宛先、ヘッダーのほかの宛先、または本文が消去されたか、署名に使われたDKIM鍵が削除された"
           "ため、送信時と同じメッセージを再現できません。"},
          language);
    case ErrorKind::cancelled:
      return refused(410,
                     {"it was stopped before it was tried: no message of it was made.",
                      "送信前に停止されたため、メッセージは作成されていません。"},
                     language);
    case ErrorKind::limit_exceeded:
      return refused(
          410,
          {"its insert codes make it larger than a mail may be: none was made.",
           "差し込みコードによりメールの上限サイズを超えるため、メッセージは作成されていません。"},
          language);
    default:
      return refused(intake::refusal_of(error), language);
  }
}

Task<http::Response> message(Api& api, Call& call) {
  const auto id = path_id(call, "email_id");
  if (!id || api.copies() == nullptr) co_return no_data_found(call);
  const auto place = api.message_places().take(call.account.key);
  if (!place) {
    co_return refused(503, intake::texts::busy("too many messages are being made"), call.language);
  }
  auto unnoted = co_await note_view(api, call, {.what = "message", .email = *id});
  if (unnoted) co_return std::move(*unnoted);
  auto octets = co_await api.copies()->copy(call.account.key, *id);
  if (!octets) co_return not_shown(octets.error(), call.language);
  http::Response response;
  response.content_type = "message/rfc822";
  response.body = std::move(*octets);
  response.headers.set("Content-Disposition",
                       fmt::format("attachment; filename=\"message_{}.eml\"", *id));
  co_return response;
}

}  // namespace

void add_message_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::get, "/deliveries/-/emails/{email_id}/message.eml", kContent,
          &message);
}

}  // namespace todoku::api
