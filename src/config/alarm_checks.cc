// SPDX-License-Identifier: Apache-2.0
// What the keys about alarms say together.
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "config/config.h"
#include "config/table.h"
#include "mail/address.h"

namespace todoku::config {
namespace {

constexpr std::size_t kToldMax = 20;

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

}  // namespace

void check_alarms(const Config& config, std::vector<ConfigProblem>& problems) {
  const Config::Alarms& alarms = config.alarms;
  const auto add = [&](std::string message) { problems.push_back({"", std::move(message)}); };
  check_login(alarms, add);
  if (alarms.mail_to.empty()) return;
  if (alarms.via.empty()) add("alarms.via: mail_to needs it");
  if (alarms.mail_from.empty()) add("alarms.mail_from: mail_to needs it");
  if (alarms.mail_to.size() > kToldMax) {
    add(fmt::format("alarms.mail_to: {} addresses, and at most {} are told", alarms.mail_to.size(),
                    kToldMax));
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
