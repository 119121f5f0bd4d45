// SPDX-License-Identifier: Apache-2.0
// The DNS by libunbound: a caching, validating resolver inside our process.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "dns/resolver.h"
#include "net/endpoint.h"

namespace todoku::dns {

class UnboundResolver final : public Resolver {
 public:
  struct Options {
    // Name servers to ask, all alike: usually the organisation's caching resolvers, in tests an
    // authoritative one. Empty: those in `resolv_conf`.
    std::vector<net::Endpoint> servers;
    // Empty as well: walk down from the root ourselves.
    std::string resolv_conf = "/etc/resolv.conf";
    // Files and lines (zone file format, DS or DNSKEY) of trust anchors. Without any, nothing is
    // validated and no answer is `secure`.
    std::vector<std::string> trust_anchor_files;
    std::vector<std::string> trust_anchors;
    Milliseconds timeout{std::chrono::seconds(15)};  // of one question, with all its attempts
    std::size_t questions_max = 2'000;               // under way; more wait in line
    std::size_t waiting_max = 50'000;                // in line; more are refused (unavailable)
    std::size_t cache_octets = 32 << 20;
    std::size_t sockets = 4'096;  // that may be open to the servers; at least 32
  };

  // Answers are taken from libunbound on `executor`'s thread. `executor`'s context, `clock` and
  // `metrics` must outlive the resolver. Errors: invalid_input (an option that libunbound refuses),
  // not_found (a file that cannot be read), unavailable (out of memory).
  [[nodiscard]] static Result<std::unique_ptr<UnboundResolver>> create(Options options,
                                                                       async::Executor executor,
                                                                       const Clock& clock,
                                                                       Metrics& metrics);
  // stop() comes before, if anything was ever asked.
  ~UnboundResolver() override;
  UnboundResolver(const UnboundResolver&) = delete;
  UnboundResolver& operator=(const UnboundResolver&) = delete;

  Task<Result<Answer<MxRecord>>> mx(std::string name) override;
  Task<Result<Answer<net::IpAddress>>> a(std::string name) override;
  Task<Result<Answer<net::IpAddress>>> aaaa(std::string name) override;
  Task<Result<Answer<std::string>>> txt(std::string name) override;
  Task<Result<Answer<std::string>>> ptr(net::IpAddress address) override;
  Task<Result<Answer<TlsaRecord>>> tlsa(std::string name) override;
  Task<Result<Answer<std::string>>> cname(std::string name) override;

  // The name servers of a zone: of use to those only who doubt the resolver itself.
  Task<Result<Answer<std::string>>> ns(std::string name);

  // Forgets every answer: what was learnt from a resolver that lied. Open questions are asked anew.
  void forget_answers();

  // Every open question ends with `cancelled`, and so does every later one.
  Task<void> stop();

 private:
  class Core;
  explicit UnboundResolver(std::shared_ptr<Core> core);

  std::shared_ptr<Core> core_;
};

}  // namespace todoku::dns
