// SPDX-License-Identifier: Apache-2.0
// How the protection of connections fared, as JSON, in the words of RFC 8460.
#pragma once

#include <span>
#include <string>

#include "store/receiver_tls.h"

namespace todoku::api::admin {

[[nodiscard]] std::string tls_report_json(std::span<const store::TlsCount> counts);

}  // namespace todoku::api::admin
