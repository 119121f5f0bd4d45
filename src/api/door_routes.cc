// SPDX-License-Identifier: Apache-2.0
#include "api/door_routes.h"

#include "api/idempotency.h"

namespace todoku::api {

std::string bearer_of(const http::Request& request) {
  return std::string(request.headers.get("Authorization"));
}

void tell_of_mail(const MailBatch& batch, http::Response& response) {
  if (batch.answers.empty()) return;
  if (!batch.message_ids.front().empty()) {
    response.headers.set(kMessageIdHeader, batch.message_ids.front());
  }
  const auto first = batch.answer(0);
  if (first && first->replayed) response.headers.set(kReplayedHeader, "true");
}

void Api::add_door_routes(http::Router& router) {
  add_resend_routes(*this, router);
  add_postmark_routes(*this, router);
  add_sendgrid_routes(*this, router);
  add_ses_routes(*this, router);
}

}  // namespace todoku::api
