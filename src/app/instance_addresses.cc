// SPDX-License-Identifier: Apache-2.0
#include "app/instance_addresses.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "async/runtime.h"
#include "async/timer.h"
#include "base/bytes.h"
#include "base/log.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr Microseconds kAskMetadataEvery = 10s;
// An instance has 15 network interfaces at most ("Maximum IP addresses per network interface").
constexpr std::size_t kInterfacesMax = 64;
constexpr std::string_view kInterfaces = "network/interfaces/macs/";

// The lines of a listing, a folder's without its slash.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('/')) line.remove_suffix(1);
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

// It becomes part of a URL.
bool is_mac(std::string_view text) {
  return text.size() == 17 &&
         std::ranges::all_of(text, [](char c) { return c == ':' || is_ascii_alphanumeric(c); });
}

bool lists(std::string_view text, const net::IpAddress& address) {
  return std::ranges::any_of(lines_of(text), [&](const std::string& line) {
    const auto listed = net::IpAddress::parse(line);
    return listed && *listed == address;
  });
}

// What does not stand in the metadata is nothing, not an error.
Result<std::string> or_nothing(Result<std::string> answer) {
  if (!answer && answer.error().kind == ErrorKind::not_found) return std::string();
  return answer;
}

}  // namespace

InstanceAddresses::InstanceAddresses(std::string metadata_url, std::vector<Wanted> wanted,
                                     const Clock& clock, Metrics& metrics,
                                     const async::Executor& executor)
    : wanted_(std::move(wanted)),
      clock_(clock),
      failures_(metrics.counter("todoku_instance_metadata_failures_total",
                                "Times that the instance's metadata did not tell which public "
                                "addresses are its own.")),
      unconfirmed_(metrics.gauge("todoku_sources_unconfirmed",
                                 "Sending addresses whose public address the instance's metadata "
                                 "does not confirm to be here; nothing is sent from them.")),
      metadata_(std::move(metadata_url), http_, clock),
      executor_(executor),
      tasks_(executor) {
  unconfirmed_.set(static_cast<double>(wanted_.size()));
}

void InstanceAddresses::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("public addresses", run()); });
}

Task<void> InstanceAddresses::run() {
  while (true) {
    try {
      (void)co_await look();  // it has told
    } catch (const std::exception&) {
      async::report_exception("asking for public addresses", std::current_exception());
    }
    const bool awake = co_await async::sleep_for(kAskMetadataEvery);
    if (!awake) co_return;
  }
}

Task<Result<void>> InstanceAddresses::look() {
  // What is told counts from the moment it was asked for.
  const SteadyInstant asked = clock_.steady_now();
  auto told = co_await ask();
  if (!told && told.error().kind == ErrorKind::cancelled) co_return fail(told.error());
  if (told) {
    const auto before = std::exchange(confirmed_, std::move(*told));
    told_ = asked;
    tell_changes(before);
    asking_.worked(clock_.steady_now());
  } else {
    failures_.add();
    asking_.failed(clock_.steady_now(),
                   {{"reason", told.error().detail}, {"believed_minutes", told_ ? 5 : 0}});
  }
  if (told_ && !is_believed() && !confirmed_.empty()) {
    const auto before = std::exchange(confirmed_, {});
    tell_changes(before);
  }
  unconfirmed_.set(static_cast<double>(wanted_.size() - confirmed_.size()));
  if (!told) co_return fail(std::move(told.error()));
  co_return Result<void>();
}

// Of each interface the public addresses that are translated to an address of it ("Instance
// metadata categories": network/interfaces/macs/<mac>/ipv4-associations/<public address>).
Task<Result<std::set<std::string, std::less<>>>> InstanceAddresses::ask() {
  std::set<std::string, std::less<>> confirmed;
  const auto listed = co_await metadata_.get(std::string(kInterfaces));
  if (!listed) co_return fail(listed.error());
  const std::vector<std::string> macs = lines_of(*listed);
  if (macs.size() > kInterfacesMax || !std::ranges::all_of(macs, is_mac)) {
    co_return fail(ErrorKind::corrupt, "what it lists as network interfaces are none");
  }
  for (const std::string& mac : macs) {
    const std::string folder = fmt::format("{}{}/ipv4-associations/", kInterfaces, mac);
    const auto associated = or_nothing(co_await metadata_.get(folder));
    if (!associated) co_return fail(associated.error());
    for (const Wanted& wanted : wanted_) {
      if (!lists(*associated, wanted.seen)) continue;
      const auto leads_to = or_nothing(co_await metadata_.get(folder + wanted.seen.to_string()));
      if (!leads_to) co_return fail(leads_to.error());
      if (lists(*leads_to, wanted.here)) confirmed.insert(wanted.source);
    }
  }
  co_return confirmed;
}

bool InstanceAddresses::is_believed() const {
  return told_ && clock_.steady_now() - *told_ < kBelieved;
}

bool InstanceAddresses::confirms(std::string_view source) const {
  const bool is_wanted =
      std::ranges::any_of(wanted_, [&](const Wanted& wanted) { return wanted.source == source; });
  return !is_wanted || (is_believed() && confirmed_.contains(source));
}

void InstanceAddresses::tell_changes(const std::set<std::string, std::less<>>& before) const {
  for (const Wanted& wanted : wanted_) {
    const bool was = before.contains(wanted.source);
    const bool is = confirmed_.contains(wanted.source);
    if (is && !was) {
      log::info("a source's public address leads here",
                {{"source", wanted.source}, {"address", wanted.seen.to_string()}});
    } else if (was && !is) {
      log::warning("a source's public address leads here no more, nothing is sent from it",
                   {{"source", wanted.source}, {"address", wanted.seen.to_string()}});
    }
  }
}

std::vector<InstanceAddresses::Wanted> public_addresses_wanted(const config::Config& config) {
  std::vector<InstanceAddresses::Wanted> wanted;
  for (const config::Config::Egress& source : config.egress) {
    const auto here = net::IpAddress::parse(source.bind_ipv4);
    const auto seen = net::IpAddress::parse(source.ec2_public_ipv4);
    if (here && seen) wanted.push_back({.source = source.name, .here = *here, .seen = *seen});
  }
  return wanted;
}

}  // namespace todoku::app
