// SPDX-License-Identifier: Apache-2.0
// An HTTP client over libcurl: Amazon SQS, webhooks, the command line speaking to the engine's Unix
// socket, tests. One thread of its own drives all transfers; nobody else waits in a system call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/headers.h"
#include "net/endpoint.h"

namespace todoku::http {

struct ClientOptions {
  std::string ca_file;  // PEM bundle of trusted roots; empty: the system's
  std::string user_agent = "todoku";
  std::string proxy;                          // URL; empty: none, whatever the environment says
  std::size_t transfers_max = 1024;           // under way or waiting; more are refused
  std::size_t connections_per_host_max = 16;  // further transfers wait
  std::size_t connections_idle_max = 0;       // kept for reuse; 0: as many as libcurl thinks fit
  bool http2 = true;                          // where a server offers it
};

// What a transfer came to, whether it has a response or not.
struct TransferFacts {
  std::optional<net::Endpoint> peer;  // connected to, or last tried
  // Somebody was tried, and no connection came about: nothing of the request has left us.
  bool never_connected = false;
  bool cut = false;  // the body was longer than response_max, see ends_at_response_max
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // http or https; user and password in it become Basic authentication
  Headers headers;
  std::string body;
  std::string unix_socket;  // path: connect there instead of to the URL's host
  // Connect there, whatever the URL's host and port are; these stay what the server is asked for
  // and has to prove. Nobody resolves a name then.
  std::optional<net::Endpoint> connect_to;

  Milliseconds connect_timeout{10'000};
  Milliseconds timeout{30'000};  // for everything; 0: it may take for ever
  Milliseconds silence_max{0};   // without an octet of the response, whole seconds; 0: as `timeout`
  std::size_t response_max = std::size_t{1} << 20U;  // octets of the body
  // A longer body ends there and is a response all the same, with TransferFacts::cut.
  bool ends_at_response_max = false;
  std::size_t response_kept =
      SIZE_MAX;           // octets of the body that are handed over, of its beginning
  int redirects_max = 0;  // 0: a redirect is the response

  // Takes the body of a success (2xx) as it comes, on the client's thread, instead of its being
  // kept; response_max does not hold for it. `head` has status and header fields. False ends the
  // transfer with `cancelled`.
  std::function<bool(const ClientResponse& head, std::string_view piece)> take;
  // Asked about every second on the client's thread; false ends the transfer with `cancelled`.
  std::function<bool()> goes_on;

  // Asked with every address and port before it is connected to, on the client's thread; false
  // refuses it. For URLs chosen by tenants, which must not reach into the private network.
  std::function<bool(const net::Endpoint&)> may_connect;

  std::shared_ptr<TransferFacts> facts;  // filled in before fetch() answers; may be null
};

class Client {
 public:
  explicit Client(const ClientOptions& options = {});
  // Ends transfers that are under way with `cancelled`.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Any status is a response. From any executor. A task that is cancelled breaks the transfer off.
  // Errors: timeout, unavailable (no such host, refused, transfers_max reached), closed (the peer
  // broke off), limit_exceeded (response_max), corrupt (more than 64 KiB of header), unauthorized
  // (the certificate is not trusted, or may_connect said no), invalid_input (the URL), cancelled,
  // io.
  [[nodiscard]] Task<Result<ClientResponse>> fetch(ClientRequest request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace todoku::http
