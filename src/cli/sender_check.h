// SPDX-License-Identifier: Apache-2.0
// Whether a host may send mail of a domain, by SPF against the DNS: what `spf check` shows and
// `dmarc check` builds on.
#pragma once

#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "dns/resolver.h"
#include "mailauth/spf/check_host.h"

namespace todoku::cli {

// As users write it.
struct SenderOfMail {
  std::string ip;         // IPv4 or IPv6
  std::string mail_from;  // with or without "<>"; empty: the identity is HELO
  std::string helo;
};

// Errors: invalid_input (no IP address; neither mail_from nor helo).
[[nodiscard]] Task<Result<mailauth::spf::Verdict>> check_sender(SenderOfMail sender,
                                                                dns::Resolver& resolver,
                                                                Instant now);

}  // namespace todoku::cli
