// SPDX-License-Identifier: Apache-2.0
// What comes to abuse@ and postmaster@ goes on to whoever reads it, whole and unchanged, in a mail
// of our own: so neither its signature nor its sender is broken by the way it took.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "inbound/options.h"

namespace todoku::inbound {

struct Forwarded {
  std::string from;
  std::string subject;
  std::string octets;  // of 7 bits
};

// `octets`: the mail; `client`: who handed it in; `id`: for the Message-ID, unlike any other.
[[nodiscard]] Forwarded forwarded_mail(std::string_view octets, std::string_view client,
                                       std::string_view id, Instant now,
                                       const InboundOptions& options);

}  // namespace todoku::inbound
