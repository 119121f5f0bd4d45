// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/dialer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <ranges>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>

#include "store/postgres/words.h"

namespace todoku::store::postgres {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
struct FreeConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, FreeConnection>;
using Pairs = std::vector<std::pair<const char*, std::string>>;

// What a network that swallows packets would otherwise make us wait for. The address may say
// otherwise.
constexpr std::array<std::pair<const char*, const char*>, 8> kDefaults{{
    {"client_encoding", "UTF8"},
    {"keepalives", "1"},
    {"keepalives_idle", "10"},
    {"keepalives_interval", "5"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "10000"},
    {"target_session_attrs", "read-write"},
    {"application_name", "todoku"},
}};

// Of libpq, which would write it to standard error: no line of our log.
void take_notice(void* /*of*/, const char* words) {
  log_words(Words::notice, "the database gives notice", words);
}

// Without the lines that say where in the server's source.
std::string why_not(PGconn* connection) {
  std::string_view rest = PQerrorMessage(connection);
  std::string said;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.empty() || line.starts_with("LOCATION:")) continue;
    if (!said.empty()) said += '\n';
    said += line;
  }
  return said;
}

// libpq's own limit is not asked for by a connection that is made without blocking.
Result<void> wait_for(PGconn* connection, Milliseconds most, SteadyInstant until) {
  const SystemClock machine;  // bounds a wait for the network
  const SteadyInstant began = machine.steady_now();
  const SteadyInstant deadline = std::min(began + most, until);
  // What fails at once (nobody listens at a Unix socket) has no socket to wait at.
  auto state =
      PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) {
      return fail(ErrorKind::unavailable,
                  fmt::format("cannot connect to the database: {}", why_not(connection)));
    }
    const auto left = std::chrono::ceil<Milliseconds>(deadline - machine.steady_now()).count();
    pollfd wait{PQsocket(connection),
                static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) == 0) {
      return fail(
          ErrorKind::unavailable,
          fmt::format("cannot connect to the database: no answer within {} ms",
                      std::chrono::ceil<Milliseconds>(machine.steady_now() - began).count()));
    }
    state = PQconnectPoll(connection);
  }
  return {};
}

// What names each host of an address: libpq gives lists, by commas, of hosts, of their addresses
// and of their ports, of which there may be one for all. Lists that do not fit are left to libpq,
// which says so.
std::vector<Pairs> hosts_of(const PQconninfoOption* options) {
  constexpr std::array<std::string_view, 3> kLists{"host", "hostaddr", "port"};
  std::vector<Pairs> hosts(1);
  for (const PQconninfoOption* each = options; each->keyword != nullptr; ++each) {
    if (each->val == nullptr || std::ranges::find(kLists, each->keyword) == kLists.end()) continue;
    if (std::string_view(each->val).find(',') == std::string_view::npos) continue;
    std::vector<std::string> parts;
    for (const auto part : std::views::split(std::string_view(each->val), ',')) {
      parts.emplace_back(part.begin(), part.end());
    }
    if (hosts.size() == 1) hosts.resize(parts.size());
    if (hosts.size() != parts.size()) return std::vector<Pairs>(1);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      hosts[i].emplace_back(each->keyword, std::move(parts[i]));
    }
  }
  return hosts;
}

}  // namespace

struct Dialer::Attempt {
  Connection connection;
  Result<void> made;
};

// What is said for all hosts, and for each.
struct Dialer::Address {
  std::unique_ptr<PQconninfoOption, FreeOptions> parsed;
  std::vector<Pairs> hosts;  // at least one
};

Result<Dialer::Attempt> Dialer::attempt(const Address& address, std::size_t host,
                                        SteadyInstant until) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  const auto say = [&](const char* name, const char* value) {  // the last of a name counts
    names.push_back(name);
    values.push_back(value);
  };
  for (const auto& [name, value] : kDefaults) say(name, value);
  for (const PQconninfoOption* each = address.parsed.get(); each->keyword != nullptr; ++each) {
    if (each->val != nullptr) say(each->keyword, each->val);
  }
  for (const auto& [name, value] : address.hosts[host]) say(name, value.c_str());
  std::string password;
  if (options_.password) {
    auto asked = options_.password();
    if (!asked) return fail("the password of the database", std::move(asked.error()));
    password = std::move(*asked);
    say("password", password.c_str());
  }
  say(nullptr, nullptr);
  Connection connection(PQconnectStartParams(names.data(), values.data(), 0));
  if (connection == nullptr) return fail(ErrorKind::unavailable, "out of memory");
  PQsetNoticeProcessor(connection.get(), take_notice, nullptr);
  // With its SQLSTATE, which libpq tells of a connection that failed in no other way.
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  auto made = wait_for(connection.get(), options_.connect_max, until);
  PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
  return Attempt{std::move(connection), std::move(made)};
}

Result<std::unique_ptr<Link>> Dialer::dial_host(const Address& address, std::size_t host,
                                                SteadyInstant until) {
  for (const bool again : {false, true}) {
    if (stopped_) break;
    auto tried = attempt(address, host, until);
    if (!tried) return fail(std::move(tried.error()));
    if (tried->made) return std::make_unique<Link>(tried->connection.release());
    const bool refused = PQconnectionUsedPassword(tried->connection.get()) != 0;
    if (again || !refused || !options_.password) return fail(std::move(tried->made.error()));
  }
  return fail(ErrorKind::unavailable, "the store is closing");
}

// One host after the other, each with a limit of its own: libpq, which would take the list, waits
// for the first that swallows what it is sent, and asks no other.
Result<std::unique_ptr<Link>> Dialer::dial(SteadyInstant until) {
  const std::lock_guard lock(one_at_a_time_);
  char* wrong = nullptr;
  Address address;
  address.parsed.reset(PQconninfoParse(options_.address.c_str(), &wrong));
  if (address.parsed == nullptr) {
    const std::string text = wrong == nullptr ? "out of memory" : wrong;
    PQfreemem(wrong);
    return fail(ErrorKind::invalid_input,
                fmt::format("the address of the database cannot be read: {}", text));
  }
  address.hosts = hosts_of(address.parsed.get());
  const std::size_t count = address.hosts.size();
  hosts_ = count;
  std::optional<Error> failed;
  for (std::size_t n = 0, first = first_; n < count; ++n) {
    const std::size_t host = (first + n) % count;
    auto dialed = dial_host(address, host, until);
    if (dialed) {
      first_ = host;
      (*dialed)->set_host(host);
      return dialed;
    }
    if (!failed) {
      failed = std::move(dialed.error());
    } else {
      failed->detail += "; and " + dialed.error().detail;
    }
  }
  return fail(std::move(*failed));
}

bool Dialer::turn_away(const Link& link) {
  const std::size_t hosts = hosts_;
  if (hosts < 2) return false;
  // Several may fall silent together: only the first of them turns away.
  std::size_t host = link.host();
  first_.compare_exchange_strong(host, (link.host() + 1) % hosts);
  return true;
}

bool is_full(const Error& error) {
  return error.kind == ErrorKind::unavailable && error.detail.contains("  53300: ");
}

bool is_refused(const Error& error) {
  return error.kind == ErrorKind::unavailable &&
         (error.detail.contains("  28P01: ") || error.detail.contains("  28000: "));
}

Milliseconds wait_before_dialing(int failures, double random) {
  constexpr double kFirst = 100;
  constexpr double kMost = 5'000;
  const double most = std::min(kFirst * std::pow(2.0, std::min(failures, 16)), kMost);
  return Milliseconds(static_cast<std::int64_t>(most * random));
}

}  // namespace todoku::store::postgres
