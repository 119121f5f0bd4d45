// SPDX-License-Identifier: Apache-2.0
// Postmark's POST /email, /email/batch, /email/withTemplate and /email/batchWithTemplates.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "api/door_mails.h"
#include "api/door_routes.h"
#include "api/doors/postmark.h"
#include "base/bytes.h"
#include "base/date_time.h"

namespace todoku::api {
namespace {

using doors::Service;
using doors::Trouble;

// "Bearer <token>" of the header that Postmark's clients send.
std::string server_token(const http::Request& request) {
  const std::string_view token = trim(request.headers.get("X-Postmark-Server-Token"));
  return token.empty() ? std::string() : fmt::format("Bearer {}", token);
}

http::Response postmark_failure(int status, std::string_view reason,
                                const http::Request& /*request*/) {
  return doors::failure(Service::postmark, {doors::trouble_of_status(status), std::string(reason)});
}

constexpr Guise kPostmark{"/doors/postmark", &server_token, &postmark_failure};

// What reads a mail: doors::postmark::read, or read_with_template.
using ReadOne = doors::postmark::Mail (*)(const boost::json::object& object,
                                          const intake::Limits& limits);

doors::postmark::Mail mail_at(const boost::json::value& value, const Api& api, ReadOne read) {
  doors::postmark::Mail mail;
  if (value.is_object()) return read(value.get_object(), api.intake().limits());
  mail.letter.problems.add({}, intake::texts::wrong_type("an object", "オブジェクト"));
  return mail;
}

// Of a stream that is not there.
std::optional<doors::Failure> fault_of_stream(const doors::postmark::Mail& mail) {
  if (mail.no_stream.empty()) return std::nullopt;
  return doors::Failure{
      Trouble::no_stream,
      fmt::format("The stream provided: '{}' does not exist on this server.", mail.no_stream)};
}

// What a mail's answer says.
struct Told {
  std::string to;
  std::optional<doors::Failure> failure;
  std::int64_t delivery = 0;
};

void write(http::JsonWriter& json, const Told& told, Instant now) {
  if (told.failure) {
    json.raw(doors::failure_body(Service::postmark, *told.failure));
    return;
  }
  json.begin_object();
  json.member("To", told.to);
  json.member("SubmittedAt", format_utc(now));
  json.member("MessageID", uuid_of(told.delivery));
  json.member("ErrorCode", 0);
  json.member("Message", "OK");
  json.end_object();
}

struct SentMails {
  std::vector<Told> told;  // of each mail
  std::shared_ptr<MailBatch> batch;
  std::optional<intake::Refusal> refusal;  // the first of intake
};

// Each mail of `values` for itself: what is sound is accepted.
Task<SentMails> send_each(Api& api, Call& call, std::shared_ptr<Form> form,
                          std::span<const boost::json::value> values,
                          std::optional<store::IdempotencyKey> key, ReadOne read) {
  SentMails sent;
  const auto to = std::make_shared<std::vector<std::string>>(values.size());
  Letters letters{.service = Service::postmark,
                  .count = values.size(),
                  .make = [&api, form = std::move(form), values, to, read](std::size_t i) {
                    doors::postmark::Mail mail = mail_at(values[i], api, read);
                    (*to)[i] = mail.to;
                    auto fault = fault_of_stream(mail);
                    return DoorMail{std::move(mail.letter), std::move(fault)};
                  }};
  const Looked looked = co_await look_at(api, call, letters, key, Taken::each);
  sent.batch = co_await accept_letters(api, call, std::move(letters), key, looked, Taken::each);
  for (std::size_t i = 0; i < values.size(); ++i) {
    Told& told = sent.told.emplace_back();
    told.to = (*to)[i];
    told.failure = failure_at(*sent.batch, looked, i, Service::postmark, call.language);
    if (!told.failure) told.delivery = sent.batch->answer(i)->answer;
  }
  sent.refusal = first_refusal(*sent.batch, looked);
  co_return sent;
}

Task<http::Response> send_single(Api& api, Call& call, ReadOne read) {
  auto key = key_of_door(call, Service::postmark);
  if (!key) co_return std::move(key.error());
  const auto form = std::make_shared<Form>();
  if (auto bad = co_await read_door(api, call, Service::postmark, *form)) {
    co_return std::move(*bad);
  }
  const SentMails sent = co_await send_each(api, call, form, {&*form->json, 1}, *key, read);
  if (sent.refusal) co_return door_refusal(Service::postmark, *sent.refusal, call.language);
  const Told& told = sent.told.front();
  if (told.failure) co_return doors::failure(Service::postmark, *told.failure);
  http::JsonWriter json;
  write(json, told, api.clock().now());
  auto response = http::Response::json(200, json.take());
  tell_of_mail(*sent.batch, response);
  co_return response;
}

// `of`: the list that the body is, or has.
Task<http::Response> send_list(Api& api, Call& call, ReadOne read,
                               const boost::json::array* (*of)(const boost::json::value& body)) {
  auto key = key_of_door(call, Service::postmark);
  if (!key) co_return std::move(key.error());
  const auto form = std::make_shared<Form>();
  if (auto bad = co_await read_door(api, call, Service::postmark, *form)) {
    co_return std::move(*bad);
  }
  const boost::json::array* const list = of(*form->json);
  if (list == nullptr || list->size() > doors::postmark::kMailsMax) {
    const Trouble trouble = list == nullptr ? Trouble::unreadable : Trouble::too_many_mails;
    co_return doors::failure(Service::postmark,
                             {trouble, fmt::format("The body has to have an array of {} messages "
                                                   "at most.",
                                                   doors::postmark::kMailsMax)});
  }
  const SentMails sent =
      co_await send_each(api, call, form, {list->data(), list->size()}, *key, read);
  http::JsonWriter json;
  json.begin_array();
  for (const Told& told : sent.told) write(json, told, api.clock().now());
  json.end_array();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> postmark_email(Api& api, Call& call) {
  return send_single(api, call, &doors::postmark::read);
}

Task<http::Response> postmark_template(Api& api, Call& call) {
  return send_single(api, call, &doors::postmark::read_with_template);
}

const boost::json::array* body_itself(const boost::json::value& body) {
  return body.if_array();
}

// {"Messages": [...]}
const boost::json::array* messages_of(const boost::json::value& body) {
  const auto* const object = body.if_object();
  const auto* const messages = object == nullptr ? nullptr : object->if_contains("Messages");
  return messages == nullptr ? nullptr : messages->if_array();
}

Task<http::Response> postmark_batch(Api& api, Call& call) {
  return send_list(api, call, &doors::postmark::read, &body_itself);
}

Task<http::Response> postmark_templates(Api& api, Call& call) {
  return send_list(api, call, &doors::postmark::read_with_template, &messages_of);
}

}  // namespace

void add_postmark_routes(Api& api, http::Router& router) {
  api.add_door(router, kPostmark, "/email", {.body_max = api.form_octets_max()}, &postmark_email);
  api.add_door(router, kPostmark, "/email/batch", {.body_max = kDoorOctetsMax}, &postmark_batch);
  api.add_door(router, kPostmark, "/email/withTemplate", {.body_max = api.form_octets_max()},
               &postmark_template);
  api.add_door(router, kPostmark, "/email/batchWithTemplates", {.body_max = kDoorOctetsMax},
               &postmark_templates);
}

}  // namespace todoku::api
