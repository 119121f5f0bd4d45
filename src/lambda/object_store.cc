// SPDX-License-Identifier: Apache-2.0
#include "lambda/object_store.h"

#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "http/query.h"

namespace todoku::lambda {
namespace {

// "Signature Calculations for the Authorization Header", S3: every octet but the unreserved ones
// and the slash is encoded, once.
std::string encoded_path(std::string_view key) {
  std::string path;
  for (std::size_t begin = 0;;) {
    const std::size_t slash = key.find('/', begin);
    path += http::percent_encode(key.substr(begin, slash - begin));
    if (slash == std::string_view::npos) return path;
    path += '/';
    begin = slash + 1;
  }
}

Error refusal(int status, const PutObject& object) {
  const std::string what =
      fmt::format("S3 answered {} for {}/{}", status, object.bucket, object.key);
  if (status == 404) return {ErrorKind::not_found, what};
  if (status == 401 || status == 403) {
    return {ErrorKind::unauthorized,
            what + ": allow s3:GetObject on it in the role of the function"};
  }
  if (status == 429 || status >= 500) return {ErrorKind::unavailable, what};
  return {ErrorKind::invalid_input, what};
}

}  // namespace

ObjectPlace place_of(const PutObject& object, std::string_view endpoint) {
  ObjectPlace place;
  std::string_view scheme = "https://";
  const std::string key = "/" + encoded_path(object.key);
  const std::string domain = fmt::format("s3.{}.amazonaws.com{}", object.region,
                                         object.region.starts_with("cn-") ? ".cn" : "");
  if (!endpoint.empty()) {
    const std::size_t host = endpoint.find("://") + 3;
    scheme = endpoint.substr(0, host);
    place.host = endpoint.substr(host);
    if (place.host.ends_with('/')) place.host.pop_back();
    place.path = fmt::format("/{}{}", object.bucket, key);
  } else if (object.bucket.contains('.')) {
    // No certificate of AWS fits a bucket's name with dots.
    place.host = domain;
    place.path = fmt::format("/{}{}", object.bucket, key);
  } else {
    place.host = fmt::format("{}.{}", object.bucket, domain);
    place.path = key;
  }
  if (!object.version.empty()) {
    place.query = "versionId=" + http::percent_encode(object.version);
  }
  place.url = fmt::format("{}{}{}{}{}", scheme, place.host, place.path,
                          place.query.empty() ? "" : "?", place.query);
  return place;
}

Task<Result<Object>> ObjectStore::read(PutObject object, Milliseconds patience) {
  if (object.size > options_.octets_max) {
    co_return fail(ErrorKind::limit_exceeded,
                   fmt::format("{}/{} has {} octets, at most {} are read", object.bucket,
                               object.key, object.size, options_.octets_max));
  }
  const ObjectPlace place = place_of(object, options_.endpoint);
  const Instant at = clock_.now();
  http::ClientRequest request{.url = place.url};
  request.headers.add("Host", place.host);
  request.headers.add("X-Amz-Date", http::amz_date(at));
  request.headers.add("X-Amz-Content-Sha256", sha256_hex(""));
  if (!options_.credentials.session_token.empty()) {
    request.headers.add("X-Amz-Security-Token", options_.credentials.session_token);
  }
  const std::string signature = http::aws_authorization(
      {.method = "GET",
       .path = place.path,
       .query = place.query,
       .headers = request.headers,
       .body = {}},
      options_.credentials, {.region = object.region, .service = "s3", .at = at});
  request.headers.add("Authorization", signature);
  request.timeout = patience;
  request.response_max = options_.octets_max;
  auto answer = co_await http_.fetch(std::move(request));
  if (!answer) co_return fail("S3", std::move(answer.error()));
  if (answer->status != 200) co_return std::unexpected(refusal(answer->status, object));
  co_return Object{.content = std::move(answer->body), .headers = std::move(answer->headers)};
}

}  // namespace todoku::lambda
