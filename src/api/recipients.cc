// SPDX-License-Identifier: Apache-2.0
// Single recipients of a draft (contract section 2.12).
#include <utility>

#include "api/api.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/members.h"
#include "base/date_time.h"
#include "http/json.h"
#include "intake/fingerprint.h"

namespace todoku::api {
namespace {

struct Read {
  intake::RecipientRequest request;
  intake::Problems problems;  // of its form
};

// The response says what is wrong with the request as a whole; nullopt if nothing is.
Task<std::optional<http::Response>> read_recipient(Api& api, Call& call, Read& read) {
  Form form;
  auto bad = co_await read_form(api, call, false, form);
  if (bad) co_return bad;
  call.unknown = unknown_members(form.object(), members::kRecipient);
  refuse_lost_members(form.object(), members::kRecipient, read.problems);
  const Fields fields(form.object(), {}, read.problems);
  read.request = fields.recipient(api.intake().limits().insert_codes_max);
  co_return std::nullopt;
}

Task<http::Response> add(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  auto key = key_of_request(call, store::KeyedRoute::add_recipient);
  if (!key) co_return std::move(key.error());
  Read read;
  auto bad = co_await read_recipient(api, call, read);
  if (bad) co_return std::move(*bad);
  intake::Repeatable repeatable;
  if (*key && read.problems.empty()) {
    repeatable = {.key = **key, .fingerprint = intake::fingerprint_of(*id, read.request)};
  }
  const auto make = [&](intake::Repeatable its) {
    return api.intake().add_recipient(call.account, *id, std::move(read.request),
                                      std::move(read.problems), its);
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  co_return made_response(call, made, 201, "email_id");
}

Task<http::Response> change(Api& api, Call& call) {
  const auto id = path_id(call, "email_id");
  if (!id) co_return no_data_found(call);
  Read read;
  auto bad = co_await read_recipient(api, call, read);
  if (bad) co_return std::move(*bad);
  const auto changed = co_await api.intake().change_recipient(
      call.account, *id, std::move(read.request), std::move(read.problems));
  if (!changed) co_return refused(changed.error(), call.language);
  co_return id_response(200, "email_id", *id);
}

Task<http::Response> remove_recipient(Api& api, Call& call) {
  const auto id = path_id(call, "email_id");
  if (!id) co_return no_data_found(call);
  const auto removed = co_await api.intake().remove_recipient(call.account, *id);
  if (!removed) co_return refused(removed.error(), call.language);
  co_return id_response(200, "email_id", *id);
}

// Without the insert codes where `with_content` is false: clients need the key all the same.
std::string recipient_json(const store::Recipient& recipient, bool with_content) {
  http::JsonWriter json;
  json.begin_object();
  json.member("email_id", recipient.id);
  json.member("email", recipient.address);
  json.member("delivery_id", recipient.delivery_id);
  json.key("insert_code");
  json.begin_array();
  for (const InsertCode& code : recipient.insert_codes) {
    if (!with_content) break;
    json.begin_object();
    json.member("key", code.key);
    json.member("value", code.value);
    json.end_object();
  }
  json.end_array();
  attached_members(json, recipient.attached);
  json.member("created_time", format_date_time(recipient.created));
  json.member("updated_time", format_date_time(recipient.updated));
  json.end_object();
  return json.take();
}

Task<http::Response> read(Api& api, Call& call) {
  const auto id = path_id(call, "email_id");
  if (!id) co_return no_data_found(call);
  const store::AccountKey account = call.account.key;
  const auto recipient = co_await api.store().read(
      [account, id](store::ReadTransaction& reader) { return reader.recipient(account, *id); });
  if (!recipient) co_return refused(intake::refusal_of(recipient.error()), call.language);
  const bool with_content = has(call.scopes, store::Scope::content);
  if (with_content && !recipient->insert_codes.empty()) {
    auto unnoted = co_await note_view(api, call,
                                      {.what = "insert_codes",
                                       .delivery = recipient->delivery_id,
                                       .email = recipient->id,
                                       .address = recipient->address});
    if (unnoted) co_return std::move(*unnoted);
  }
  auto response = http::Response::json(200, recipient_json(*recipient, with_content));
  if (api.options().message_id) {
    response.headers.set(kMessageIdHeader,
                         api.options().message_id(recipient->key, recipient->delivery_type));
  }
  if (!with_content) response.headers.set(kWithheldHeader, "insert_code");
  co_return response;
}

}  // namespace

void add_recipient_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, post, "/deliveries/{delivery_id}/emails", kSend, &add);
  api.add(router, get, "/deliveries/-/emails/{email_id}", kRead, &read);
  api.add(router, put, "/deliveries/-/emails/{email_id}", kSend, &change);
  api.add(router, delete_, "/deliveries/-/emails/{email_id}", kSend, &remove_recipient);
}

}  // namespace todoku::api
