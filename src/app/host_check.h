// SPDX-License-Identifier: Apache-2.0
// What a configuration needs of the machine it is used on: files that can be read, addresses that
// are ours, ports that are free. A configuration can be right and serve be refused all the same;
// this is the one place that knows, for `serve` and for `config check`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "net/server_certificates.h"
#include "net/tls.h"

namespace todoku::app {

// Each with what to do about it. `ports_are_ours`: an engine of this installation is running, so
// what it listens at is taken by itself. Nothing is said that follows from `unknown` keys.
[[nodiscard]] std::vector<std::string> host_problems(const config::Config& config,
                                                     bool ports_are_ours = false,
                                                     const config::UnknownKeys& unknown = {});

// nullptr: the API speaks HTTP in the clear.
[[nodiscard]] Result<std::shared_ptr<const net::TlsServerContext>> console_tls(
    const config::Config::Console& console);
[[nodiscard]] Result<std::shared_ptr<const net::TlsServerContext>> api_tls(
    const config::Config::Api& api);
// What the SMTP relay shows; one that it makes itself where none is configured.
[[nodiscard]] Result<std::unique_ptr<net::ServerCertificates>> relay_certificates(
    const config::Config& config, Instant now);
[[nodiscard]] Result<std::shared_ptr<net::TlsClientContext>> receivers_tls(
    const config::Config::SmtpOut& smtp);

// The addresses that mail is sent from are this machine's. Errors: not_found, those of the
// operating system's; for all sources in one sentence.
[[nodiscard]] Result<void> check_sources(const config::Config& config);

// That the account of a listener for devices is not there: nobody is served at it until it is.
[[nodiscard]] std::string unknown_account_of(const config::Config::SmtpInListener& listener);
// That the account that forwards mail to people is not there: such mail is put off until it is.
[[nodiscard]] std::string unknown_account_of(const config::Config::Inbound& inbound);

}  // namespace todoku::app
