// SPDX-License-Identifier: Apache-2.0
// What comes to abuse@ and postmaster@ goes on to whoever reads it, whole, in a mail of our own: so
// neither its signature nor its sender is broken by the way it took. It has the subject of what it
// encloses, and an answer to it goes to who wrote that.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "inbound/options.h"
#include "store/store.h"

namespace todoku::inbound {

struct Forwarded {
  std::string from;
  std::string subject;  // UTF-8
  std::string octets;   // of 7 bits
};

struct ForwardedFor {
  std::string_view client;                              // who handed it in
  std::optional<std::string_view> quarantined_as = {};  // a filter's reason, printable
};

// `octets`: the mail; `id`: for the Message-ID and the boundary, unlike any other and not to be
// guessed.
[[nodiscard]] Forwarded forwarded_mail(std::string_view octets, const ForwardedFor& why,
                                       std::string_view id, Instant now,
                                       const InboundOptions& options);

// Whether mail to who reads it is stopped by a suppression list (as a report, which is no
// advertisement). Errors: not_found (there is no such account), of the store.
[[nodiscard]] Result<bool> is_stopped_forward(store::ReadTransaction& reader,
                                              const InboundOptions& options);
// That it is, and what to do.
[[nodiscard]] std::string stopped_forward(std::string_view forward_to, std::string_view account);

}  // namespace todoku::inbound
