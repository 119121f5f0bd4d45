// SPDX-License-Identifier: Apache-2.0
#include "app/dev_folder.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/request.h"
#include "config/files.h"
#include "mail/submission_options.h"
#include "net/endpoint.h"
#include "net/outbound_rule.h"
#include "operate/calls/calls.h"
#include "operate/calls/given.h"

namespace todoku::app {
namespace {

namespace fs = std::filesystem;
namespace calls = operate::calls;
using operate::Given;

constexpr std::string_view kMark = "made-by-todoku-serve-dev";
constexpr std::string_view kMarkText =
    "This folder was made by `todoku serve --dev` and may be removed.\n";
constexpr std::string_view kAccount = "dev";
constexpr std::uint16_t kApiPort = 8025;
constexpr std::uint16_t kSmtpPort = 1025;
constexpr int kCreated = 201;
constexpr int kTaken = 409;

constexpr std::string_view kConfig =
    R"(# Made by `todoku serve --dev` (docs/sandbox.md). Ports and times may be changed; it does not start
# where something could leave this machine, or come in from elsewhere.
[engine]
threads = 2
drain_seconds = 5
[data]
directory = "data"
[secrets]
master_key_file = "master.key"
[log]
level = "warning"
[api]
listen = "127.0.0.1:{api}"
rate_limit_per_minute = 0
[smtp_in]
enabled = true
[[smtp_in.listener]]
address = "127.0.0.1:{smtp}"
auth_in_clear = true
[smtp_out]
sandbox = true
hello_name = "dev.sandbox.invalid"
[dns]
servers = ["127.0.0.1:9"]
[outbound]
allow = ["127.0.0.0/8:*", "[::1]:*"]
[doctor]
enabled = false
domain_checks = false
)";

std::unexpected<Error> cannot_write(const std::string& path, const std::error_code& why) {
  return fail(ErrorKind::io, fmt::format("{} cannot be written: {}", path, why.message()));
}

// A port of 127.0.0.1 that nobody listens at: the wanted one if it is free.
Result<std::uint16_t> free_port(std::uint16_t wanted) {
  for (const std::uint16_t port : {wanted, std::uint16_t{0}}) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) break;
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0 &&
                       ::listen(fd, 1) == 0 &&
                       ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0;
    ::close(fd);
    if (bound) return ntohs(at.sin_port);
  }
  return fail(ErrorKind::io, "127.0.0.1 has no free port");
}

// Whole or not at all: what is there under its name was written to its end.
Result<void> write_whole(const std::string& path, std::string_view text) {
  const std::string part = path + ".part";
  {
    std::ofstream file(part, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) return cannot_write(part, std::error_code(errno, std::generic_category()));
  }
  std::error_code error;
  fs::rename(part, path, error);
  if (error) return cannot_write(path, error);
  return {};
}

Result<void> fill(const DevFolder& folder) {
  const auto api = free_port(kApiPort);
  if (!api) return fail(api.error());
  auto smtp = free_port(kSmtpPort);
  // Both were left to chance, and fell on the same.
  for (int tries = 0; smtp && *smtp == *api && tries < 10; ++tries) smtp = free_port(0);
  if (!smtp) return fail(smtp.error());
  std::string text(kConfig);
  const auto put = [&text](std::string_view name, std::uint16_t port) {
    text.replace(text.find(name), name.size(), std::to_string(port));
  };
  put("{api}", *api);
  put("{smtp}", *smtp);
  return write_whole(folder.config_file(), text);
}

bool is_loopback(std::string_view endpoint) {
  const auto parsed = net::Endpoint::parse(endpoint);
  return parsed && parsed->address.is_loopback();
}

// As dns.servers are written: an address, with or without a port.
bool asks_loopback(const std::string& server) {
  const auto address = net::IpAddress::parse(server);
  return address ? address->is_loopback() : is_loopback(server);
}

bool permits_loopback_alone(std::string_view text) {
  const auto permit = net::OutboundRule::Permit::parse(text);
  return permit && permit->network && permit->network->prefix().is_loopback() &&
         permit->network->last().is_loopback();
}

Result<boost::json::object> request(cli::AdminPort& port, const Given& given, int& status) {
  const auto answer = port.call(cli::request_of(given));
  if (!answer) return fail(answer.error());
  status = answer->status;
  boost::system::error_code error;
  auto read = boost::json::parse(answer->body, error);
  if (error || !read.is_object()) {
    return fail(ErrorKind::corrupt, "the engine's answer is no JSON object");
  }
  if (status != kCreated && status != kTaken) {
    const auto* const why = read.as_object().if_contains("error");
    return fail(ErrorKind::invalid_input, why != nullptr && why->is_string()
                                              ? std::string(why->as_string())
                                              : fmt::format("answered {}", status));
  }
  return std::move(read.as_object());
}

