// SPDX-License-Identifier: Apache-2.0
#include "dns/unbound_context.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <set>
#include <string>

#include <fmt/format.h>
#include <unbound.h>
#include <unistd.h>

#include "dns/unbound_complaints.h"

namespace todoku::dns {
namespace {

// libunbound answers NXDOMAIN by itself for these zones (RFC 6303, RFC 6761) because in the public
// DNS there is nothing. Behind a configured name server there may well be: an organisation's
// private addresses, a test's zones. localhost., onion. and invalid. stay.
std::vector<std::string> built_in_zones() {
  std::vector<std::string> zones{"test.",
                                 "home.arpa.",
                                 "127.in-addr.arpa.",
                                 "10.in-addr.arpa.",
                                 "168.192.in-addr.arpa.",
                                 "0.in-addr.arpa.",
                                 "254.169.in-addr.arpa.",
                                 "2.0.192.in-addr.arpa.",
                                 "100.51.198.in-addr.arpa.",
                                 "113.0.203.in-addr.arpa.",
                                 "255.255.255.255.in-addr.arpa.",
                                 "d.f.ip6.arpa.",
                                 "8.e.f.ip6.arpa.",
                                 "9.e.f.ip6.arpa.",
                                 "a.e.f.ip6.arpa.",
                                 "b.e.f.ip6.arpa.",
                                 "8.b.d.0.1.0.0.2.ip6.arpa."};
  for (int i = 16; i < 32; ++i) zones.push_back(fmt::format("{}.172.in-addr.arpa.", i));
  for (int i = 64; i < 128; ++i) zones.push_back(fmt::format("{}.100.in-addr.arpa.", i));
  std::string zeros;
  for (int i = 0; i < 31; ++i) zeros += "0.";
  zones.push_back("1." + zeros + "ip6.arpa.");
  zones.push_back("0." + zeros + "ip6.arpa.");
  return zones;
}

// Applies settings until the first error.
class Setter {
 public:
  explicit Setter(ub_ctx* context) : context_(context) {}

  void option(const char* name, const std::string& value) {
    if (result_) note(ub_ctx_set_option(context_, name, value.c_str()), name, value);
  }
  // `call` is ub_ctx_set_fwd and its like.
  void apply(int (*call)(ub_ctx*, const char*), const char* what, const std::string& value) {
    if (result_) note(call(context_, value.c_str()), what, value);
  }
  void file(int (*call)(ub_ctx*, const char*), const char* what, const std::string& path) {
    if (result_ && access(path.c_str(), R_OK) != 0) {
      result_ = fail(ErrorKind::not_found, fmt::format("{} {} cannot be read", what, path));
    }
    apply(call, what, path);
  }
  [[nodiscard]] Result<void> result() const { return result_; }

 private:
  void note(int code, std::string_view what, std::string_view value) {
    if (code == UB_NOERROR) return;
    const ErrorKind kind = code == UB_NOMEM ? ErrorKind::unavailable : ErrorKind::invalid_input;
    result_ =
        fail(kind, fmt::format("libunbound refuses {} {}: {}", what, value, ub_strerror(code)));
  }

  ub_ctx* context_;
  Result<void> result_;
};

void set_limits(Setter& set, const UnboundResolver::Options& options) {
  constexpr std::size_t kSocketsMin = 32;
  // libunbound's own limits are those of a small tool: 16 sockets and 1 MB. Questions that find no
  // socket wait inside it.
  const std::size_t sockets = std::max(options.sockets, kSocketsMin);
  const std::size_t over_tcp = std::clamp<std::size_t>(sockets / 8, 4, 64);
  set.option("outgoing-range:", std::to_string(sockets - over_tcp));
  set.option("outgoing-num-tcp:", std::to_string(over_tcp));
  // Questions beget questions, and those that we gave up live on for a while.
  set.option("num-queries-per-thread:", std::to_string(options.questions_max * 4));
  set.option("msg-cache-size:", std::to_string(options.cache_octets / 3));
  set.option("rrset-cache-size:", std::to_string(options.cache_octets * 2 / 3));
  // A name server that was down is asked again soon, and not only after 15 minutes.
  set.option("infra-host-ttl:", "60");
  set.option("infra-keep-probing:", "yes");
}

void set_servers(Setter& set, const UnboundResolver::Options& options) {
  set.option("do-not-query-localhost:", "no");
  for (const net::Endpoint& server : options.servers) {
    set.apply(&ub_ctx_set_fwd, "the name server",
              fmt::format("{}@{}", server.address.to_string(), server.port));
  }
  if (options.servers.empty() && !options.resolv_conf.empty()) {
    set.file(&ub_ctx_resolvconf, "the list of name servers", options.resolv_conf);
  }
}

void set_trust(Setter& set, const UnboundResolver::Options& options) {
  for (const std::string& file : options.trust_anchor_files) {
    set.file(&ub_ctx_add_ta_file, "the trust anchor file", file);
  }
  for (const std::string& anchor : options.trust_anchors) {
    set.apply(&ub_ctx_add_ta, "the trust anchor", anchor);
  }
}

// libunbound has one log for all contexts, and the end of any of them ends it for the others.
struct Contexts {
  std::mutex mutex;
  std::set<ub_ctx*> all;
};

Contexts& living() {
  static auto* const contexts = new Contexts;  // outlives whatever static holds a context
  return *contexts;
}

}  // namespace

void DeleteUnboundContext::operator()(ub_ctx* context) const {
  Contexts& contexts = living();
  const std::lock_guard lock(contexts.mutex);
  contexts.all.erase(context);
  ub_ctx_delete(context);
  if (!contexts.all.empty()) ub_ctx_debugout(*contexts.all.begin(), unbound_complaints());
}

Result<UnboundContext> make_unbound_context(const UnboundResolver::Options& options) {
  UnboundContext context(ub_ctx_create());
  if (!context) return fail(ErrorKind::unavailable, "libunbound cannot start");
  {
    Contexts& contexts = living();
    const std::lock_guard lock(contexts.mutex);
    contexts.all.insert(context.get());
    // Its complaints are in the answers, but for those about ourselves; the log is ours.
    ub_ctx_debugout(context.get(), unbound_complaints());
  }
  ub_ctx_async(context.get(), 1);
  Setter set(context.get());
  set_limits(set, options);
  set_servers(set, options);
  set_trust(set, options);
  const bool forwards = !options.servers.empty() || !options.resolv_conf.empty();
  // From here on the configuration is final.
  if (forwards) {
    for (const std::string& zone : built_in_zones()) {
      set.apply(&ub_ctx_zone_remove, "removing the zone", zone);
    }
  }
  if (const auto result = set.result(); !result) return fail(result.error());
  return context;
}

}  // namespace todoku::dns
