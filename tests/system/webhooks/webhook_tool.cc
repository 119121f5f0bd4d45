// SPDX-License-Identifier: Apache-2.0
// Calls as we sign them, for the tests against other implementations.
//
//   webhook_tool secret hmac|ed25519        prints the secret and, of Ed25519, the public key
//   webhook_tool call UNIX_SECONDS EVENTS SECRET...   prints a call with so many events as JSON:
//                                           {"headers":{...},"body":"..."}
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "events/webhooks/bodies.h"
#include "events/webhooks/signature.h"
#include "http/json.h"

namespace todoku::events::webhooks {
namespace {

[[noreturn]] void give_up(std::string_view why) {
  fmt::print(stderr, "webhook_tool: {}\n", why);
  std::exit(2);
}

void print_secret(std::string_view kind) {
  const SigningSecret secret =
      SigningSecret::generate(kind == "hmac" ? SecretKind::hmac : SecretKind::ed25519);
  fmt::print("{}\n{}\n", secret.to_text().view(), secret.public_text());
}

ToldEvent event(int number, Instant at) {
  return {.id = fmt::format("evt_{}", number),
          .kind = ToldKind::hard_error,
          .at = at,
          .delivery = std::make_shared<const store::EventDelivery>(
              store::EventDelivery{.id = 12,
                                   .type = DeliveryType::bulk,
                                   .subject = "春のお知らせ — \"2026\"",
                                   .labels = {.tags = {"春"}}}),
          .email = fmt::format("reader{}@example.jp", number),
          .attempt = 1,
          .code = 550,
          .message = "5.1.1 User unknown",
          .cause = Cause::mailbox};
}

void print_call(Instant at, int count, std::span<const std::string_view> texts) {
  std::vector<SigningSecret> secrets;
  for (const std::string_view text : texts) {
    auto secret = SigningSecret::parse(text);
    if (!secret) give_up(secret.error().detail);
    secrets.push_back(std::move(*secret));
  }
  EventWriter writer(store::WebhookForm::standard);
  std::vector<WrittenEvent> events;
  for (int i = 0; i < count; ++i) events.push_back(writer.write(event(i, at)));
  std::vector<const WrittenEvent*> told;
  for (const WrittenEvent& one : events) told.push_back(&one);
  const std::string body = signed_body(told);
  http::Headers headers;
  add_signature(headers, secrets, {.id = call_id(told), .at = at}, body);
  http::JsonWriter json;
  json.begin_object();
  json.key("headers");
  json.begin_object();
  for (std::size_t i = 0; i < headers.size(); ++i) {
    json.member(headers[i].name, headers[i].value);
  }
  json.end_object();
  json.member("body", body);
  json.end_object();
  fmt::print("{}\n", json.take());
}

int run(std::span<const std::string_view> words) {
  if (words.size() == 2 && words[0] == "secret") {
    print_secret(words[1]);
    return 0;
  }
  if (words.size() >= 4 && words[0] == "call") {
    const std::int64_t seconds = std::strtoll(std::string(words[1]).c_str(), nullptr, 10);
    const long count = std::strtol(std::string(words[2]).c_str(), nullptr, 10);
    print_call(from_epoch_ms(seconds * 1'000), static_cast<int>(count), words.subspan(3));
    return 0;
  }
  give_up("secret KIND, or call UNIX_SECONDS EVENTS SECRET...");
}

}  // namespace
}  // namespace todoku::events::webhooks

int main(int count, char** words) {
  const std::vector<std::string_view> all(words + 1, words + count);
  return todoku::events::webhooks::run(all);
}
