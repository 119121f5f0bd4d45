// SPDX-License-Identifier: Apache-2.0
// One connection to the smarthost of a source, without a mail.
#pragma once

#include <memory>

#include "async/task.h"
#include "base/clock.h"
#include "delivery/options.h"
#include "dns/resolver.h"
#include "doctor/smarthost.h"
#include "net/tls.h"

namespace todoku::app {

// All of it outlives the task. `source` has a smarthost. Half a minute at most for each of two
// addresses.
[[nodiscard]] Task<doctor::SmarthostTry> try_smarthost(
    delivery::EgressSource source, dns::Resolver& resolver,
    std::shared_ptr<const net::TlsClientContext> tls, const Clock& clock);

}  // namespace todoku::app
