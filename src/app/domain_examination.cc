// SPDX-License-Identifier: Apache-2.0
#include "app/domain_examination.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "app/module_options.h"
#include "cli/check_resolver.h"
#include "cli/domain_probe.h"
#include "dns/resolver_check.h"

namespace todoku::app {
namespace {

class EngineNames final : public cli::CheckResolver {
 public:
  EngineNames(ProofNames& names, async::Executor executor) : names_(names), executor_(executor) {}
  [[nodiscard]] dns::Resolver& resolver() override { return names_.resolver(); }
  [[nodiscard]] Task<Result<dns::Answer<std::string>>> name_servers(std::string zone) override {
    return names_.resolver().ns(std::move(zone));
  }
  [[nodiscard]] async::Executor executor() override { return executor_; }

 private:
  ProofNames& names_;
  async::Executor executor_;
};

// The resolver before and after: what it said in between can be believed if it is honest at both.
Task<Result<DomainDoctor::Examined>> examine(const config::Config& config, ProofNames& names,
                                             const Clock& clock, doctor::DomainWish wish) {
  EngineNames asked(names, co_await boost::asio::this_coro::executor);
  const dns::ResolverCheckOptions check = resolver_check_options(config, hello_name(config));
  const auto is_believed = [&check, &clock] { return dns::check_resolver(check, clock); };
  constexpr auto kPassed = dns::CheckFinding::Result::passed;
  const auto port = static_cast<std::uint16_t>(config.doctor.domain_server_port);
  const dns::CheckFinding before = co_await is_believed();
  if (before.result != kPassed) co_return fail(ErrorKind::unavailable, before.problem);
  // What somebody else asked for an hour ago is no answer of now.
  names.resolver().forget_answers();
  auto probed = co_await cli::probe_domain(wish, {}, port, asked);
  const dns::CheckFinding after = co_await is_believed();
  if (after.result != kPassed) co_return fail(ErrorKind::unavailable, after.problem);
  DomainDoctor::Examined examined{.findings = std::move(probed.findings), .records = {}};
  if (!probed.is_known) co_return examined;
  auto records = doctor::wanted_records(wish, probed.now);
  // Of an SPF record that cannot be merged there is a finding.
  if (records) examined.records = std::move(*records);
  co_return examined;
}

}  // namespace

DomainDoctor::Examine domain_examiner(const config::Config& config, ProofNames& names,
                                      const Clock& clock) {
  return [&config, &names, &clock](doctor::DomainWish wish) {
    return examine(config, names, clock, std::move(wish));
  };
}

}  // namespace todoku::app
