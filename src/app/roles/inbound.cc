// SPDX-License-Identifier: Apache-2.0
#include "app/roles/inbound.h"

#include <cstddef>
#include <span>
#include <utility>

#include <boost/asio/post.hpp>

#include "app/host_check.h"
#include "app/module_options.h"
#include "async/timer.h"
#include "base/bytes.h"
#include "base/log.h"
#include "dns/mail_route.h"
#include "inbound/forwarding.h"

namespace todoku::app::roles {
namespace {

// A certificate that was renewed is used that much later at most.
constexpr Milliseconds kInboundCertificatesLookedAt = std::chrono::seconds(60);

std::string site_behind(const delivery::policy::SiteRules& rules, std::string_view domain,
                        std::string_view host) {
  const auto hosts = std::span(&host, host.empty() ? std::size_t{0} : std::size_t{1});
  const auto* const named = rules.find(domain, hosts);
  return named == nullptr ? std::string() : named->name;
}

}  // namespace

Result<std::unique_ptr<InboundRole>> InboundRole::make(const Ground& ground,
                                                       ImportReports import_reports) {
  auto certificates = relay_certificates(ground.config, ground.clock.now());
  if (!certificates) return fail(std::move(certificates.error()));
  return std::unique_ptr<InboundRole>(
      new InboundRole(ground, std::move(import_reports), std::move(*certificates)));
}

InboundRole::InboundRole(const Ground& ground, ImportReports import_reports,
                         std::unique_ptr<net::ServerCertificates> certificates)
    : ground_(ground),
      certificates_(std::move(certificates)),
      server_(
          {.runtime = ground.runtime,
           .certificates = *certificates_,
           .clock = ground.clock,
           .metrics = ground.metrics,
           .handling = {.store = ground.store,
                        .pool = ground.file_pool,
                        .clock = ground.clock,
                        .metrics = ground.metrics,
                        .secret = std::string(as_text(ground.secret)),
                        .unsubscribes = std::make_shared<const UnsubscribeTokens>(ground.secret),
                        .sites = {.by_rule =
                                      [&rules = ground.rules](std::string_view domain,
                                                              std::string_view host) {
                                        return site_behind(rules, domain, host);
                                      },
                                  .has_host = dns::names_host},
                        .import_reports = std::move(import_reports)}},
          inbound_options(ground.config)),
      tasks_(ground.runtime.executor(0)) {}

Task<void> InboundRole::look_at_certificates() {
  for (;;) {
    const bool waited = co_await async::sleep_for(kInboundCertificatesLookedAt);
    if (!waited) co_return;
    const auto looked = co_await ground_.file_pool.run(
        {}, [this]() -> Result<bool> { return certificates_->look_again(ground_.clock.now()); });
    if (!looked) {
      log::debug("certificates are looked at later", {{"reason", looked.error().detail}});
    }
  }
}

// As a listener's account: it may be added while the engine runs, as may what stops its mail.
void InboundRole::look_at_account() {
  const std::string& account = ground_.config.inbound.forward_account;
  if (account.empty()) return;
  const auto stopped = ground_.store.read_and_wait([&](store::ReadTransaction& reader) {
    return inbound::is_stopped_forward(reader, inbound_options(ground_.config));
  });
  const bool is_unknown = !stopped && stopped.error().kind == ErrorKind::not_found;
  if (!is_unknown && !stopped.value_or(false)) return;
  log::warning("mail to abuse@ and postmaster@ is put off",
               {{"reason", is_unknown ? unknown_account_of(ground_.config.inbound)
                                      : inbound::stopped_forward(ground_.config.inbound.forward_to,
                                                                 account)}});
}

Result<void> InboundRole::start() {
  look_at_account();
  running_.add([this](SteadyInstant deadline) { return server_.stop(deadline); });
  if (auto listening = server_.start(); !listening) return listening;
  for (const net::Endpoint& at : server_.endpoints()) {
    log::info("inbound mail is taken", {{"at", at.to_string()}});
  }
  boost::asio::post(ground_.runtime.executor(0),
                    [this] { tasks_.spawn("inbound certificates", look_at_certificates()); });
  running_.add([this](SteadyInstant) {
    ground_.wait_for(tasks_.stop());
    return true;
  });
  return {};
}

}  // namespace todoku::app::roles
