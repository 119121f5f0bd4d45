// SPDX-License-Identifier: Apache-2.0
// Before an endpoint of the signed form gets events it shows that somebody there wants them: it
// answers a signed call with what the call asks for. Else anybody could have our calls sent to a
// host of somebody else's. Pure but for the randomness.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"

namespace todoku::events::webhooks {

struct Challenge {
  std::string id;     // of the call
  std::string token;  // what is to come back
};

[[nodiscard]] Challenge make_challenge();

// {"type":"endpoint.challenge","timestamp":...,"data":{"challenge":"..."}}
[[nodiscard]] std::string challenge_body(const Challenge& challenge, Instant now);

// The answer is a 2xx whose body is {"challenge":"..."}, or the token alone.
// Errors: unauthorized, in words for the endpoint's owner.
[[nodiscard]] Result<void> check_challenge(const Challenge& challenge,
                                           const http::ClientResponse& answer);

}  // namespace todoku::events::webhooks
