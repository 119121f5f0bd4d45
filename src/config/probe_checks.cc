// SPDX-License-Identifier: Apache-2.0
// What the keys about probes say together.
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "config/config.h"
#include "config/table.h"
#include "mail/address.h"
#include "net/endpoint.h"

namespace todoku::config {
namespace {

constexpr std::size_t kMailboxesMax = 100;
constexpr std::size_t kSendersMax = 20;

bool is_this_machine(const std::string& host) {
  const auto address = net::IpAddress::parse(host);
  return host == "localhost" || (address && address->scope() == net::AddressScope::loopback);
}

template <class Report>
void check_mailbox(const Config::ProbeMailbox& mailbox, const Report& report) {
  if (const auto address = parse_address(mailbox.address); !address) {
    report(fmt::format("address {} {}", to_toml(mailbox.address), address.error().detail));
  }
  if (mailbox.password_file.empty() == mailbox.password_variable.empty()) {
    report("it needs password_file or password_variable, one of them");
  }
  if (mailbox.tls == "none" && !is_this_machine(mailbox.host)) {
    report("a password does not go over the network in clear text: tls is \"none\"");
  }
}

}  // namespace

void check_probe(const Config& config, std::vector<ConfigProblem>& problems) {
  const auto add = [&](std::string message) { problems.push_back({"", std::move(message)}); };
  if (config.probe_mailboxes.empty()) {
    if (config.probe.every_minutes > 0) add("probe.every_minutes: there is no [[probe.mailbox]]");
    return;
  }
  if (config.probe.account.empty()) add("probe.account: [[probe.mailbox]] needs it");
  if (config.probe.from.empty()) add("probe.from: [[probe.mailbox]] needs it");
  if (config.probe.from.size() > kSendersMax) {
    add(fmt::format("probe.from: {} addresses, and at most {} are tried", config.probe.from.size(),
                    kSendersMax));
  }
  if (config.probe_mailboxes.size() > kMailboxesMax) {
    add(fmt::format("probe.mailbox: {} mailboxes, and at most {} are read",
                    config.probe_mailboxes.size(), kMailboxesMax));
  }
  for (const std::string& sender : config.probe.from) {
    if (const auto address = parse_address(sender); !address) {
      add(fmt::format("probe.from: {} {}", to_toml(sender), address.error().detail));
    }
  }
  std::set<std::string_view> names;
  for (const Config::ProbeMailbox& mailbox : config.probe_mailboxes) {
    const auto report = [&](std::string_view message) {
      add(fmt::format("probe.mailbox {}: {}", to_toml(mailbox.name), message));
    };
    if (!names.insert(mailbox.name).second) report("the name is used twice");
    check_mailbox(mailbox, report);
  }
}

}  // namespace todoku::config
