// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mailauth/facts/dns_facts.h"

namespace todoku::doctor {

// RFC 7505 section 3: one record, whose host is the root, says that the domain takes no mail.
[[nodiscard]] inline bool is_null_mx(const mailauth::DnsFact& mx) {
  return mx.status == mailauth::DnsFact::Status::found && mx.values.size() == 1 &&
         mx.values.front().empty();
}

}  // namespace todoku::doctor
