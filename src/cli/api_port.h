// SPDX-License-Identifier: Apache-2.0
// How senders' commands reach the REST API (docs/api.md), here or elsewhere. Nothing but the public
// API: what is said here any client can say.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/bilingual.h"
#include "base/result.h"
#include "http/headers.h"

namespace todoku::cli {

// Where an API is, and who asks.
struct ApiAddress {
  std::string url;                        // "https://mail.example.jp", without /api/v1 and its "/"
  std::string account;                    // the login id
  std::string key;                        // a secret
  std::string ca_file;                    // PEM bundle of trusted roots; empty: the system's
  Language language = Language::english;  // of its sentences
};

struct ApiRequest {
  std::string method = "GET";
  std::string target;  // path below /api/v1 and query, encoded: "/deliveries?size=10"
  std::string body;
  std::string content_type = "application/json";  // of a body that is not empty
  std::string content_encoding = {};              // likewise; empty: it is as it is
  std::string idempotency_key;                    // empty: none
  // A member that every success has, an id as a positive number and "data" as a list: another's 200
  // (a portal's, a proxy's) is none. Empty: that it is a JSON object is enough.
  std::string answered_with = {};
  bool answered_in_csv = false;               // a success is a list as text/csv instead
  bool answered_in_zip = false;               // ... or an archive, application/zip
  bool answered_in_message = false;           // ... or a mail, message/rfc822
  std::chrono::milliseconds timeout{60'000};  // for everything
  // Octets of an answer that are read; the largest is a suppression list as CSV.
  std::size_t answer_max = std::size_t{256} << 20U;
};

struct ApiAnswer {
  int status = 0;
  http::Headers headers;
  std::string body;
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

// How an answer that goes on is taken. Both are called while stream() waits, on another thread.
struct ApiStream {
  std::string last_event_id;                         // Last-Event-ID; empty: none
  std::function<bool(std::string_view piece)> take;  // false: enough
  std::function<bool()> goes_on;                     // asked about every second; false: enough
  std::chrono::milliseconds silence_max{45'000};     // then the connection is taken for lost
};

class ApiPort {
 public:
  virtual ~ApiPort() = default;
  // Any status is an answer. Errors: those of http::Client::fetch().
  [[nodiscard]] virtual Result<ApiAnswer> call(const ApiRequest& request) = 0;
  // Asks for a stream of server-sent events, and gives it out as it comes; returns when it has
  // ended. The answer's body is that of a refusal. Errors: the same; cancelled, where `stream` said
  // that it is enough; corrupt, where a success is no such stream.
  [[nodiscard]] virtual Result<ApiAnswer> stream(const ApiRequest& request,
                                                 const ApiStream& stream) = 0;
};

}  // namespace todoku::cli
