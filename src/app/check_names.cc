// SPDX-License-Identifier: Apache-2.0
#include "app/check_names.h"

#include <utility>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "async/run_blocking.h"
#include "net/endpoint.h"

namespace todoku::app {
namespace {

// A person waits for it, or a test that has servers which never answer.
constexpr Milliseconds kQuestion = std::chrono::seconds(10);
constexpr std::size_t kCheckSockets = 512;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// By the system: whoever names the server by its name has one for that.
Result<net::IpAddress> address_of_host(const std::string& host) {
  const addrinfo hints{.ai_flags = 0,
                       .ai_family = AF_UNSPEC,
                       .ai_socktype = SOCK_DGRAM,
                       .ai_protocol = 0,
                       .ai_addrlen = 0,
                       .ai_addr = nullptr,
                       .ai_canonname = nullptr,
                       .ai_next = nullptr};
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0) {
    return fail(ErrorKind::not_found, fmt::format("{}: {}", host, ::gai_strerror(code)));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  std::array<char, NI_MAXHOST> text{};
  if (::getnameinfo(list->ai_addr, list->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
    return fail(ErrorKind::not_found, fmt::format("{} has no address", host));
  }
  return net::IpAddress::parse(text.data());
}

}  // namespace

// "192.0.2.1:53", "[2001:db8::1]:53", "ns.example.jp:53"; the port is 53 where it is left out.
Result<net::Endpoint> name_server_at(const std::string& text) {
  constexpr std::uint16_t kDomain = 53;
  auto endpoint = net::Endpoint::parse(text, kDomain);
  if (endpoint) return endpoint;
  const std::size_t colon = text.rfind(':');
  const std::string host = text.substr(0, colon);
  // What has the digits of an address, or brackets, is a wrong one and no name.
  if (host.empty() || host.find_first_not_of("0123456789.") == std::string::npos ||
      host.find_first_of(":[]") != std::string::npos) {
    return endpoint;
  }
  const std::string port = colon == std::string::npos ? "" : text.substr(colon);
  endpoint = net::Endpoint::parse("0.0.0.0" + port, kDomain);
  if (!endpoint) return endpoint;
  const auto address = address_of_host(host);
  if (!address) return fail(address.error());
  endpoint->address = *address;
  return endpoint;
}

Result<std::unique_ptr<CheckNames>> CheckNames::make(const std::string& server,
                                                     const Clock& clock) {
  dns::UnboundResolver::Options options;
  if (!server.empty()) {
    const auto endpoint = name_server_at(server);
    if (!endpoint) return fail("--resolver", endpoint.error());
    options.servers.push_back(*endpoint);
  }
  return make_for_people(std::move(options), clock);
}

Result<std::unique_ptr<CheckNames>> CheckNames::make_for_people(
    dns::UnboundResolver::Options options, const Clock& clock) {
  options.timeout = kQuestion;
  options.sockets = kCheckSockets;
  return make(std::move(options), clock);
}

Result<std::unique_ptr<CheckNames>> CheckNames::make(dns::UnboundResolver::Options options,
                                                     const Clock& clock) {
  std::unique_ptr<CheckNames> names(new CheckNames);
  auto resolver =
      dns::UnboundResolver::create(std::move(options), names->executor(), clock, names->metrics_);
  if (!resolver) return fail("the DNS resolver", std::move(resolver.error()));
  names->resolver_ = std::move(*resolver);
  return names;
}

CheckNames::~CheckNames() {
  if (resolver_ == nullptr) return;
  async::run_blocking(executor(), resolver_->stop());
}

}  // namespace todoku::app
