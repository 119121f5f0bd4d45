// SPDX-License-Identifier: Apache-2.0
// What would leave the machine though smtp_out.sandbox says that nothing does (docs/sandbox.md).
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "config/config.h"
#include "config/smarthost_url.h"
#include "config/table.h"
#include "net/endpoint.h"

namespace todoku::config {
namespace {

bool is_on_loopback(std::string_view host) {
  if (equals_ignoring_case(host, "localhost")) return true;
  const auto address = net::IpAddress::parse(host);
  return address && address->scope() == net::AddressScope::loopback;
}

// Of "http://user@[::1]:8080/path?query" the "::1".
std::string_view host_in_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url = url.substr(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t user = url.rfind('@'); user != std::string_view::npos) {
    url = url.substr(user + 1);
  }
  if (url.starts_with('[')) return url.substr(1, std::max<std::size_t>(url.find(']'), 1) - 1);
  return url.substr(0, url.find(':'));
}

}  // namespace

void check_sandbox(const Config& config, std::vector<ConfigProblem>& problems) {
  if (!config.smtp_out.sandbox) return;
  const auto add = [&](std::string_view key, std::string_view what) {
    problems.push_back({"", fmt::format("{}: {}, and smtp_out.sandbox says that nothing leaves "
                                        "this machine: take it out, or name a host on loopback",
                                        key, what)});
  };
  const Config::Alarms& alarms = config.alarms;
  if (!alarms.mail_to.empty()) {
    const auto via = parse_smarthost_url(alarms.via);
    if (via && !is_on_loopback(via->host)) add("alarms.via", "alarms would go by mail");
  }
  if (!alarms.webhook_url.empty() && !is_on_loopback(host_in_url(alarms.webhook_url))) {
    add("alarms.webhook_url", "alarms would be told to another host");
  }
  for (const Config::ProbeMailbox& mailbox : config.probe_mailboxes) {
    if (!is_on_loopback(mailbox.host)) {
      add(fmt::format("probe.mailbox {}", to_toml(mailbox.name)), "it would be looked into");
    }
  }
  if (!config.shipping.to.empty()) {
    problems.push_back({"",
                        "shipping.to: the store would be shipped, and smtp_out.sandbox says that "
                        "nothing leaves this machine: take it out"});
  }
}

}  // namespace todoku::config
