// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4 of one request ("Signature Version 4 signing process", AWS General
// Reference). Pure. libcurl's own (CURLOPT_AWS_SIGV4) signs fields that it does not send when a
// field is left out on purpose, as http::Client does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/headers.h"

namespace todoku::queue::sqs {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;       // empty: lasting credentials
  std::optional<Instant> expires;  // nullopt: never
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// A request as it goes over the wire. `path` and `query` are canonical already: encoded, and the
// query's parameters in order. SQS needs "/" and "".
struct RequestToSign {
  std::string_view method;
  std::string_view path = "/";
  std::string_view query;
  const http::Headers& headers;  // all of them are signed; Host and X-Amz-Date must be among them
  std::string_view body;
};

struct SigningScope {
  std::string_view region;
  std::string_view service;
  Instant at{};
};

// "20150830T123600Z": what X-Amz-Date says.
[[nodiscard]] std::string amz_date(Instant at);

// The value of Authorization.
[[nodiscard]] std::string authorization(const RequestToSign& request,
                                        const Credentials& credentials, const SigningScope& scope);

}  // namespace todoku::queue::sqs
