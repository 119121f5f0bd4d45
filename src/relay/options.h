// SPDX-License-Identifier: Apache-2.0
// How the relay is set up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/endpoint.h"
#include "net/network.h"

namespace todoku::relay {

enum class ListenerTls : std::uint8_t {
  starttls,  // in clear until STARTTLS
  implicit,  // TLS from the first octet (RFC 8314)
  none,
};

// What is taken in a minute; 0: no limit.
struct MinuteLimits {
  std::int64_t messages = 0;
  std::int64_t recipients = 0;
  std::int64_t octets = 0;  // of messages
};

struct ListenerOptions {
  std::string name;  // for logs and metrics, e.g. "587"
  net::Endpoint at;
  ListenerTls tls = ListenerTls::starttls;
  // AUTH is taken without TLS: passwords travel in clear.
  bool auth_in_clear = false;
  // Connections come by a proxy that says whom it speaks for (PROXY protocol); from anybody else
  // they are refused.
  bool proxy_protocol = false;
  std::vector<net::Network> proxy_networks;
  // For devices, which cannot log in: who comes from these networks sends as this account, from
  // this domain or one below it. Empty: everybody logs in.
  std::vector<net::Network> device_networks;
  std::string device_account;
  std::string device_domain;
  bool old_tls = false;
  // A Unix socket at this path instead of `at`, for users of this machine: everybody may connect,
  // and whoever does sends by the credential that has the user's uid. Nobody logs in.
  std::string socket;
  MinuteLimits per_minute;
  std::int64_t connections_max = 0;  // at once; 0: no limit of its own
  [[nodiscard]] bool is_for_devices() const { return !device_account.empty(); }
  [[nodiscard]] bool is_for_users() const { return !socket.empty(); }
};

// 0 where there is no other number: what is usual, the configuration alone says
// (config/keys_relay.cc), and it knows no 0 there.
struct RelayOptions {
  std::string hostname;  // of the greeting and of Received
  std::vector<std::string> own_names;
  std::string message_id_domain;
  std::string closed_account = {};  // nobody sends as this one; empty: there is none
  std::uint64_t message_octets_max = 0;
  std::size_t content_octets_max = std::size_t{512} << 20U;  // in memory, of all messages
  std::size_t recipients_max = 0;
  std::uint64_t device_message_octets_max = 0;
  std::size_t device_recipients_max = 0;
  std::int64_t device_messages_per_minute = 0;
  std::size_t connections_max = 0;
  std::size_t connections_per_network_max = 0;   // 0: no limit
  std::int64_t connections_per_account_max = 0;  // of all its credentials; 0: no limit
  MinuteLimits of_network;
  MinuteLimits of_account;
  Milliseconds idle{0};
  std::vector<ListenerOptions> listeners;
};

}  // namespace todoku::relay
