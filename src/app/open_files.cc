// SPDX-License-Identifier: Apache-2.0
#include "app/open_files.h"

#include <algorithm>

#include <fmt/format.h>
#include <sys/resource.h>

#include "app/module_options.h"

namespace todoku::app {
namespace {

constexpr std::uint64_t kProcess = 32;
constexpr std::uint64_t kPerThread = 4;
constexpr std::uint64_t kStore = 64;
constexpr std::uint64_t kOperators = 64;
constexpr std::uint64_t kApiRefusals = 40;

// Of what can do with more: the least that it can work with, the most it has use for.
struct Span {
  std::uint64_t least;
  std::uint64_t most;
};
constexpr Span kUploads{8, 64};
constexpr Span kDns{64, 4'096};
constexpr std::uint64_t kDnsOfApi = 160;  // most, of who delivers nothing
constexpr Span kPreflight{32, 128};       // of that of the DNS
constexpr std::uint64_t kPreflightShare = 4;
constexpr Span kCalls{16, 256};
constexpr std::uint64_t kConnectionsLeast = 64;

// Beyond any limit that is meant.
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 30U;

std::uint64_t part(std::uint64_t rest, std::uint64_t share, Span span) {
  return std::clamp(rest / share, span.least, span.most);
}

std::uint64_t most_dns(const FilesWanted& wanted) {
  if (wanted.smtp_connections > 0) return kDns.most;
  return wanted.api_connections > 0 ? kDnsOfApi : kDns.least;
}

// What all but the clients of the relay have use for.
std::uint64_t wanted_by_others(const FilesWanted& wanted) {
  return wanted.api_connections + (wanted.api_connections > 0 ? kUploads.most : 0) +
         wanted.smtp_connections + most_dns(wanted) + wanted.calls;
}

std::uint64_t least_connections(std::uint64_t wanted) {
  return std::min(wanted, kConnectionsLeast);
}

std::uint64_t number(rlim_t limit) {
  return limit == RLIM_INFINITY ? kUnlimited : std::min<std::uint64_t>(limit, kUnlimited);
}

}  // namespace

Result<FilesDivision> files_division(std::uint64_t limit, const FilesWanted& wanted) {
  FilesDivision division{.limit = limit,
                         .process = kProcess + kPerThread * wanted.threads +
                                    wanted.inbound_connections + wanted.console_connections,
                         .store = kStore,
                         .operators = kOperators,
                         .api_refusals = wanted.api_connections > 0 ? kApiRefusals : 0};
  const std::uint64_t fixed =
      division.process + division.store + division.operators + division.api_refusals;
  const std::uint64_t least_uploads = wanted.api_connections > 0 ? kUploads.least : 0;
  const std::uint64_t least_api = least_connections(wanted.api_connections);
  const std::uint64_t least_smtp = least_connections(wanted.smtp_connections);
  const std::uint64_t least_calls = std::min(wanted.calls, kCalls.least);
  const std::uint64_t least_relay = least_connections(wanted.relay_connections);
  const std::uint64_t needed =
      fixed + least_uploads + least_calls + kDns.least + least_api + least_smtp + least_relay;
  if (limit < needed) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("the process may have {} files open (ulimit -n), but needs at least {}",
                            limit, needed));
  }
  constexpr std::uint64_t kRelayShare = 4;
  const std::uint64_t at_hand = limit - fixed;
  const std::uint64_t unwanted = at_hand - std::min(at_hand, wanted_by_others(wanted));
  division.relay =
      std::clamp(std::max(at_hand / kRelayShare, unwanted), least_relay, wanted.relay_connections);
  division.relay = std::min(division.relay, limit - (needed - least_relay));
  const std::uint64_t rest = limit - fixed - division.relay;
  const std::uint64_t for_connections = least_api + least_smtp;
  constexpr std::uint64_t kUploadsShare = 16;
  constexpr std::uint64_t kDnsShare = 8;
  constexpr std::uint64_t kCallsShare = 16;
  if (wanted.api_connections > 0) division.uploads = part(rest, kUploadsShare, kUploads);
  division.dns = part(rest, kDnsShare, {kDns.least, most_dns(wanted)});
  // Their parts of a small rest may be more than the others can do without.
  if (wanted.calls > 0) division.calls = part(rest, kCallsShare, {least_calls, wanted.calls});
  const std::uint64_t spare = rest - for_connections - least_calls;
  division.uploads = std::min(division.uploads, spare - kDns.least);
  division.dns = std::min(division.dns, spare - division.uploads);
  division.calls = std::min(division.calls, spare + least_calls - division.uploads - division.dns);
  const std::uint64_t left = rest - division.uploads - division.dns - division.calls;
  const std::uint64_t api_half = std::max(left / 2, left - std::min(left, wanted.smtp_connections));
  division.api = std::clamp(api_half, least_api, std::max(least_api, wanted.api_connections));
  division.api = std::min(division.api, left - least_smtp);
  division.smtp = std::min(wanted.smtp_connections, left - division.api);
  if (wanted.api_connections > 0) {
    // Of who delivers nothing, nobody else has use for more than the least.
    division.preflight = wanted.smtp_connections > 0
                             ? part(division.dns, kPreflightShare, kPreflight)
                             : std::min(division.dns - kPreflight.least, kPreflight.most);
    division.dns -= division.preflight;
  }
  return division;
}

FilesWanted files_wanted(const config::Config& config) {
  return {.threads = thread_count(config),
          .api_connections =
              has_role(config, "api") ? static_cast<std::uint64_t>(config.api.connections_max) : 0,
          .smtp_connections = has_role(config, "courier")
                                  ? static_cast<std::uint64_t>(config.smtp_out.connections_max)
                                  : 0,
          .calls = has_role(config, "api") || has_role(config, "events") ? kCalls.most : 0,
          .relay_connections = has_role(config, "smtp-in") && config::smtp_in_listens(config)
                                   ? static_cast<std::uint64_t>(config.smtp_in.connections_max)
                                   : 0,
          .inbound_connections = has_role(config, "inbound") && config::inbound_listens(config)
                                     ? static_cast<std::uint64_t>(config.inbound.connections_max)
                                     : 0,
          .console_connections =
              has_console(config)
                  ? static_cast<std::uint64_t>(config.console.connections_max) + kConsoleRefusals
                  : 0};
}

FilesLimit files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {kUnlimited, kUnlimited};
  return {number(limit.rlim_cur), number(limit.rlim_max)};
}

void raise_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string show_files(const config::Config& config) {
  const auto division = files_division(files_limit().highest, files_wanted(config));
  if (!division) return fmt::format("\n# Open files: {}.\n", division.error().detail);
  return fmt::format(
      "\n# Open files, of {} that this shell would allow (ulimit -Hn): process {}, store {},\n"
      "# operators {}, uploads {}, DNS {}, preflight {}, calls {}, refusals {}.\n"
      "# Connections that fit beside them: api.connections_max {}, smtp_out.connections_max {},\n"
      "# smtp_in.connections_max {}.\n",
      division->limit, division->process, division->store, division->operators, division->uploads,
      division->dns, division->preflight, division->calls, division->api_refusals, division->api,
      division->smtp, division->relay);
}

}  // namespace todoku::app
