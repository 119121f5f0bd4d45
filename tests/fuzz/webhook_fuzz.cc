// SPDX-License-Identifier: Apache-2.0
// What tenants write about their endpoints, and what endpoints answer: URLs, secrets, permits,
// signatures, challenges. Oracles: a URL that is taken is one line of ASCII, reads again as it was
// written, and is shown without its password; a secret is one text.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "events/webhooks/call_answer.h"
#include "events/webhooks/challenge.h"
#include "events/webhooks/signature.h"
#include "http/guarded/target_url.h"
#include "net/outbound_rule.h"

namespace todoku {
namespace {

namespace webhooks = events::webhooks;

bool is_line(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

void check_url(std::string_view text) {
  const auto url = http::TargetUrl::parse(text);
  if (!url) return;
  const std::string wire = url->wire();
  check(is_line(wire), "a URL is one line");
  check(is_line(url->host()) && !url->host().empty(), "a host is one word");
  check(url->port() != 0, "a port is one");
  const auto again = http::TargetUrl::parse(wire);
  check(again && again->wire() == wire, "a URL reads as it was written");
  check(again->host() == url->host() && again->port() == url->port(), "and means the same place");
  check(again->authorization().empty(), "user and password are not in it");
  check(is_line(url->shown()), "what is logged is one line");
  if (url->address()) {
    check(net::IpAddress::parse(url->host()) == *url->address(), "an address is its own host");
  }
  (void)url->judge(net::OutboundRule());
}

void check_secret(std::string_view text) {
  const auto secret = webhooks::SigningSecret::parse(text);
  if (!secret) return;
  const auto again = webhooks::SigningSecret::parse(secret->to_text());
  check(again && again->sign("x") == secret->sign("x"), "a secret survives");
}

void check_signature(std::string_view text) {
  static const auto verifier =
      webhooks::Verifier::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value();
  http::Headers headers;
  const std::size_t line = std::min(text.find('\n'), text.size());
  headers.add(webhooks::kIdField, "msg_1");
  headers.add(webhooks::kTimestampField, text.substr(0, line));
  headers.add(webhooks::kSignatureField, text.substr(std::min(line + 1, text.size())));
  const bool verified = verifier.verify(headers, "{}", from_epoch_ms(0)).has_value();
  check(!verified, "nobody signs by chance");
}

void check_answer(std::string_view text) {
  http::ClientResponse answer;
  answer.status = 200;
  answer.body = text;
  answer.headers.add("Retry-After", text);
  (void)webhooks::judge_answer(answer);
  check(!webhooks::check_challenge({.id = "challenge_1", .token = std::string(43, '\0')}, answer),
        "nobody answers a challenge by chance");
}

void run(std::string_view text) {
  check_url(text);
  check_url("https://" + std::string(text));
  check_url("http://" + std::string(text) + "@example.jp/");
  check_secret(text);
  check_secret("whsec_" + std::string(text));
  check_signature(text);
  check_answer(text);
  (void)net::OutboundRule::Permit::parse(text);
}

}  // namespace
}  // namespace todoku

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
