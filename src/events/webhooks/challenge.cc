// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/challenge.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/date_time.h"
#include "base/digest.h"
#include "http/json.h"

namespace todoku::events::webhooks {
namespace {

constexpr std::size_t kTokenOctets = 32;
constexpr std::size_t kAnswerOctetsMax = 1'024;

// What the answer gives back, in either form; empty if it is none.
std::string echoed(std::string_view body) {
  const std::string_view text = trim(body);
  if (!text.starts_with('{')) return std::string(text);
  http::JsonArena arena;
  const auto value =
      http::parse_json(text, arena, {.octets_max = kAnswerOctetsMax, .depth_max = 4});
  if (!value || !value->is_object()) return {};
  const boost::json::value* member = value->get_object().if_contains("challenge");
  if (member == nullptr || !member->is_string()) return {};
  return std::string(member->get_string());
}

}  // namespace

Challenge make_challenge() {
  return {.id = "challenge_" + to_hex(random_octets(16)),
          .token = to_base64url(random_octets(kTokenOctets))};
}

std::string challenge_body(const Challenge& challenge, Instant now) {
  http::JsonWriter json;
  json.begin_object();
  json.member("type", "endpoint.challenge");
  json.member("timestamp", format_utc(now));
  json.key("data");
  json.begin_object();
  json.member("challenge", challenge.token);
  json.end_object();
  json.end_object();
  return json.take();
}

Result<void> check_challenge(const Challenge& challenge, const http::ClientResponse& answer) {
  if (answer.status < 200 || answer.status > 299) {
    return fail(ErrorKind::unauthorized,
                fmt::format("the endpoint answered the challenge with {}", answer.status));
  }
  if (!equal_in_constant_time(echoed(answer.body), challenge.token)) {
    return fail(ErrorKind::unauthorized,
                "the endpoint's answer does not hold the challenge that it was sent");
  }
  return {};
}

}  // namespace todoku::events::webhooks
