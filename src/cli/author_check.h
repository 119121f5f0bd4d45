// SPDX-License-Identifier: Apache-2.0
// Whether a mail is by whom its From names, by DMARC on what SPF and DKIM say: what `dmarc check`
// shows.
#pragma once

#include <string_view>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "cli/dkim_check.h"
#include "cli/sender_check.h"
#include "dns/resolver.h"
#include "mailauth/dmarc/evaluation.h"

namespace todoku::cli {

struct CheckedAuthor {
  mailauth::spf::Verdict spf;  // none of a sender without a name
  CheckedSignatures dkim;
  mailauth::dmarc::Verdict verdict;
};

// `mail` ends its lines with CRLF and outlives the answer. Errors: invalid_input (no IP address).
[[nodiscard]] Task<Result<CheckedAuthor>> check_author(SenderOfMail sender, std::string_view mail,
                                                       dns::Resolver& resolver, Instant now);

}  // namespace todoku::cli
