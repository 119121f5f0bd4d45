// SPDX-License-Identifier: Apache-2.0
// The smarthosts and proxies that sources send through, from the configuration.
#pragma once

#include <memory>
#include <optional>

#include "async/file_pool.h"
#include "base/result.h"
#include "config/config.h"
#include "delivery/smarthost.h"
#include "net/egress_proxy.h"

namespace todoku::app {

// nullopt: the source sends by itself. Its password is read for each connection, on a thread of
// `files`, which outlives what is given; nullptr: on the caller's, where no mail is carried.
[[nodiscard]] std::optional<delivery::Smarthost> smarthost_of(const config::Config::Egress& source,
                                                              async::FilePool* files);

// Who connects for the source; nullptr: nobody. Its password likewise.
[[nodiscard]] std::shared_ptr<const net::EgressProxy> proxy_of(const config::Config::Egress& source,
                                                               async::FilePool* files);

// Whether every source that logs in somewhere has a password. Errors: unavailable, naming the key.
[[nodiscard]] Result<void> check_logins(const config::Config& config);

}  // namespace todoku::app
