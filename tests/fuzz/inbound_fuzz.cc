// SPDX-License-Identifier: Apache-2.0
// Mail that comes in, whatever it holds: what is made of it is a fact that the store takes, it
// names no return path that was not sealed here, and it goes on to people in 7 bits.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "feedback/parse/bounce.h"
#include "inbound/complaint.h"
#include "inbound/forwarding.h"
#include "inbound/leaving.h"
#include "inbound/returned.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  constexpr std::string_view kSecret = "0123456789abcdef";
  static const inbound::InboundOptions options = [] {
    inbound::InboundOptions made;
    made.domains = {"bounce.example.jp"};
    made.forward_to = "ops@example.com";
    return made;
  }();
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto bounce = feedback::parse::read_bounce(octets);
  if (bounce) {
    const inbound::Returned returned = inbound::returned_of(*bounce, "taro@example.jp");
    const bool bounced = returned.kind == inbound::Returned::Kind::bounced;
    check(bounced == (returned.outcome.state == RecipientState::bounced), "its state is its kind");
    if (bounced) {
      check(!returned.outcome.is_attempt, "it is no attempt of ours");
      check(returned.outcome.cause != Cause::none, "it has a cause");
      check(returned.outcome.reply.code >= 400, "it is a refusal");
      check(is_utf8(returned.outcome.reply.text), "what was said is UTF-8");
    }
    check(bounced || !returned.against_address, "only what failed speaks against an address");
  }
  check(!inbound::mail_complained_of(octets, options, kSecret), "nobody guesses a seal");
  static const UnsubscribeTokens tokens(std::array<std::uint8_t, 16>{1});
  check(!inbound::leaver_in(octets, tokens), "nobody guesses who leaves");
  const inbound::Forwarded mail =
      inbound::forwarded_mail(octets, {.client = "192.0.2.7"}, "id", Instant{}, options);
  check(is_ascii(mail.octets), "it is of 7 bits");
  check(is_utf8(mail.subject), "its subject is UTF-8");
  const std::size_t end = mail.octets.find("\r\n\r\n");
  const std::string_view head = std::string_view(mail.octets).substr(0, end);
  check(std::ranges::count(head, '\r') == std::ranges::count(head, '\n'), "its lines are whole");
  return 0;
}
