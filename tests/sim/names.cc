// SPDX-License-Identifier: Apache-2.0
#include "sim/names.h"

#include <utility>

#include "async/timer.h"

namespace todoku::sim {
namespace {

std::unexpected<Error> no_answer(const std::string& name) {
  return fail(ErrorKind::unavailable, name + ": SERVFAIL");
}

}  // namespace

Names::Names(dns::FakeResolver::Zone zone, const std::vector<DnsScript>& scripts,
             const SimClock& clock)
    : zone_(std::move(zone)), clock_(clock) {
  for (const DnsScript& script : scripts) scripts_[script.domain] = script;
}

Task<bool> Names::reach(std::string name) {
  const auto found = scripts_.find(name);
  if (found == scripts_.end()) co_return true;
  const DnsScript script = found->second;
  const bool awake = co_await async::sleep_for(script.latency);
  const Microseconds now = clock_.elapsed();
  co_return awake && (now < script.fails_from || now >= script.fails_until);
}

Task<Result<dns::Answer<dns::MxRecord>>> Names::mx(std::string name) {
  const bool reached = co_await reach(name);
  if (!reached) co_return no_answer(name);
  co_return co_await zone_.mx(std::move(name));
}

Task<Result<dns::Answer<net::IpAddress>>> Names::a(std::string name) {
  const bool reached = co_await reach(name);
  if (!reached) co_return no_answer(name);
  co_return co_await zone_.a(std::move(name));
}

Task<Result<dns::Answer<net::IpAddress>>> Names::aaaa(std::string name) {
  const bool reached = co_await reach(name);
  if (!reached) co_return no_answer(name);
  co_return co_await zone_.aaaa(std::move(name));
}

Task<Result<dns::Answer<std::string>>> Names::txt(std::string name) {
  co_return co_await zone_.txt(std::move(name));
}

Task<Result<dns::Answer<std::string>>> Names::ptr(net::IpAddress address) {
  co_return co_await zone_.ptr(address);
}

Task<Result<dns::Answer<dns::TlsaRecord>>> Names::tlsa(std::string name) {
  co_return co_await zone_.tlsa(std::move(name));
}

Task<Result<dns::Answer<std::string>>> Names::cname(std::string name) {
  co_return co_await zone_.cname(std::move(name));
}

}  // namespace todoku::sim
