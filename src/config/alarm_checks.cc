// SPDX-License-Identifier: Apache-2.0
// What the keys about alarms say together.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "config/config.h"
#include "config/smarthost_url.h"
#include "config/table.h"
#include "mail/address.h"
#include "net/endpoint.h"

namespace todoku::config {
namespace {

constexpr std::size_t kAlarmsToldMax = 20;

template <class Add>
void check_login(const Config::Alarms& alarms, const Add& add) {
  const bool has_password =
      !alarms.via_password_file.empty() || !alarms.via_password_variable.empty();
  if (alarms.via_user.empty() == has_password) {
    add("alarms.via_user needs via_password_file or via_password_variable, and they need it");
  }
  if (!alarms.via_password_file.empty() && !alarms.via_password_variable.empty()) {
    add("alarms: via_password_file and via_password_variable each give the password: keep one");
  }
  if (alarms.via_tls == "none" && !alarms.via_user.empty()) {
    add("alarms: a password does not go in clear text: via_tls is \"none\"");
  }
}

// As somebody on this host would write it.
bool is_this_host(const Config& config, const SmarthostUrl& via) {
  if (via.host == "localhost" || via.host.ends_with(".localhost")) return true;
  const auto address = net::IpAddress::parse(via.host);
  if (address && address->scope() == net::AddressScope::loopback) return true;
  const auto is_named = [&](const std::string& name) {
    const auto ascii = to_ascii_domain(name);
    return ascii && *ascii == via.host;
  };
  if (is_named(config.smtp_in.hostname) || is_named(config.smtp_out.hello_name)) return true;
  const auto is_at = [&](const std::string& ours) {
    const auto own = net::IpAddress::parse(ours);
    return address && own && *own == *address;
  };
  return std::ranges::any_of(config.egress, [&](const Config::Egress& source) {
    return is_at(source.bind_ipv4) || is_at(source.bind_ipv6) || is_at(source.public_address);
  });
}

// The listener of our own relay that alarms would be handed to; empty: none.
std::string own_relay(const Config& config) {
  const auto via = parse_smarthost_url(config.alarms.via);
  if (!via || !config.smtp_in.enabled) return {};
  const auto address = net::IpAddress::parse(via->host);
  for (const Config::SmtpInListener& listener : smtp_in_listeners(config)) {
    const auto place = net::Endpoint::parse(listener.address);
    if (!place || place->port != via->port) continue;
    if (is_this_host(config, *via) || (address && *address == place->address)) {
      return listener.address;
    }
  }
  return {};
}

}  // namespace

void warn_of_alarms(const Config& config, std::vector<ConfigProblem>& warnings) {
  const Config::Alarms& alarms = config.alarms;
  if (alarms.via.empty()) return;
  if (alarms.mail_to.empty()) {
    warnings.push_back({"", "alarms.via: mail_to names nobody, so no alarm goes by mail"});
  }
  const std::string own = own_relay(config);
  if (own.empty()) return;
  warnings.push_back({"", fmt::format("alarms.via {} is the relay of this engine (smtp_in.listener "
                                      "{}): when it cannot send, it cannot tell of that either",
                                      to_toml(alarms.via), to_toml(own))});
}

void check_alarms(const Config& config, std::vector<ConfigProblem>& problems) {
  const Config::Alarms& alarms = config.alarms;
  const auto add = [&](std::string message) { problems.push_back({"", std::move(message)}); };
  check_login(alarms, add);
  if (alarms.mail_to.empty()) return;
  if (alarms.via.empty()) add("alarms.via: mail_to needs it");
  if (alarms.mail_from.empty()) add("alarms.mail_from: mail_to needs it");
  if (alarms.mail_to.size() > kAlarmsToldMax) {
    add(fmt::format("alarms.mail_to: {} addresses, and at most {} are told", alarms.mail_to.size(),
                    kAlarmsToldMax));
  }
  std::vector<std::pair<std::string_view, std::string>> addresses;
  for (const std::string& to : alarms.mail_to) addresses.emplace_back("mail_to", to);
  if (!alarms.mail_from.empty()) addresses.emplace_back("mail_from", alarms.mail_from);
  for (const auto& [key, text] : addresses) {
    const auto address = parse_address(text);
    if (!address) {
      add(fmt::format("alarms.{}: {} {}", key, to_toml(text), address.error().detail));
    } else if (!is_ascii(text)) {
      add(fmt::format("alarms.{}: {} is not ASCII", key, to_toml(text)));
    }
  }
}

}  // namespace todoku::config
