// SPDX-License-Identifier: Apache-2.0
#include "dns_zone/local_dns.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/wait.h>

#include "base/bytes.h"

namespace todoku::testing_support {
namespace {

namespace fs = std::filesystem;

// Arguments are paths and names of ours: none holds a quotation mark.
Result<std::string> run_tool(const std::vector<std::string>& arguments) {
  std::string command = TODOKU_SOURCE_DIR "/tools/local_dns";
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return fail(ErrorKind::io, "cannot run " + command);
  std::string output;
  std::array<char, 256> part{};
  while (std::fgets(part.data(), part.size(), pipe) != nullptr) output += part.data();
  const int status = pclose(pipe);
  if (status != 0) return fail(ErrorKind::unavailable, command + " failed");
  return output;
}

Result<fs::path> make_directory() {
  std::string path = (fs::temp_directory_path() / "todoku-dns-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) return fail(ErrorKind::io, "cannot make " + path);
  return fs::path(path);
}

bool write_zone(const fs::path& file, const LocalDns::Zone& zone) {
  const std::string origin = zone.name == "." ? "." : zone.name + ".";
  std::ofstream out(file);
  out << "$ORIGIN " << origin << "\n$TTL 60\n"
      << "@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60\n@ NS ns.invalid.\n"
      << zone.records << "\n";
  return out.good();
}

}  // namespace

Result<LocalDns> LocalDns::start(const std::vector<Zone>& zones) {
  auto directory = make_directory();
  if (!directory) return fail(directory.error());
  std::vector<std::string> arguments;
  for (const Zone& zone : zones) {
    const fs::path file = *directory / fmt::format("zone{}", arguments.size());
    if (!zone.broken && !write_zone(file, zone)) {
      return fail(ErrorKind::io, "cannot write " + file.string());
    }
    arguments.push_back(fmt::format("{}{}={}", zone.is_signed ? "signed:" : "", zone.name,
                                    zone.broken ? "" : file.string()));
  }
  LocalDns server(std::move(*directory), std::move(arguments));
  if (const auto launched = server.launch("0"); !launched) return fail(launched.error());
  return server;
}

Result<void> LocalDns::launch(const std::string& port) {
  std::vector<std::string> command{"start", directory_.string(), port};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  const auto output = run_tool(command);
  if (!output) return fail(output.error());
  const auto endpoint = net::Endpoint::parse("127.0.0.1:" + std::string(trim(*output)));
  if (!endpoint) return fail(endpoint.error());
  endpoint_ = *endpoint;
  return {};
}

Result<void> LocalDns::restart() {
  stop();
  return launch(std::to_string(endpoint_.port));
}

LocalDns::LocalDns(LocalDns&& other) noexcept
    : directory_(std::exchange(other.directory_, {})),
      arguments_(std::move(other.arguments_)),
      endpoint_(other.endpoint_) {}

LocalDns::~LocalDns() {
  if (directory_.empty()) return;
  stop();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void LocalDns::stop() {
  const auto stopped = run_tool({"stop", directory_.string()});
  if (!stopped) std::fputs("local_dns could not be stopped\n", stderr);
}

Result<std::string> LocalDns::trust_anchor(std::string_view zone) const {
  const auto output = run_tool({"ds", directory_.string(), std::string(zone)});
  if (!output) return fail(output.error());
  return std::string(trim(output->substr(0, output->find('\n'))));
}

}  // namespace todoku::testing_support
