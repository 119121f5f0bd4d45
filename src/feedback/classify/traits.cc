// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/traits.h"

#include <algorithm>
#include <array>

namespace todoku::feedback::classify {
namespace {

using enum Cause;
using Ends = Traits::Ends;
using Next = NextStep;

constexpr bool kNoAttempt = false;

constexpr std::array kTraits = {
    Traits{unclear, Whose::receiver},
    Traits{none, Whose::nobody},

    Traits{mailbox, Whose::recipient},
    Traits{mailbox_full, Whose::recipient},
    Traits{mailbox_disabled, Whose::recipient},
    Traits{mailbox_busy, Whose::recipient, Ends::by_answer, Next::retry_slowly},
    Traits{bad_address, Whose::recipient},
    Traits{moved, Whose::recipient},
    Traits{loop, Whose::recipient},
    Traits{forwarding, Whose::recipient},
    Traits{policy, Whose::receiver},
    Traits{authentication, Whose::setup},
    Traits{dmarc, Whose::setup},
    Traits{spf, Whose::setup},
    Traits{dkim, Whose::setup},
    Traits{reverse_dns, Whose::setup},
    Traits{hello_name, Whose::setup},
    Traits{reputation, Whose::setup},
    Traits{sender_address, Whose::setup},
    Traits{client_auth, Whose::setup},
    Traits{content, Whose::content},
    Traits{form, Whose::content},
    Traits{size, Whose::content},
    Traits{rate, Whose::setup, Ends::by_answer, Next::retry_slowly},
    Traits{unsolicited, Whose::setup, Ends::by_answer, Next::retry_slowly},
    Traits{greylist, Whose::receiver, Ends::temporary, Next::retry_greylisted},
    // RFC 5321 section 4.5.3.1.10: 452, and 552 is to be treated as if it were.
    Traits{too_many_recipients, Whose::receiver, Ends::temporary},
    Traits{relay, Whose::receiver},
    Traits{receiver_trouble, Whose::receiver},
    Traits{no_service, Whose::receiver},
    Traits{protocol, Whose::engine},
    Traits{tls_required, Whose::receiver},
    Traits{tls_switched_off, Whose::setup},

    Traits{unreachable, Whose::network, Ends::temporary},
    Traits{silence, Whose::network, Ends::temporary},
    Traits{connection_lost, Whose::network, Ends::temporary},
    Traits{tls_failed, Whose::receiver, Ends::temporary},
    Traits{no_tls_offered, Whose::receiver, Ends::temporary},
    Traits{dane_failed, Whose::receiver, Ends::temporary},
    Traits{mta_sts, Whose::receiver, Ends::temporary},
    Traits{in_doubt, Whose::network, Ends::temporary},
    Traits{garbled, Whose::receiver, Ends::temporary},
    Traits{garbled_in_doubt, Whose::receiver, Ends::temporary},

    Traits{no_such_domain, Whose::recipient, Ends::permanent, Next::give_up},
    Traits{null_mx, Whose::recipient, Ends::permanent, Next::give_up},
    Traits{points_to_ourselves, Whose::recipient, Ends::permanent, Next::give_up},
    Traits{dns_failed, Whose::network},
    Traits{tlsa_not_answered, Whose::receiver, Ends::temporary},
    Traits{unusable_mx, Whose::receiver},
    Traits{resolver_doubted, Whose::setup, Ends::temporary, Next::soon, kNoAttempt},

    Traits{over_size_limit, Whose::content, Ends::permanent, Next::give_up},
    Traits{no_smtputf8, Whose::receiver, Ends::permanent, Next::give_up},
    Traits{no_8bitmime, Whose::content, Ends::permanent, Next::give_up},
    Traits{long_lines, Whose::content, Ends::permanent, Next::give_up},
    Traits{ipv6_only, Whose::setup},

    Traits{key_missing, Whose::setup, Ends::temporary, Next::look_again, kNoAttempt},
    Traits{content_unreadable, Whose::setup, Ends::temporary, Next::look_again, kNoAttempt},
    Traits{cannot_compose, Whose::engine, Ends::temporary, Next::look_again, kNoAttempt},
    Traits{too_large, Whose::content, Ends::permanent, Next::give_up, kNoAttempt},
    Traits{no_route, Whose::setup},
    Traits{own_shortage, Whose::setup, Ends::temporary, Next::soon, kNoAttempt},
    // An attempt: what fails each time must come to an end.
    Traits{engine_failure, Whose::engine, Ends::temporary},
    Traits{set_aside, Whose::engine, Ends::temporary, Next::wait_for_operator, kNoAttempt},
    Traits{stopping, Whose::nobody, Ends::temporary, Next::soon, kNoAttempt},
    Traits{put_back, Whose::nobody, Ends::temporary, Next::soon, kNoAttempt},
    Traits{smarthost, Whose::setup, Ends::temporary, Next::look_again, kNoAttempt},

    Traits{suppressed, Whose::recipient, Ends::permanent, Next::nothing, kNoAttempt},
    Traits{cancelled, Whose::nobody, Ends::permanent, Next::nothing, kNoAttempt},
    Traits{out_of_time, Whose::nobody, Ends::permanent, Next::nothing, kNoAttempt},
};

// By the number of the cause, or nobody's place: looked up once, for all.
constexpr auto kPlaces = [] {
  std::array<std::uint8_t, 256> places{};
  for (std::size_t i = 0; i < kTraits.size(); ++i) {
    places[static_cast<std::size_t>(kTraits[i].cause)] = static_cast<std::uint8_t>(i);
  }
  return places;
}();

static_assert(std::ranges::all_of(kCauses, [](Cause cause) {
  return kTraits[kPlaces[static_cast<std::size_t>(cause)]].cause == cause;
}));

}  // namespace

const Traits& traits_of(Cause cause) {
  return kTraits[kPlaces[static_cast<std::size_t>(cause)]];
}

}  // namespace todoku::feedback::classify
