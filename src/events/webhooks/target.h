// SPDX-License-Identifier: Apache-2.0
// What is secret about an endpoint, as the store keeps it (store/webhooks.h): its URL, which may
// hold a password, and what its calls are signed with, sealed together under the master key. Pure.
//
//   target = text varint *( text varint zigzag )
//            url; number of secrets, and kForeign more where the form is another service's, so that
//            versions that know none of those read nothing and tell it nothing; each: its text, 1
//            if it ends, milliseconds since the epoch
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret_box.h"
#include "base/wipe.h"
#include "events/webhooks/signature.h"

namespace todoku::events::webhooks {

// Beside the newest, those that it has replaced and that receivers may still know.
inline constexpr std::size_t kSecretsMax = 4;

struct EndpointSecret {
  SigningSecret secret;
  std::optional<Instant> until;  // signs until then; nullopt: the newest
};

struct EndpointTarget {
  SecretText url;
  std::vector<EndpointSecret> secrets;  // the newest first; none: its form has no signature
  bool is_foreign = false;              // its form is another service's

  // Those that sign at `now`, the newest first.
  [[nodiscard]] std::vector<SigningSecret> signing(Instant now) const;
  // Another one signs from now on; what has signed until now goes on for `overlap`, beside it.
  // conflict: so many do already; none that was promised is dropped.
  [[nodiscard]] Result<void> rotate(SigningSecret next, Instant now, Milliseconds overlap);
};

// `name`: the endpoint's. What was sealed for one does not open for another.
[[nodiscard]] std::string seal_target(const SecretBox& box, std::string_view name,
                                      const EndpointTarget& target);
// Errors: those of SecretBox::open(); corrupt.
[[nodiscard]] Result<EndpointTarget> open_target(const SecretBox& box, std::string_view name,
                                                 std::string_view sealed);

}  // namespace todoku::events::webhooks
