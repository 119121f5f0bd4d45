// SPDX-License-Identifier: Apache-2.0
// The DKIM signatures of one mail against the DNS: what `dkim verify` shows and `dmarc check`
// builds on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>

#include "async/task.h"
#include "base/clock.h"
#include "dns/resolver.h"
#include "mailauth/dkim/verifier.h"

namespace todoku::cli {

// One that was looked at.
struct CheckedSignature {
  mailauth::dkim::SignatureResult result;
  std::vector<std::string> trace;  // how it came about, a line a step; foreign text as it is
};

struct CheckedSignatures {
  std::vector<CheckedSignature> signatures;  // from top to bottom
  std::size_t passed_over = 0;               // below mailauth::dkim::kSignaturesMax
};

// `mail` ends its lines with CRLF and outlives the answer. Keys are looked up all at once.
[[nodiscard]] Task<CheckedSignatures> check_signatures(std::string_view mail,
                                                       dns::Resolver& resolver, Instant now);

// [{"domain", "selector", "result", "reason"}]; with "trace" where it is wanted.
[[nodiscard]] boost::json::array to_json(const CheckedSignatures& checked, bool with_trace);

}  // namespace todoku::cli
