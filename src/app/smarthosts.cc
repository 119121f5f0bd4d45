// SPDX-License-Identifier: Apache-2.0
#include "app/smarthosts.h"

#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "app/password_file.h"
#include "base/wipe.h"
#include "config/smarthost_url.h"
#include "mail/scram_secrets.h"

namespace todoku::app {
namespace {

using Login = Result<std::shared_ptr<const ClientLogin>>;

Result<std::string> password_of_variable(const std::string& name) {
  const config::Environment environment = config::process_environment();
  const auto found = environment.find(name);
  if (found != environment.end()) return as_password(found->second, "the variable " + name);
  return fail(ErrorKind::unavailable,
              fmt::format("there is no variable {}, which via_password_variable names", name));
}

Login log_in_as(const config::Config::Egress& source) {
  auto password = source.via_password_file.empty()
                      ? password_of_variable(source.via_password_variable)
                      : read_password_file(source.via_password_file, "via_password_file");
  if (!password) return fail("egress " + source.name, std::move(password.error()));
  SecretText secret(std::move(*password));
  if (secret.view().size() > kPasswordOctetsMax) {
    return fail(ErrorKind::unavailable,
                fmt::format("egress {}: the smarthost's password has more than {} octets",
                            source.name, kPasswordOctetsMax));
  }
  return std::make_shared<const ClientLogin>(
      ClientLogin{.user = source.via_user, .password = std::move(secret)});
}

TlsPlan plan_of(const std::string& via_tls) {
  if (via_tls == "none") return {.mode = TlsMode::never, .proof = TlsProof::none};
  const bool verified = via_tls == "verified";
  return {.mode = TlsMode::required, .proof = verified ? TlsProof::mx_name : TlsProof::none};
}

}  // namespace

std::optional<delivery::Smarthost> smarthost_of(const config::Config::Egress& source) {
  const auto url = config::parse_smarthost_url(source.via);
  if (!url) return std::nullopt;
  delivery::Smarthost smarthost{
      .host = url->host, .port = url->port, .tls = plan_of(source.via_tls)};
  if (!source.via_user.empty()) smarthost.login = [source] { return log_in_as(source); };
  return smarthost;
}

Result<void> check_smarthosts(const config::Config& config) {
  for (const config::Config::Egress& source : config.egress) {
    if (source.via.empty() || source.via_user.empty()) continue;
    const auto login = log_in_as(source);
    if (!login) return fail(login.error());
  }
  return {};
}

}  // namespace todoku::app
