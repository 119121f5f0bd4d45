// SPDX-License-Identifier: Apache-2.0
// Mail that comes in, whatever it holds: what is made of it is a fact that the store takes, it
// names no return path that was not sealed here, and it goes on to people in 7 bits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "feedback/parse/bounce.h"
#include "inbound/complaint.h"
#include "inbound/forwarding.h"
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
  const inbound::Forwarded mail =
      inbound::forwarded_mail(octets, "192.0.2.7", "id", Instant{}, options);
  check(is_ascii(mail.octets), "it is of 7 bits");
  return 0;
}
