// SPDX-License-Identifier: Apache-2.0
// todoku resend EMAIL_ID [--to ADDRESS]
#include <fmt/format.h>

#include "cli/api_session.h"
#include "cli/sender_commands.h"

namespace todoku::cli {

int resend_mail(Session& session, const Resend& options) {
  ApiSession api(session);
  std::string body = "{}";
  if (!options.to.empty()) {
    http::JsonWriter json;
    json.begin_object();
    json.member("to", options.to);
    json.end_object();
    body = json.take();
  }
  return api.call(
      {.method = "POST",
       .target = fmt::format("/deliveries/-/emails/{}/resend", options.email),
       .body = std::move(body),
       .idempotency_key = options.idempotency_key.empty() ? fresh_key() : options.idempotency_key,
       .answered_with = "delivery_id"},
      [&](const ReadAnswer& read) {
        session.say({"Mail {} is sent once more, as delivery {}.",
                     "メール {} を配信 {} として再送します。"},
                    options.email, number_of(read.value, "delivery_id"));
      });
}

}  // namespace todoku::cli
