// SPDX-License-Identifier: Apache-2.0
#include "app/host_check.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/module_options.h"
#include "app/open_files.h"
#include "app/smarthosts.h"
#include "app/vault.h"
#include "dns/unbound_context.h"
#include "net/bind_check.h"

namespace todoku::app {
namespace {

class Problems {
 public:
  explicit Problems(std::vector<std::string>& found) : found_(found) {}
  template <class T>
  void note(const Result<T>& result) {
    if (!result) found_.push_back(result.error().detail);
  }
  template <class T>
  void note(std::string_view key, const Result<T>& result) {
    if (!result) found_.push_back(fmt::format("{}: {}", key, result.error().detail));
  }

 private:
  std::vector<std::string>& found_;
};

Result<void> check_listen(const std::string& text, bool is_ours) {
  const auto at = net::Endpoint::parse(text);
  if (!at) return fail(at.error());
  auto bindable = net::check_bindable(*at);
  if (!bindable && bindable.error().kind == ErrorKind::conflict && is_ours) return {};
  return bindable;
}

// What bind(2) takes of a Unix socket's path.
Result<void> check_socket_path(const std::string& path) {
  constexpr std::size_t kLongest = 107;
  if (path.size() <= kLongest) return {};
  return fail(ErrorKind::invalid_input,
              fmt::format("the path {} has {} octets, but a socket's may have {} at most", path,
                          path.size(), kLongest));
}

// A socket that others than us are to reach lies in a folder that somebody made for it.
Result<void> check_public_socket(const std::string& path) {
  if (path.empty()) return {};
  if (auto fits = check_socket_path(path); !fits) return fits;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return {};
  return fail(ErrorKind::not_found,
              fmt::format("{} is no folder: make it before (systemd: RuntimeDirectory=todoku makes "
                          "/run/todoku)",
                          folder.string()));
}

Result<void> check_folder(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status) || std::filesystem::is_directory(status)) return {};
  return fail(ErrorKind::invalid_input, fmt::format("{} is no folder", path));
}

std::vector<net::IpAddress> addresses_of(const config::Config::Egress& source) {
  std::vector<net::IpAddress> addresses;
  for (const std::string& text : {source.bind_ipv4, source.bind_ipv6}) {
    if (const auto address = net::IpAddress::parse(text)) addresses.push_back(*address);
  }
  return addresses;
}

bool is_here(const config::Config::Egress& source) {
  return std::ranges::all_of(addresses_of(source), [](const net::IpAddress& address) {
    return net::check_bindable({address, 0}).has_value();
  });
}

}  // namespace

namespace {

Result<std::shared_ptr<const net::TlsServerContext>> tls_of(const std::string& certificate_file,
                                                            const std::string& private_key_file,
                                                            std::string_view whose) {
  if (certificate_file.empty()) return nullptr;
  const std::string what = fmt::format("{} certificate", whose);
  const auto identity = net::read_identity(certificate_file, private_key_file);
  if (!identity) return fail(what, identity.error());
  auto context = net::TlsServerContext::create(*identity);
  if (!context) return fail(what, std::move(context.error()));
  return *context;
}

}  // namespace

Result<std::shared_ptr<const net::TlsServerContext>> api_tls(const config::Config::Api& api) {
  return tls_of(api.tls_certificate_file, api.tls_private_key_file, "the API's");
}

Result<std::shared_ptr<const net::TlsServerContext>> console_tls(
    const config::Config::Console& console) {
  return tls_of(console.tls_certificate_file, console.tls_private_key_file, "the console's");
}

Result<std::unique_ptr<net::ServerCertificates>> relay_certificates(const config::Config& config,
                                                                    Instant now) {
  net::ServerCertificates::Options options;
  for (const config::Config::SmtpInCertificate& pair : config.smtp_in_certificates) {
    options.pairs.push_back({pair.certificate_file, pair.private_key_file});
  }
  const relay::RelayOptions relay = relay_options(config, 0);
  options.own_names = relay.own_names;
  options.old_clients = std::ranges::any_of(
      relay.listeners, [](const relay::ListenerOptions& each) { return each.old_tls; });
  options.is_for_trials = config.smtp_out.sandbox;
  auto opened = net::ServerCertificates::open(std::move(options), now);
  if (!opened) return fail("the SMTP relay's certificate", std::move(opened.error()));
  return opened;
}

