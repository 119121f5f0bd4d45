// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mailauth/dkim/key_record.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::doctor {

// What the DNS said of the place of a public key, as the verifier of signatures is told it.
[[nodiscard]] mailauth::dkim::KeyAnswer key_answer_of(const mailauth::DnsFact& fact);

}  // namespace todoku::doctor
