// SPDX-License-Identifier: Apache-2.0
// How the server for returned mail is set up.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/endpoint.h"
#include "store/suppressions.h"

namespace todoku::inbound {

// Of the address that leaves lists, at each of the domains.
inline constexpr std::string_view kUnsubscribeLocalPart = "unsubscribe";

// Where a filter listens: a Unix socket, or TCP.
struct FilterAddress {
  std::string path;  // empty: `at`
  net::Endpoint at;

  [[nodiscard]] std::string to_string() const { return path.empty() ? at.to_string() : path; }
};

struct InboundOptions {
  std::string hostname;  // of the greeting
  std::vector<net::Endpoint> listen;
  std::vector<std::string> domains;  // A-labels in lower case
  // Where reports on our domains come to (DMARC rua, TLS-RPT), in lower case; of any domain.
  std::vector<std::string> report_addresses;
  // Who reads what comes to abuse@ and postmaster@, and the account whose mail that is. Empty:
  // nobody, and it is refused.
  std::string forward_to;
  std::string forward_account;

  std::uint64_t message_octets_max = 0;
  std::size_t content_octets_max = std::size_t{64} << 20U;  // in memory, of all messages
  std::size_t connections_max = 0;
  std::size_t connections_per_network_max = 0;
  std::int64_t network_messages_per_minute = 0;    // 0: no limit
  std::int64_t recipient_messages_per_minute = 0;  // to one return path; 0: no limit
  std::int64_t forwarded_per_hour = 60;
  Milliseconds idle{0};
  std::vector<FilterAddress> filters;  // in their order
  // A filter that cannot be asked is passed over; else mail is answered 451 meanwhile.
  bool passes_over_filters = false;
  Milliseconds filter_lasts_max = std::chrono::seconds(30);  // of one filter and mail
  Milliseconds mail_lasts_max = std::chrono::minutes(10);    // the content of one mail
  store::ErrorStop error_stop;
};

}  // namespace todoku::inbound
