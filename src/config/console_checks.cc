// SPDX-License-Identifier: Apache-2.0
// What the keys about the console say together: nobody's password goes over a network in clear
// text.
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "config/config.h"
#include "config/table.h"
#include "mail/address.h"
#include "net/endpoint.h"

namespace todoku::config {
namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";

bool is_https(std::string_view url) {
  return to_ascii_lower(url.substr(0, kHttps.size())) == kHttps;
}

// "console.example.jp:8443" of a URL, which has passed the check of its key.
std::string_view after_scheme(std::string_view url) {
  std::string_view rest = url.substr(is_https(url) ? kHttps.size() : kHttp.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  return rest;
}

}  // namespace

void check_console(const Config& config, std::vector<ConfigProblem>& problems) {
  const Config::Console& console = config.console;
  const auto add = [&](std::string message) { problems.push_back({"", std::move(message)}); };
  if (console.tls_certificate_file.empty() != console.tls_private_key_file.empty()) {
    add("console.tls_certificate_file and console.tls_private_key_file need one another");
  }
  if (console.mail_account.empty() != console.mail_from.empty()) {
    add("console.mail_account and console.mail_from need one another");
  }
  if (!console.mail_from.empty()) {
    if (const auto address = parse_address(console.mail_from); !address) {
      add(fmt::format("console.mail_from: {} {}", to_toml(console.mail_from),
                      address.error().detail));
    }
  }
  const std::string_view url = console.public_url;
  if (!url.empty() && after_scheme(url).find_first_of("/?#@") != std::string_view::npos) {
    add(
        fmt::format("console.public_url is {}, but must be scheme and host, with a port if need "
                    "be: the console has its address for itself",
                    to_toml(console.public_url)));
  }
  if (!url.empty() && !is_https(url) && !net::names_loopback(after_scheme(url))) {
    add(
        fmt::format("console.public_url is {}: passwords would go in clear text. Use https, by "
                    "console.tls_certificate_file or behind a proxy",
                    to_toml(console.public_url)));
  }
  if (console.listen.empty()) return;
  const auto at = net::Endpoint::parse(console.listen);
  if (at && !at->address.is_loopback() && !is_https(url)) {
    add(
        fmt::format("console.listen is {}, which others reach: console.public_url must be https, "
                    "by console.tls_certificate_file or behind a proxy; or listen at 127.0.0.1",
                    to_toml(console.listen)));
  }
  if (!console.tls_certificate_file.empty() && !url.empty() && !is_https(url)) {
    add("console.public_url is http, but the listener speaks TLS only "
        "(console.tls_certificate_file)");
  }
}

}  // namespace todoku::config
