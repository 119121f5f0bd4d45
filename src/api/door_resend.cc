// SPDX-License-Identifier: Apache-2.0
// Resend's POST /emails and /emails/batch.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "api/door_mails.h"
#include "api/door_routes.h"
#include "api/doors/resend.h"
#include "base/bytes.h"

namespace todoku::api {
namespace {

using doors::Service;
using doors::Trouble;

http::Response resend_failure(int status, std::string_view reason, const http::Request& request) {
  Trouble trouble = doors::trouble_of_status(status);
  if (status == 401 && trim(request.headers.get("Authorization")).empty()) {
    trouble = Trouble::no_credential;
  }
  return doors::failure(Service::resend, {trouble, std::string(reason)});
}

constexpr Guise kResend{"/doors/resend", &bearer_of, &resend_failure};

Task<http::Response> resend_email(Api& api, Call& call) {
  auto key = key_of_door(call, Service::resend);
  if (!key) co_return std::move(key.error());
  const auto form = std::make_shared<Form>();
  if (auto bad = co_await read_door(api, call, Service::resend, *form)) co_return std::move(*bad);
  if (!form->json->is_object()) {
    co_return doors::failure(Service::resend, {Trouble::unreadable, "A JSON object is expected."});
  }
  Letters letters{.service = Service::resend, .count = 1, .make = [&api, form](std::size_t) {
                    return DoorMail{doors::resend::read(form->object(), api.intake().limits())};
                  }};
  const Looked looked = co_await look_at(api, call, letters, *key, Taken::each);
  if (looked.first_fault) co_return doors::failure(Service::resend, *looked.failures[0]);
  const auto batch =
      co_await accept_letters(api, call, std::move(letters), *key, looked, Taken::each);
  const auto made = batch->answer(0);
  if (!made) co_return door_refusal(Service::resend, made.error(), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.member("id", uuid_of(made->answer));
  json.end_object();
  auto response = http::Response::json(200, json.take());
  tell_of_mail(*batch, response);
  co_return response;
}

// Those that were accepted, and the others with their places.
http::Response batch_response(const MailBatch& batch, const Looked& looked, Language language) {
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  std::vector<std::pair<std::size_t, std::string>> refused;
  for (std::size_t i = 0; i < batch.answers.size(); ++i) {
    if (auto failure = failure_at(batch, looked, i, Service::resend, language)) {
      refused.emplace_back(i, std::move(failure->text));
      continue;
    }
    json.begin_object();
    json.member("id", uuid_of(batch.answer(i)->answer));
    json.end_object();
  }
  json.end_array();
  if (!refused.empty()) {
    json.key("errors");
    json.begin_array();
    for (const auto& [place, text] : refused) {
      json.begin_object();
      json.member("index", place);
      json.member("message", text);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
  return http::Response::json(200, json.take());
}

bool has_accepted(const MailBatch& batch) {
  return std::ranges::any_of(batch.answers,
                             [](const auto& answer) { return answer && answer->has_value(); });
}

Task<http::Response> resend_batch(Api& api, Call& call) {
  auto key = key_of_door(call, Service::resend);
  if (!key) co_return std::move(key.error());
  const auto form = std::make_shared<Form>();
  if (auto bad = co_await read_door(api, call, Service::resend, *form)) co_return std::move(*bad);
  const boost::json::array* const list = form->json->if_array();
  if (list == nullptr || list->empty() || list->size() > doors::resend::kMailsMax) {
    co_return doors::failure(
        Service::resend,
        {Trouble::too_many_mails,
         fmt::format("The body has to be an array of 1 to {} emails.", doors::resend::kMailsMax)});
  }
  Letters letters{
      .service = Service::resend, .count = list->size(), .make = [&api, form](std::size_t i) {
        return DoorMail{letter_at(form->json->get_array()[i], [&](const auto& object) {
          return doors::resend::read(object, api.intake().limits());
        })};
      }};
  // In strict validation, which is the default, all or none; in permissive the others.
  const bool is_strict =
      !equals_ignoring_case(trim(call.request.headers.get("x-batch-validation")), "permissive");
  const Taken taken = is_strict ? Taken::whole : Taken::each;
  if (is_strict && !*key) {
    key = co_await key_of_octets(api, call, Service::resend, letters.count);
    if (!key) co_return std::move(key.error());
  }
  const Looked looked = co_await look_at(api, call, letters, *key, taken);
  if (is_strict && looked.first_fault) {
    doors::Failure failure = *looked.failures[*looked.first_fault];
    failure.text = fmt::format("[{}] {}", *looked.first_fault, failure.text);
    co_return doors::failure(Service::resend, failure);
  }
  const auto batch = co_await accept_letters(api, call, std::move(letters), *key, looked, taken);
  const auto refusal = first_refusal(*batch, looked);
  if (refusal && (is_strict || !has_accepted(*batch))) {
    co_return door_refusal(Service::resend, *refusal, call.language);
  }
  co_return batch_response(*batch, looked, call.language);
}

}  // namespace

void add_resend_routes(Api& api, http::Router& router) {
  api.add_door(router, kResend, "/emails", {.body_max = api.form_octets_max()}, &resend_email);
  api.add_door(router, kResend, "/emails/batch", {.body_max = kDoorOctetsMax}, &resend_batch);
}

}  // namespace todoku::api