Result<std::shared_ptr<net::TlsClientContext>> receivers_tls(const config::Config::SmtpOut& smtp) {
  auto tls = net::TlsClientContext::create({.ca_file = smtp.tls_ca_file});
  if (!tls) return fail("TLS to receivers (smtp_out.tls_ca_file)", std::move(tls.error()));
  return tls;
}

Result<void> check_sources(const config::Config& config) {
  std::vector<std::string> wrong;
  ErrorKind kind = ErrorKind::not_found;
  bool is_any_here = false;
  for (const config::Config::Egress& source : config.egress) {
    is_any_here = is_any_here || is_here(source);
    for (const net::IpAddress& address : addresses_of(source)) {
      const auto bindable = net::check_bindable({address, 0});
      if (bindable) continue;
      kind = bindable.error().kind;
      wrong.push_back(
          fmt::format("the egress source {}: {}", source.name, bindable.error().detail));
    }
  }
  // Of several processes each sends from those whose address it has.
  if (wrong.empty() || (is_cluster(config) && is_any_here)) return {};
  return fail(kind, fmt::format("{}", fmt::join(wrong, "; ")));
}

std::string unknown_account_of(const config::Config::SmtpInListener& listener) {
  return fmt::format("smtp_in.listener {}: account: there is no account {} (todoku account add {})",
                     listener.address, listener.account, listener.account);
}

std::string unknown_account_of(const config::Config::Inbound& inbound) {
  return fmt::format("inbound.forward_account: there is no account {} (todoku account add {})",
                     inbound.forward_account, inbound.forward_account);
}

std::vector<std::string> host_problems(const config::Config& config, bool ports_are_ours,
                                       const config::UnknownKeys& unknown) {
  std::vector<std::string> found;
  Problems problems(found);
  const auto known = [&](std::initializer_list<std::string_view> keys) {
    return unknown.spare(keys);
  };
  if (known({"engine", "api.connections_max", "smtp_out.connections_max", "inbound.connections_max",
             "console"})) {
    problems.note(files_division(files_limit().highest, files_wanted(config)));
  }
  if (known({"data.directory"})) {
    problems.note("data.directory", check_folder(config.data.directory));
  }
  if (known({"secrets"})) problems.note(check_key(vault_options(config)));
  if (known({"admin.socket", "data.directory"})) {
    problems.note("admin.socket", check_socket_path(admin_socket_path(config)));
  }
  if (known({"metrics.listen"}) && !config.metrics.listen.empty()) {
    problems.note("metrics.listen", check_listen(config.metrics.listen, ports_are_ours));
  }
  if (!known({"engine.roles"})) return found;
  if (has_role(config, "api")) {
    if (known({"api.listen"})) {
      problems.note("api.listen", check_listen(config.api.listen, ports_are_ours));
    }
    // One without the other is told already.
    const bool half =
        config.api.tls_certificate_file.empty() != config.api.tls_private_key_file.empty();
    if (!half && known({"api.tls_certificate_file", "api.tls_private_key_file"})) {
      problems.note(api_tls(config.api));
    }
    if (known({"console"}) && !config.console.listen.empty()) {
      problems.note("console.listen", check_listen(config.console.listen, ports_are_ours));
      problems.note(console_tls(config.console));
    }
  }
  if (has_role(config, "smtp-in") && known({"smtp_in"}) && config::smtp_in_listens(config)) {
    problems.note("smtp_in.socket", check_public_socket(config.smtp_in.socket));
    for (const auto& listener : config::smtp_in_listeners(config)) {
      problems.note("smtp_in.listener", check_listen(listener.address, ports_are_ours));
    }
    problems.note(relay_certificates(config, SystemClock().now()));
  }
  if (has_role(config, "inbound") && known({"inbound"}) && config::inbound_listens(config)) {
    for (const std::string& at : config.inbound.listen) {
      problems.note("inbound.listen", check_listen(at, ports_are_ours));
    }
    if (known({"smtp_in"})) problems.note(relay_certificates(config, SystemClock().now()));
  }
  if (has_role(config, "courier")) {
    if (known({"smtp_out.tls_ca_file"})) problems.note(receivers_tls(config.smtp_out));
    if (known({"dns"})) {
      problems.note("the DNS resolver", dns::make_unbound_context(resolver_options(config)));
    }
    if (known({"egress"})) {
      problems.note(check_sources(config));
      problems.note(check_logins(config));
    }
  }
  return found;
}

}  // namespace todoku::app
