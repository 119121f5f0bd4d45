// SPDX-License-Identifier: Apache-2.0
// Certificates that vouch for themselves: for receivers in demonstrations, development and tests.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/tls.h"

namespace todoku::net {

// A fresh P-256 key and a certificate for `names` (host names or IP addresses, at least one),
// valid from a day before `now` for `days` days. Trusting the certificate itself (as
// TlsClientContext::Options::ca_pem) makes it prove these names.
[[nodiscard]] TlsIdentity make_self_signed(const std::vector<std::string>& names, Instant now,
                                           int days = 365);

}  // namespace todoku::net
