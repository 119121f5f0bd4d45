// SPDX-License-Identifier: Apache-2.0
// One look at a domain's MTA-STS record.
#pragma once

#include <string>

#include "async/task.h"
#include "dns/resolver.h"
#include "mailauth/mta_sts/knowledge.h"

namespace todoku::sts {

// Asks for TXT at "_mta-sts.<domain>". `domain`: A-labels. The resolver outlives the task.
[[nodiscard]] Task<mailauth::mta_sts::Look> look_at(dns::Resolver& resolver, std::string domain);

}  // namespace todoku::sts
