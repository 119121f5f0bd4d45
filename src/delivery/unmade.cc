// SPDX-License-Identifier: Apache-2.0
#include "delivery/unmade.h"

#include <utility>

#include <fmt/format.h>

namespace todoku::delivery {

std::optional<Outcome> size_refusal(const LetterMessage& message,
                                    std::span<const InsertCode> insert_codes,
                                    std::uint64_t octets_max, OutgoingMessage& scratch) {
  if (message.is_relayed()) return std::nullopt;
  const std::uint64_t octets = message.octets_of(insert_codes, scratch);
  if (octets <= octets_max) return std::nullopt;
  return policy::outcome_of(
      {.cause = Cause::too_large,
       .words =
           fmt::format("5.3.4 not made: its insert codes make it about {} octets, the limit is {}",
                       octets, octets_max)});
}

policy::Finding unconverted(const LetterMessage& message, const std::string& why_not) {
  // RFC 3463 section 3.7: "conversion required but not supported", and "media not supported" for
  // what no receiver would take.
  if (message.has_long_line()) {
    return {.cause = Cause::long_lines,
            .stage = Stage::mail_from,
            .words =
                "5.6.1 the message has lines of over 998 octets, which have to be encoded, "
                "but it " +
                why_not,
            .permanent = true};
  }
  return {.cause = Cause::no_8bitmime,
          .stage = Stage::mail_from,
          .words =
              "5.6.3 the receiver does not offer 8BITMIME, so the message has to be encoded, "
              "but it " +
              why_not,
          .permanent = true};
}

Task<Result<std::optional<Outcome>>> conversion_refusal(std::shared_ptr<const Letter> letter) {
  const LetterMessage& message = letter->message;
  const auto must_become = message.must_become(mime::WireOctets::eight_bit);
  if (!must_become) co_return std::optional<Outcome>();
  const auto made = co_await message.converted(*must_become);
  if (!made) co_return fail(made.error());
  if (made->message) co_return std::optional<Outcome>();
  co_return std::optional<Outcome>(policy::outcome_of(unconverted(message, made->why_not)));
}

}  // namespace todoku::delivery
