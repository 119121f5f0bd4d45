// SPDX-License-Identifier: Apache-2.0
// Reads objects of Amazon S3 (GetObject), signed with Signature Version 4.
#pragma once

#include <cstddef>
#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/aws_signature.h"
#include "http/client.h"
#include "lambda/events.h"

namespace todoku::lambda {

struct ObjectStoreOptions {
  std::string endpoint;  // URL without a path, for tests and VPC endpoints; empty: the region's own
  std::size_t octets_max = std::size_t{64} << 20U;  // of one object
  http::AwsCredentials credentials;
};

struct Object {
  std::string content;
  http::Headers headers;  // x-amz-meta-...: what its owner says of it
};

// Where an object is asked for.
struct ObjectPlace {
  std::string url;
  std::string host;   // as Host says it
  std::string path;   // encoded once, as S3 signs it
  std::string query;  // "versionId=..." or empty
};
[[nodiscard]] ObjectPlace place_of(const PutObject& object, std::string_view endpoint);

class ObjectStore {
 public:
  // Both outlive it.
  ObjectStore(ObjectStoreOptions options, http::Client& http, const Clock& clock)
      : options_(std::move(options)), http_(http), clock_(clock) {}

  // Errors: not_found, unauthorized (the detail says what to do), limit_exceeded, unavailable,
  // timeout.
  Task<Result<Object>> read(PutObject object, Milliseconds patience);

 private:
  const ObjectStoreOptions options_;
  http::Client& http_;
  const Clock& clock_;
};

}  // namespace todoku::lambda