std::string text_in(const boost::json::object& object, std::string_view name) {
  const auto* const found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

// It opens everything: webhooks are registered by it, too. Of an account that a start which was
// broken off has left: another.
Result<boost::json::object> issue_key(cli::AdminPort& port) {
  int status = 0;
  const std::string name(kAccount);
  const auto added = request(
      port,
      Given(calls::kAddAccount).with("name", name).with("with_key", false).with("sandbox", true),
      status);
  if (!added) return fail(added.error());
  return request(port,
                 Given(calls::kAddKey)
                     .with("account", name)
                     .with("scopes", std::string("send,read,content,suppress,admin")),
                 status);
}

Result<boost::json::object> issue_password(cli::AdminPort& port) {
  int status = 0;
  const auto of = [](const operate::Call& call) {
    return Given(call).with("account", std::string(kAccount)).with("name", std::string(kAccount));
  };
  // All that a header may say: a trial must not lose it in silence.
  std::string options;
  for (const SubmissionOptionName& each : kSubmissionOptions) {
    options += (options.empty() ? "" : ",") + to_ascii_lower(each.name);
  }
  auto added =
      request(port, of(calls::kAddSmtpCredential).with("options", std::move(options)), status);
  if (!added || status == kCreated) return added;
  return request(port, of(calls::kRotateSmtpCredential), status);
}

}  // namespace

Result<DevFolder> open_dev_folder(const std::string& path) {
  std::error_code error;
  const DevFolder folder{fs::absolute(path, error).lexically_normal().string()};
  const std::string mark = fmt::format("{}/{}", folder.path, kMark);
  if (fs::exists(mark, error)) {
    if (!fs::exists(folder.config_file(), error)) {
      if (auto filled = fill(folder); !filled) return fail(std::move(filled.error()));
    }
    return folder;
  }
  if (fs::exists(fs::symlink_status(folder.path, error))) {
    return fail(ErrorKind::conflict,
                fmt::format("{} is there and was not made by `todoku serve --dev`: name another "
                            "with --dev-folder",
                            folder.path));
  }
  if (!fs::create_directory(folder.path, error)) return cannot_write(folder.path, error);
  if (auto marked = write_whole(mark, kMarkText); !marked) return fail(std::move(marked.error()));
  if (auto filled = fill(folder); !filled) return fail(std::move(filled.error()));
  return folder;
}

std::vector<std::string> dev_faults(const config::Config& config, const DevFolder& folder) {
  std::vector<std::string> faults;
  const auto want = [&](bool good, std::string_view key, std::string_view what) {
    if (!good) {
      faults.push_back(
          fmt::format("{}: {} {} with `serve --dev`", folder.config_file(), key, what));
    }
  };
  want(config.smtp_out.sandbox, "smtp_out.sandbox", "must be true");
  want(config.store.kind == "sqlite", "store.kind", "must be \"sqlite\"");
  want(config.queue.kind != "sqs", "queue.kind", "must not be \"sqs\"");
  want(fs::path(config.data.directory).lexically_normal() == fs::path(folder.path) / "data",
       "data.directory", "must be \"data\"");
  want(is_loopback(config.api.listen), "api.listen", "must be on loopback");
  want(config.metrics.listen.empty() || is_loopback(config.metrics.listen), "metrics.listen",
       "must be on loopback");
  for (const auto& listener : config::smtp_in_listeners(config)) {
    want(is_loopback(listener.address), "smtp_in.listener.address", "must be on loopback");
  }
  want(!config::inbound_listens(config), "inbound.enabled", "must be false");
  for (const std::string& permit : config.outbound.allow) {
    want(permits_loopback_alone(permit), "outbound.allow", "may name loopback alone");
  }
  // Without any the root servers are asked.
  want(!config.dns.servers.empty() && std::ranges::all_of(config.dns.servers, &asks_loopback),
       "dns.servers", "must name loopback alone");
  want(config.dkim.platform_zone.empty(), "dkim.platform_zone", "must be empty");
  want(config.journal.directory.empty(), "journal.directory", "must be empty");
  return faults;
}

Result<void> make_dev_account(cli::AdminPort& port, const config::Config& config,
                              const DevFolder& folder) {
  std::error_code error;
  if (fs::exists(folder.env_file(), error)) return {};
  const auto key = issue_key(port);
  if (!key) return fail("the account", key.error());
  const auto credential = issue_password(port);
  if (!credential) return fail("the SMTP credential", credential.error());
  const auto listeners = config::smtp_in_listeners(config);
  const auto smtp = listeners.empty() ? Result<net::Endpoint>(net::Endpoint())
                                      : net::Endpoint::parse(listeners.front().address);
  if (!smtp) return fail(smtp.error());
  return write_whole(
      folder.env_file(),
      fmt::format("export TODOKU_CONFIG='{}'\n"
                  "export TODOKU_URL='http://{}'\n"
                  "export TODOKU_ACCOUNT='{}'\n"
                  "export TODOKU_API_KEY='{}'\n"
                  "export TOKEN='{}'\n"
                  "export SMTP_HOST='{}'\n"
                  "export SMTP_PORT='{}'\n"
                  "export SMTP_USER='{}'\n"
                  "export SMTP_PASSWORD='{}'\n",
                  folder.config_file(), config.api.listen, kAccount, text_in(*key, "api_key"),
                  text_in(*key, "bearer_token"), smtp->address.to_string(), smtp->port,
                  text_in(*credential, "name"), text_in(*credential, "password")));
}

Result<std::string> dev_greeting(const DevFolder& folder) {
  auto env = config::read_file(folder.env_file());
  if (!env) return fail(std::move(env.error()));
  return fmt::format(
      "todoku --dev: everything is caught, nothing leaves this machine (docs/sandbox.md).\n"
      "todoku --dev: "
      "すべてのメールを捕まえ、この機械の外には何も出しません（docs/sandbox.ja.md）。\n"
      "\n{}\n"
      ". '{}'   # in another shell / 別のシェルで\n",
      *env, folder.env_file());
}

}  // namespace todoku::app
