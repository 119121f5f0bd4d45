// SPDX-License-Identifier: Apache-2.0
// POST /deliveries/-/emails/{email_id}/resend: one mail once more, to its recipient or to the
// address that was meant. What it said goes out without being shown, so it needs the scope content
// besides send, and is on record.
#include <optional>
#include <string>
#include <utility>

#include "api/api.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/members.h"
#include "api/message_id.h"
#include "intake/fingerprint.h"

namespace todoku::api {
namespace {

Task<http::Response> resend(Api& api, Call& call) {
  const auto id = path_id(call, "email_id");
  if (!id) co_return no_data_found(call);
  // What the mail said, files and all, is in memory until it is stored again.
  const auto place = api.message_places().take(call.account.key);
  if (!place) {
    co_return refused(503, intake::texts::busy("too many messages are being made"), call.language);
  }
  if (!has(call.scopes, store::Scope::content)) {
    co_return lacks_scope(call, static_cast<store::Scopes>(store::Scope::content));
  }
  auto key = key_of_request(call, store::KeyedRoute::resend);
  if (!key) co_return std::move(key.error());
  Form form;
  auto bad = co_await read_form(api, call, true, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kResend);
  intake::Problems problems;
  auto to = Fields(form.object(), {}, problems).text("to");
  if (to && to->empty()) problems.add({"to"}, intake::texts::required());
  if (!problems.empty()) co_return invalid(problems, call.language);
  auto unnoted = co_await note_view(api, call, {.what = "resend", .email = *id});
  if (unnoted) co_return std::move(*unnoted);
  intake::Repeatable repeatable;
  if (*key) {
    repeatable = {.key = **key, .fingerprint = intake::fingerprint_of_resend(*id, to)};
  }
  const auto make = [&](intake::Repeatable its) {
    return api.intake().resend(call.account, *id, std::move(to), its);
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  auto response = made_response(call, made, 201, "delivery_id");
  if (made) tell_message_id(api, co_await delivery_made(api, call.account.key, *made), response);
  co_return response;
}

}  // namespace

void add_resending_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::post, "/deliveries/-/emails/{email_id}/resend", kSend, &resend);
}

}  // namespace todoku::api
