// SPDX-License-Identifier: Apache-2.0
// The resolver of the commands that judge mail (cli/mail_checks.h), with a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "async/runtime.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "cli/check_resolver.h"
#include "dns/unbound_resolver.h"

namespace todoku::app {

class CheckNames final : public cli::CheckResolver {
 public:
  // `server` is "HOST:PORT"; empty: what /etc/resolv.conf names. `clock` must outlive it. Errors:
  // invalid_input, not_found (no such host, no /etc/resolv.conf), unavailable.
  [[nodiscard]] static Result<std::unique_ptr<CheckNames>> make(const std::string& server,
                                                                const Clock& clock);
  // The servers and trust anchors of `options`, with the patience and the sockets of such commands.
  [[nodiscard]] static Result<std::unique_ptr<CheckNames>> make_for_people(
      dns::UnboundResolver::Options options, const Clock& clock);
  // As an installation asks.
  [[nodiscard]] static Result<std::unique_ptr<CheckNames>> make(
      dns::UnboundResolver::Options options, const Clock& clock);
  ~CheckNames() override;
  CheckNames(const CheckNames&) = delete;
  CheckNames& operator=(const CheckNames&) = delete;

  [[nodiscard]] dns::Resolver& resolver() override { return *resolver_; }
  [[nodiscard]] Task<Result<dns::Answer<std::string>>> name_servers(std::string zone) override {
    return resolver_->ns(std::move(zone));
  }
  [[nodiscard]] async::Executor executor() override { return runtime_.executor(0); }

 private:
  CheckNames() { runtime_.start(); }

  Metrics metrics_;
  async::Runtime runtime_{1};
  std::unique_ptr<dns::UnboundResolver> resolver_;
};

// What `--resolver` names: "192.0.2.1:53", "ns.example.jp". Errors: invalid_input, not_found.
[[nodiscard]] Result<net::Endpoint> name_server_at(const std::string& text);

}  // namespace todoku::app
