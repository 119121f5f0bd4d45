// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4 of one request ("Signature Version 4 signing process", AWS General
// Reference). Pure. libcurl's own (CURLOPT_AWS_SIGV4) signs fields that it does not send when a
// field is left out on purpose, as http::Client does. And whether a request that came is signed so.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/headers.h"

namespace todoku::http {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;       // empty: lasting credentials
  std::optional<Instant> expires;  // nullopt: never
  friend bool operator==(const AwsCredentials&, const AwsCredentials&) = default;
};

// A request as it goes over the wire. `path` and `query` are canonical already: encoded, and the
// query's parameters in order. SQS needs "/" and "".
struct AwsRequest {
  std::string_view method;
  std::string_view path = "/";
  std::string_view query;
  const Headers& headers;  // all of them are signed; Host and X-Amz-Date must be among them
  std::string_view body;
};

struct AwsScope {
  std::string_view region;
  std::string_view service;
  Instant at{};
};

// "20150830T123600Z": what X-Amz-Date says.
[[nodiscard]] std::string amz_date(Instant at);

// The value of Authorization: signed with all fields there are.
[[nodiscard]] std::string aws_authorization(const AwsRequest& request,
                                            const AwsCredentials& credentials,
                                            const AwsScope& scope);

// What such a value says.
struct AwsAuthorization {
  std::string access_key_id;
  std::string day;  // "20150830"
  std::string region;
  std::string service;
  std::vector<std::string> signed_fields;  // lower case, in order, none twice
  std::string signature;                   // 64 hexadecimal digits
};

// Errors: invalid_input with one clause. Of a request that is signed in its query there is none.
[[nodiscard]] Result<AwsAuthorization> parse_aws_authorization(std::string_view value);

// How far a request's clock may be from ours.
inline constexpr std::chrono::minutes kAwsClockSkewMax{5};

// Whether a request may be believed once its signature fits, as far as its head tells: it has no
// query, so none with a signature; Host, X-Amz-Date and all other X-Amz- and Amz-Sdk-Invocation-Id
// fields that it has are signed; its time is within kAwsClockSkewMax of `now` and of the scope's
// day; it is for `service`; no session token. Errors, each with a clause: invalid_input (not all is
// signed that has to be), timeout (its time), unauthorized (any other).
[[nodiscard]] Result<void> check_aws_head(const AwsAuthorization& authorization,
                                          const AwsRequest& request, std::string_view service,
                                          Instant now);

// Whether the request was signed with this secret: method, path, every signed field and the body.
// X-Amz-Content-Sha256 has to be the body's own, if it is there: nothing unsigned, no stream.
// `request.path` is as it came, still encoded.
[[nodiscard]] bool aws_signature_fits(const AwsAuthorization& authorization,
                                      const AwsRequest& request, std::string_view secret);

}  // namespace todoku::http
