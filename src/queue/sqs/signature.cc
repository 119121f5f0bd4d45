// SPDX-License-Identifier: Apache-2.0
#include "queue/sqs/signature.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"

namespace todoku::queue::sqs {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// Without spaces at its ends, and one where several stand together.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : trim(value)) {
    if (c == ' ' && !out.empty() && out.back() == ' ') continue;
    out += c;
  }
  return out;
}

struct CanonicalFields {
  std::string lines;  // "host:example.com\n"
  std::string names;  // "host;x-amz-date"
};

CanonicalFields canonical_fields(const http::Headers& headers) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    fields.emplace_back(to_ascii_lower(headers[i].name), canonical_value(headers[i].value));
  }
  std::ranges::sort(fields);
  CanonicalFields out;
  for (const auto& [name, value] : fields) {
    out.lines += fmt::format("{}:{}\n", name, value);
    if (!out.names.empty()) out.names += ';';
    out.names += name;
  }
  return out;
}

std::string chained(std::string_view key, std::string_view text) {
  const Sha256 digest = hmac_sha256(key, text);
  return std::string(as_text(digest));
}

}  // namespace

std::string amz_date(Instant at) {
  return fmt::format("{:%Y%m%dT%H%M%S}Z", std::chrono::floor<std::chrono::seconds>(at));
}

std::string authorization(const RequestToSign& request, const Credentials& credentials,
                          const SigningScope& scope) {
  const CanonicalFields fields = canonical_fields(request.headers);
  const std::string canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path, request.query,
                  fields.lines, fields.names, sha256_hex(request.body));
  const std::string when = amz_date(scope.at);
  const std::string_view day = std::string_view(when).substr(0, 8);
  const std::string place = fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, when, place, sha256_hex(canonical));
  std::string key = chained("AWS4" + credentials.secret_access_key, day);
  key = chained(key, scope.region);
  key = chained(key, scope.service);
  key = chained(key, "aws4_request");
  return fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                     credentials.access_key_id, place, fields.names, to_hex(chained(key, to_sign)));
}

}  // namespace todoku::queue::sqs
