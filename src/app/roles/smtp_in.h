// SPDX-License-Identifier: Apache-2.0
// Role `smtp-in`: takes mail of programs that speak SMTP.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/login_guard.h"
#include "app/roles/door.h"
#include "app/roles/ground.h"
#include "app/roles/role.h"
#include "app/running.h"
#include "async/task_group.h"
#include "net/endpoint.h"
#include "net/server_certificates.h"
#include "operate/operations.h"
#include "relay/server.h"

namespace todoku::app::roles {

class SmtpInRole final : public Role {
 public:
  // All of them outlive the role. Errors: certificates that cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<SmtpInRole>> make(const Ground& ground, Door& door,
                                                                relay::CredentialWatch& watch);

  [[nodiscard]] std::string_view name() const override { return "smtp-in"; }
  [[nodiscard]] Result<void> start() override;
  void begin_stop() override { server_.begin_stop(); }
  bool stop(SteadyInstant deadline) override { return running_.stop(deadline); }
  [[nodiscard]] operate::Lockouts* lockouts() override { return &lockouts_; }

  // Where it listens, once it does.
  [[nodiscard]] std::vector<net::Endpoint> endpoints() const { return server_.endpoints(); }

 private:
  SmtpInRole(const Ground& ground, Door& door, relay::CredentialWatch& watch,
             std::unique_ptr<net::ServerCertificates> certificates);
  [[nodiscard]] Task<void> look_at_certificates();
  void look_at_accounts();

  class RelayLockouts final : public operate::Lockouts {
   public:
    RelayLockouts(access::LoginGuard& guard, const Clock& clock) : guard_(guard), clock_(clock) {}
    [[nodiscard]] std::vector<operate::Lockout> list() override;
    [[nodiscard]] std::int64_t unlock(const std::string& name_or_network) override;

   private:
    access::LoginGuard& guard_;
    const Clock& clock_;
  };

  const Ground& ground_;
  Door& door_;
  const std::unique_ptr<net::ServerCertificates> certificates_;
  relay::Server server_;
  RelayLockouts lockouts_;
  Running running_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::app::roles
