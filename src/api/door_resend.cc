// SPDX-License-Identifier: Apache-2.0
// Resend's POST /emails and /emails/batch.
#include <utility>

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
                    return doors::resend::read(form->object(), api.intake().limits());
                  }};
  if (const auto fault = co_await first_fault(api, call, letters, *key)) {
    co_return doors::failure(Service::resend, fault->failure);
  }
  const auto batch = co_await accept_letters(api, call, std::move(letters), *key);
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

// In strict validation, which is the default, all or none; in permissive the others.
struct Chosen {
  std::vector<std::size_t> places;
  std::vector<Fault> faults;
};

Task<Chosen> choose(Api& api, const Call& call, const Letters& all, bool is_strict,
                    const std::optional<store::IdempotencyKey>& key) {
  Chosen chosen;
  for (std::size_t i = 0; i < all.count; ++i) {
    const Letters one{
        .service = all.service, .count = 1, .make = [&all, i](std::size_t) { return all.make(i); }};
    // A repeat is looked at once more: what was refused then is to be told again.
    auto fault = co_await first_fault(api, call, one, is_strict ? key : std::nullopt);
    if (fault) {
      chosen.faults.push_back({i, std::move(fault->failure)});
      if (is_strict) co_return chosen;
    } else {
      chosen.places.push_back(i);
    }
  }
  co_return chosen;
}

http::Response batch_response(const MailBatch& batch, const Chosen& chosen) {
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (std::size_t i = 0; i < chosen.places.size(); ++i) {
    json.begin_object();
    json.member("id", uuid_of(batch.answer(i)->answer));
    json.end_object();
  }
  json.end_array();
  if (!chosen.faults.empty()) {
    json.key("errors");
    json.begin_array();
    for (const Fault& fault : chosen.faults) {
      json.begin_object();
      json.member("index", fault.place);
      json.member("message", fault.failure.text);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
  return http::Response::json(200, json.take());
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
  const Letters all{
      .service = Service::resend, .count = list->size(), .make = [&api, form](std::size_t i) {
        return letter_at(form->json->get_array()[i], [&](const auto& object) {
          return doors::resend::read(object, api.intake().limits());
        });
      }};
  const bool is_strict =
      !equals_ignoring_case(trim(call.request.headers.get("x-batch-validation")), "permissive");
  const Chosen chosen = co_await choose(api, call, all, is_strict, *key);
  if (is_strict && !chosen.faults.empty()) {
    doors::Failure failure = chosen.faults.front().failure;
    failure.text = fmt::format("[{}] {}", chosen.faults.front().place, failure.text);
    co_return doors::failure(Service::resend, failure);
  }
  Letters sound{
      .service = Service::resend,
      .count = chosen.places.size(),
      .make = [make = all.make, places = chosen.places](std::size_t i) { return make(places[i]); }};
  const auto batch = co_await accept_letters(api, call, std::move(sound), *key);
  for (std::size_t i = 0; i < chosen.places.size(); ++i) {
    const auto made = batch->answer(i);
    if (!made) co_return door_refusal(Service::resend, made.error(), call.language);
  }
  co_return batch_response(*batch, chosen);
}

}  // namespace

void add_resend_routes(Api& api, http::Router& router) {
  api.add_door(router, kResend, "/emails", {.body_max = api.form_octets_max()}, &resend_email);
  api.add_door(router, kResend, "/emails/batch", {.body_max = kDoorOctetsMax}, &resend_batch);
}

}  // namespace todoku::api
