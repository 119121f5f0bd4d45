// SPDX-License-Identifier: Apache-2.0
// What the keys of the SMTP relay say together: mistakes, and dangers that the operator has to know
// of. No configuration passes without such a warning and is an open relay.
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "config/config.h"
#include "config/table.h"
#include "net/endpoint.h"
#include "net/network.h"

namespace todoku::config {
namespace {

using Listener = Config::SmtpInListener;

bool is_for_devices(const Listener& listener) {
  return listener.auth == "networks";
}

bool is_private(const net::IpAddress& address) {
  switch (address.scope()) {
    case net::AddressScope::loopback:
    case net::AddressScope::private_use:
    case net::AddressScope::link_local:
      return true;
    case net::AddressScope::global:
    case net::AddressScope::multicast:
    case net::AddressScope::reserved:
      return false;
  }
  return false;
}

// Private ranges are whole prefixes, so a network with one end outside them is not inside one.
bool is_private(std::string_view text) {
  const auto network = net::Network::parse(text);
  return network && is_private(network->prefix()) && is_private(network->last());
}

std::vector<std::string> not_private(const std::vector<std::string>& networks) {
  std::vector<std::string> found;
  for (const std::string& network : networks) {
    if (!is_private(network)) found.push_back(network);
  }
  return found;
}

// "smtp_in.listener "0.0.0.0:25": what is said of it"
ConfigProblem about(const Listener& listener, std::string_view message) {
  return {"", fmt::format("smtp_in.listener {}: {}", to_toml(listener.address), message)};
}

std::string listed(const std::vector<std::string>& networks) {
  return to_toml(networks);
}

template <class Report>
void check_login(const Listener& listener, const Report& report) {
  if (!listener.networks.empty() || !listener.account.empty() || !listener.from_domain.empty()) {
    report("networks, account and from_domain belong to auth = \"networks\"");
  }
  if (listener.old_tls) report("old_tls is for devices: it belongs to auth = \"networks\"");
  if (listener.tls == "none" && !listener.auth_in_clear) {
    report("nobody can log in: tls is \"none\", and auth_in_clear is false");
  }
}

template <class Report>
void check_devices(const Listener& listener, const Report& report) {
  if (listener.networks.empty() || listener.account.empty() || listener.from_domain.empty()) {
    report("auth = \"networks\" needs networks, account and from_domain");
  }
  if (listener.auth_in_clear) report("nobody logs in where auth is \"networks\": no auth_in_clear");
}

std::vector<Listener> usual_listeners() {
  std::vector<Listener> usual;
  for (const std::uint16_t port : {kSubmissionPort, kSubmissionsPort, kAlternativeSubmissionPort}) {
    for (const net::IpAddress& all : {net::IpAddress::v4({}), net::IpAddress::v6({})}) {
      usual.push_back({.address = net::Endpoint{all, port}.to_string(),
                       .tls = port == kSubmissionsPort ? "implicit" : "starttls"});
    }
  }
  return usual;
}

}  // namespace

std::vector<Config::SmtpInListener> smtp_in_listeners(const Config& config) {
  if (!config.smtp_in.enabled) return {};
  return config.smtp_in_configured.empty() ? usual_listeners() : config.smtp_in_configured;
}

bool smtp_in_listens(const Config& config) {
  return config.smtp_in.enabled || !config.smtp_in.socket.empty();
}

void check_smtp_in(const Config& config, std::vector<ConfigProblem>& problems) {
  std::set<net::Endpoint> places;
  for (const Listener& listener : config.smtp_in_configured) {
    const auto report = [&](std::string_view message) {
      problems.push_back(about(listener, message));
    };
    const auto place = net::Endpoint::parse(listener.address);
    if (place && place->port != 0 && !places.insert(*place).second) report("is there twice");
    is_for_devices(listener) ? check_devices(listener, report) : check_login(listener, report);
    if (listener.proxy_protocol == listener.proxy_networks.empty()) {
      report("proxy_protocol and proxy_networks need one another");
    }
  }
}

void warn_of_smtp_in(const Config& config, std::vector<ConfigProblem>& warnings) {
  if (!config.smtp_in.enabled && !config.smtp_in_configured.empty()) {
    warnings.push_back({"", "smtp_in.enabled is false: no smtp_in.listener is opened"});
  }
  for (const Listener& listener : config.smtp_in_configured) {
    const auto warn = [&](std::string_view message) {
      warnings.push_back(about(listener, message));
    };
    const auto place = net::Endpoint::parse(listener.address);
    const bool crosses_a_network = !place || !place->address.is_loopback();
    if (listener.auth_in_clear && listener.tls != "implicit" && crosses_a_network) {
      warn("PASSWORDS MAY CROSS THE NETWORK IN CLEAR (auth_in_clear)");
    }
    const auto open = not_private(listener.networks);
    if (is_for_devices(listener) && !open.empty()) {
      warn(
          fmt::format("AN OPEN RELAY: ANYBODY IN THE PUBLIC NETWORKS {} CAN SEND MAIL AS {} "
                      "WITHOUT A PASSWORD",
                      listed(open), to_toml(listener.from_domain)));
    }
    const auto liars = not_private(listener.proxy_networks);
    if (!liars.empty()) {
      warn(fmt::format("ANYBODY IN THE PUBLIC NETWORKS {} CAN CLAIM ANY ADDRESS{} (proxy_networks)",
                       listed(liars),
                       is_for_devices(listener) ? ", AND SEND MAIL AS A DEVICE" : ""));
    }
  }
}

}  // namespace todoku::config
