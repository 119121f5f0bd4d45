// SPDX-License-Identifier: Apache-2.0
#include "app/smarthosts.h"

#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "app/password_file.h"
#include "base/wipe.h"
#include "config/proxy_url.h"
#include "config/smarthost_url.h"
#include "mail/scram_secrets.h"

namespace todoku::app {
namespace {

using Login = Result<std::shared_ptr<const ClientLogin>>;

// Where a login stands in the configuration of a source.
struct LoginKeys {
  std::string source;
  std::string user;
  std::string file;
  std::string variable;
  std::string prefix;  // of the keys: "via" or "proxy"
  std::size_t octets_max = kPasswordOctetsMax;
};

Result<std::string> password_of(const LoginKeys& keys) {
  if (!keys.file.empty()) return read_password_file(keys.file, keys.prefix + "_password_file");
  const config::Environment environment = config::process_environment();
  const auto found = environment.find(keys.variable);
  if (found != environment.end())
    return as_password(found->second, "the variable " + keys.variable);
  return fail(ErrorKind::unavailable,
              fmt::format("there is no variable {}, which {}_password_variable names",
                          keys.variable, keys.prefix));
}

Login log_in_as(const LoginKeys& keys) {
  auto password = password_of(keys);
  if (!password) return fail("egress " + keys.source, std::move(password.error()));
  SecretText secret(std::move(*password));
  if (secret.view().size() > keys.octets_max) {
    return fail(ErrorKind::unavailable,
                fmt::format("egress {}: the password of {} has more than {} octets", keys.source,
                            keys.prefix, keys.octets_max));
  }
  return std::make_shared<const ClientLogin>(
      ClientLogin{.user = keys.user, .password = std::move(secret)});
}

// By value: the task may outlive whoever asks.
Task<Login> log_in(LoginKeys keys, async::FilePool* files) {
  if (files == nullptr) co_return log_in_as(keys);
  co_return co_await files->run(async::FilePool::Owner{}, [&keys] { return log_in_as(keys); });
}

LoginKeys via_login(const config::Config::Egress& source) {
  return {.source = source.name,
          .user = source.via_user,
          .file = source.via_password_file,
          .variable = source.via_password_variable,
          .prefix = "via"};
}

LoginKeys proxy_login(const config::Config::Egress& source) {
  constexpr std::size_t kMost = 255;  // RFC 1929
  return {.source = source.name,
          .user = source.proxy_user,
          .file = source.proxy_password_file,
          .variable = source.proxy_password_variable,
          .prefix = "proxy",
          .octets_max = kMost};
}

TlsPlan plan_of(const std::string& via_tls) {
  if (via_tls == "none") return {.mode = TlsMode::never, .proof = TlsProof::none};
  const bool verified = via_tls == "verified";
  return {.mode = TlsMode::required, .proof = verified ? TlsProof::mx_name : TlsProof::none};
}

}  // namespace

std::optional<delivery::Smarthost> smarthost_of(const config::Config::Egress& source,
                                                async::FilePool* files) {
  const auto url = config::parse_smarthost_url(source.via);
  if (!url) return std::nullopt;
  delivery::Smarthost smarthost{
      .host = url->host, .port = url->port, .tls = plan_of(source.via_tls)};
  if (!source.via_user.empty()) {
    smarthost.login = [keys = via_login(source), files] { return log_in(keys, files); };
  }
  return smarthost;
}

std::shared_ptr<const net::EgressProxy> proxy_of(const config::Config::Egress& source,
                                                 async::FilePool* files) {
  const auto url = config::parse_proxy_url(source.proxy);
  if (!url) return nullptr;
  net::EgressProxy proxy{.kind = url->kind, .at = url->at};
  if (!source.proxy_user.empty()) {
    proxy.login = [keys = proxy_login(source), files] { return log_in(keys, files); };
  }
  const auto from = net::IpAddress::parse(source.public_address);
  if (from) (from->is_v4() ? proxy.from_v4 : proxy.from_v6) = *from;
  return std::make_shared<const net::EgressProxy>(std::move(proxy));
}

Result<void> check_logins(const config::Config& config) {
  for (const config::Config::Egress& source : config.egress) {
    for (const LoginKeys& keys : {via_login(source), proxy_login(source)}) {
      // That no key gives the password is the configuration's own mistake, and told there.
      if (keys.user.empty() || (keys.file.empty() && keys.variable.empty())) continue;
      const auto login = log_in_as(keys);
      if (!login) return fail(login.error());
    }
  }
  return {};
}

}  // namespace todoku::app
