// SPDX-License-Identifier: Apache-2.0
// Who sends, by the configuration, as the records of a domain name it.
#pragma once

#include "config/config.h"
#include "doctor/domain_records.h"

namespace todoku::app {

// A private bind address without a public one is that of an unknown source: what receivers see is
// not in the configuration.
[[nodiscard]] doctor::Platform sending_platform(const config::Config& config);

// Domains are checked on a schedule. A sandbox asks nothing by itself.
[[nodiscard]] bool checks_domains(const config::Config& config);

}  // namespace todoku::app
