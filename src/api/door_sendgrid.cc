// SPDX-License-Identifier: Apache-2.0
// SendGrid's POST /v3/mail/send.
#include <memory>
#include <optional>
#include <utility>

#include "api/door_mails.h"
#include "api/door_routes.h"
#include "api/doors/sendgrid.h"

namespace todoku::api {
namespace {

using doors::Service;
using doors::Trouble;

http::Response sendgrid_failure(int status, std::string_view reason,
                                const http::Request& /*request*/) {
  return doors::failure(Service::sendgrid, {doors::trouble_of_status(status), std::string(reason)});
}

constexpr Guise kSendGrid{"/doors/sendgrid", &bearer_of, &sendgrid_failure};

// Read once, and told from mail by mail.
struct ReadMails {
  Form form;
  std::optional<doors::sendgrid::Mails> mails;
};

Task<http::Response> sendgrid_mail(Api& api, Call& call) {
  auto key = key_of_door(call, Service::sendgrid);
  if (!key) co_return std::move(key.error());
  const auto read = std::make_shared<ReadMails>();
  if (auto bad = co_await read_door(api, call, Service::sendgrid, read->form)) {
    co_return std::move(*bad);
  }
  if (!read->form.json->is_object()) {
    co_return doors::failure(Service::sendgrid,
                             {Trouble::unreadable, "A JSON object is expected."});
  }
  const auto& mails = read->mails.emplace(read->form.object(), api.intake().limits());
  if (mails.size() == 0) {
    co_return doors::failure(Service::sendgrid,
                             doors::failure_of(Service::sendgrid, mails.problems(), call.language));
  }
  Letters letters{.service = Service::sendgrid,
                  .count = mails.size(),
                  .make = [read](std::size_t i) { return DoorMail{read->mails->mail(i)}; }};
  if (!*key && !mails.is_sandboxed()) {
    key = co_await key_of_octets(api, call, Service::sendgrid, letters.count);
    if (!key) co_return std::move(key.error());
  }
  const Looked looked = co_await look_at(api, call, letters, *key, Taken::whole);
  if (looked.first_fault) {
    co_return doors::failure(Service::sendgrid, *looked.failures[*looked.first_fault]);
  }
  if (mails.is_sandboxed()) {
    http::Response sound;
    sound.status = 200;
    co_return sound;
  }
  const auto batch =
      co_await accept_letters(api, call, std::move(letters), *key, looked, Taken::whole);
  if (const auto refusal = first_refusal(*batch, looked)) {
    co_return door_refusal(Service::sendgrid, *refusal, call.language);
  }
  http::Response response;
  response.status = 202;
  response.headers.set("X-Message-Id", uuid_of(batch->answer(0)->answer));
  tell_of_mail(*batch, response);
  co_return response;
}

}  // namespace

void add_sendgrid_routes(Api& api, http::Router& router) {
  api.add_door(router, kSendGrid, "/v3/mail/send", {.body_max = kDoorOctetsMax}, &sendgrid_mail);
}

}  // namespace todoku::api
