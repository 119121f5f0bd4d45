// SPDX-License-Identifier: Apache-2.0
// Role `inbound`: takes the mail that comes back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/roles/ground.h"
#include "app/roles/role.h"
#include "app/running.h"
#include "async/task_group.h"
#include "inbound/server.h"
#include "net/endpoint.h"
#include "net/server_certificates.h"

namespace todoku::app::roles {

class InboundRole final : public Role {
 public:
  // As inbound::Handler::World has it.
  using ImportReports = std::function<Task<Result<std::size_t>>(std::string octets)>;
  // All of it outlives the role. Errors: certificates that cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<InboundRole>> make(const Ground& ground,
                                                                 ImportReports import_reports);

  [[nodiscard]] std::string_view name() const override { return "inbound"; }
  [[nodiscard]] Result<void> start() override;
  void begin_stop() override { server_.begin_stop(); }
  bool stop(SteadyInstant deadline) override { return running_.stop(deadline); }

  // Where it listens, once it does.
  [[nodiscard]] const std::vector<net::Endpoint>& endpoints() const { return server_.endpoints(); }

 private:
  InboundRole(const Ground& ground, ImportReports import_reports,
              std::unique_ptr<net::ServerCertificates> certificates);
  [[nodiscard]] Task<void> look_at_certificates();
  void look_at_account();

  const Ground& ground_;
  const std::unique_ptr<net::ServerCertificates> certificates_;
  inbound::Server server_;
  Running running_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::app::roles
