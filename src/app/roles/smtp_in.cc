// SPDX-License-Identifier: Apache-2.0
#include "app/roles/smtp_in.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "app/host_check.h"
#include "app/module_options.h"
#include "async/run_blocking.h"
#include "async/timer.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "net/network.h"

namespace todoku::app::roles {
namespace {

using namespace std::chrono_literals;

// A certificate that was renewed is used that much later at most.
constexpr Milliseconds kCertificatesLookedAt = 60s;
constexpr std::size_t kLockoutsShown = 1'000;

// The same on all nodes, and for good (smtp/protocol/sasl_server.h).
std::string decoy_key(const InstanceSecret& secret) {
  return std::string(as_text(hmac_sha256(as_text(secret), "smtp-in decoys")));
}

Task<Result<ChangeWatch::Take>> forget_logins(relay::Server& server) {
  co_return ChangeWatch::Take([&server]() -> Result<void> {
    server.credentials_changed();
    return {};
  });
}

}  // namespace

Result<std::unique_ptr<SmtpInRole>> SmtpInRole::make(const Ground& ground, Door& door,
                                                     relay::CredentialWatch& watch) {
  auto certificates = relay_certificates(ground.config, ground.clock.now());
  if (!certificates) return fail(std::move(certificates.error()));
  return std::unique_ptr<SmtpInRole>(new SmtpInRole(ground, door, watch, std::move(*certificates)));
}

SmtpInRole::SmtpInRole(const Ground& ground, Door& door, relay::CredentialWatch& watch,
                       std::unique_ptr<net::ServerCertificates> certificates)
    : ground_(ground),
      door_(door),
      certificates_(std::move(certificates)),
      server_({.runtime = ground.runtime,
               .store = ground.store,
               .intake = door.intake(),
               .pool = ground.file_pool,
               .certificates = certificates_.get(),
               .clock = ground.clock,
               .metrics = ground.metrics,
               .node = [&node = ground.node] { return node.key(); },
               .decoy_key = decoy_key(ground.secret),
               .watch = &watch},
              relay_options(ground.config, ground.files.relay)),
      lockouts_(server_.guard(), ground.clock),
      tasks_(ground.runtime.executor(0)) {
  for (const store::Topic topic : {store::Topic::accounts, store::Topic::smtp_credentials}) {
    ground.changes.follow(topic, [this] { return forget_logins(server_); });
  }
}

std::vector<operate::Lockout> SmtpInRole::RelayLockouts::list() {
  const SteadyInstant steady = clock_.steady_now();
  const Instant now = clock_.now();
  const auto instant_of = [&](SteadyInstant then) {
    return now + std::chrono::duration_cast<Instant::duration>(then - steady);
  };
  std::vector<operate::Lockout> lockouts;
  for (const access::LoginGuard::Lockout& each : guard_.lockouts(steady, kLockoutsShown)) {
    lockouts.push_back({.network = each.network.to_string(),
                        .name = each.name,
                        .since = instant_of(each.since),
                        .until = instant_of(each.until),
                        .failures = each.failures});
  }
  return lockouts;
}

std::int64_t SmtpInRole::RelayLockouts::unlock(const std::string& name_or_network) {
  const SteadyInstant now = clock_.steady_now();
  std::size_t ended = guard_.unlock(std::string_view(name_or_network), now);
  if (const auto network = net::Network::parse(name_or_network)) {
    ended += guard_.unlock(*network, now);
  }
  return static_cast<std::int64_t>(ended);
}

Task<void> SmtpInRole::look_at_certificates() {
  for (;;) {
    const bool waited = co_await async::sleep_for(kCertificatesLookedAt);
    if (!waited) co_return;
    const auto looked = co_await ground_.file_pool.run(
        {}, [this]() -> Result<bool> { return certificates_->look_again(ground_.clock.now()); });
    if (!looked) {
      log::debug("certificates are looked at later", {{"reason", looked.error().detail}});
    }
  }
}

// The engine serves all the same: the account may be added while it runs.
void SmtpInRole::look_at_accounts() {
  for (const auto& listener : config::smtp_in_listeners(ground_.config)) {
    if (listener.account.empty()) continue;
    const auto found = ground_.store.read_and_wait(
        [&](store::ReadTransaction& reader) { return reader.account_by_name(listener.account); });
    if (found || found.error().kind != ErrorKind::not_found) continue;
    log::warning("a listener serves nobody", {{"reason", unknown_account_of(listener)}});
  }
}

Result<void> SmtpInRole::start() {
  if (auto open = door_.start(); !open) return open;
  look_at_accounts();
  running_.add([this](SteadyInstant deadline) { return server_.stop(deadline); });
  if (auto listening = server_.start(); !listening) return listening;
  for (const std::string& at : server_.places()) {
    log::info("SMTP relay listens", {{"at", at}});
  }
  boost::asio::post(ground_.runtime.executor(0),
                    [this] { tasks_.spawn("certificates", look_at_certificates()); });
  running_.add([this](SteadyInstant) {
    ground_.wait_for(tasks_.stop());
    return true;
  });
  return {};
}

}  // namespace todoku::app::roles
