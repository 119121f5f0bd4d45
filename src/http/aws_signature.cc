// SPDX-License-Identifier: Apache-2.0
#include "http/aws_signature.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/date_time.h"
#include "base/digest.h"
#include "http/query.h"

namespace todoku::http {
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

CanonicalFields canonical_fields(const Headers& headers) {
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

// The day and what the key is for.
struct Scope {
  std::string_view day;
  std::string_view region;
  std::string_view service;

  [[nodiscard]] std::string text() const {
    return fmt::format("{}/{}/{}/aws4_request", day, region, service);
  }
};

std::string canonical_request(const AwsRequest& request, const CanonicalFields& fields,
                              std::string_view body_hash) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path, request.query,
                     fields.lines, fields.names, body_hash);
}

std::string canonical_request(const AwsRequest& request, const CanonicalFields& fields) {
  return canonical_request(request, fields, sha256_hex(request.body));
}

// `when` as amz_date() writes it.
std::string signature_of(std::string_view canonical, std::string_view when, const Scope& scope,
                         std::string_view secret) {
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, when, scope.text(), sha256_hex(canonical));
  std::string key = chained(fmt::format("AWS4{}", secret), scope.day);
  key = chained(key, scope.region);
  key = chained(key, scope.service);
  key = chained(key, "aws4_request");
  return to_hex(chained(key, to_sign));
}

}  // namespace

std::string amz_date(Instant at) {
  return fmt::format("{:%Y%m%dT%H%M%S}Z", std::chrono::floor<std::chrono::seconds>(at));
}

std::string aws_authorization(const AwsRequest& request, const AwsCredentials& credentials,
                              const AwsScope& scope) {
  const CanonicalFields fields = canonical_fields(request.headers);
  const std::string when = amz_date(scope.at);
  const Scope place{std::string_view(when).substr(0, 8), scope.region, scope.service};
  const std::string signature =
      signature_of(canonical_request(request, fields), when, place, credentials.secret_access_key);
  return fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                     credentials.access_key_id, place.text(), fields.names, signature);
}

namespace {

constexpr std::size_t kAuthorizationOctetsMax = 4096;
constexpr std::size_t kSignatureDigits = 64;
constexpr std::string_view kContentHash = "x-amz-content-sha256";
constexpr std::string_view kInvocationId = "amz-sdk-invocation-id";

std::unexpected<Error> unreadable(std::string_view clause) {
  return fail(ErrorKind::invalid_input, std::string(clause));
}

// What stands behind "name=" in one of the parts between commas; nullopt: none, or twice.
std::optional<std::string_view> part_of(std::string_view parts, std::string_view name) {
  std::optional<std::string_view> found;
  while (!parts.empty()) {
    const std::size_t comma = std::min(parts.find(','), parts.size());
    const std::string_view part = trim(parts.substr(0, comma));
    parts.remove_prefix(std::min(comma + 1, parts.size()));
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || part.substr(0, equals) != name) continue;
    if (found) return std::nullopt;
    found = part.substr(equals + 1);
  }
  return found;
}

std::vector<std::string> split_at(std::string_view text, char separator) {
  std::vector<std::string> all;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    all.emplace_back(text.substr(0, end));
    if (end == text.size()) return all;
    text.remove_prefix(end + 1);
  }
}

bool is_word(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return is_ascii_alphanumeric(c) || c == '-'; });
}

bool are_digits(std::string_view text, std::size_t count) {
  return text.size() == count &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_signature(std::string_view text) {
  return text.size() == kSignatureDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// RFC 9110 section 5.1: what a token is; here in lower case.
bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (is_ascii_alphanumeric(c) && c == ascii_lower(c)) ||
           std::string_view("!#$%&'*+-.^_`|~").contains(c);
  });
}

// "20150830T123600Z"
std::optional<Instant> parse_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  if (!are_digits(text.substr(0, 8), 8) || !are_digits(text.substr(9, 6), 6)) return std::nullopt;
  return parse_date_time(fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2),
                                     text.substr(6, 2), text.substr(9, 2), text.substr(11, 2),
                                     text.substr(13, 2)));
}

bool has_to_be_signed(std::string_view name) {
  return name == "host" || name == kInvocationId || name.starts_with("x-amz-");
}

// Those that were signed, with the values that came; nullopt: one did not come.
std::optional<CanonicalFields> came(const AwsAuthorization& authorization, const Headers& headers) {
  Headers chosen;
  for (const std::string& name : authorization.signed_fields) {
    if (headers.count(name) == 0) return std::nullopt;
    std::string value;
    for (std::size_t i = 0; i < headers.size(); ++i) {
      if (!equals_ignoring_case(headers[i].name, name)) continue;
      if (!value.empty()) value += ',';
      value += canonical_value(headers[i].value);
    }
    chosen.add(name, value);
  }
  return canonical_fields(chosen);
}

// Of all services but S3 a path is encoded once more than it came.
std::string canonical_path(std::string_view path) {
  std::string out;
  while (true) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    out += percent_encode(path.substr(0, slash));
    if (slash == path.size()) return out;
    out += '/';
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<AwsAuthorization> parse_aws_authorization(std::string_view value) {
  value = trim(value);
  if (value.size() > kAuthorizationOctetsMax) return unreadable("Authorization is too long");
  if (!value.starts_with(kAlgorithm)) return unreadable("Authorization is no AWS4-HMAC-SHA256");
  const std::string_view parts = value.substr(kAlgorithm.size());
  const auto credential = part_of(parts, "Credential");
  const auto names = part_of(parts, "SignedHeaders");
  const auto signature = part_of(parts, "Signature");
  if (!credential || !names || !signature) {
    return unreadable("Authorization wants Credential, SignedHeaders and Signature, each once");
  }
  const std::vector<std::string> words = split_at(*credential, '/');
  if (words.size() != 5 || words[4] != "aws4_request" || !are_digits(words[1], 8) ||
      !is_word(words[0]) || !is_word(words[2]) || !is_word(words[3])) {
    return unreadable("Credential is no KEY/DATE/REGION/SERVICE/aws4_request");
  }
  AwsAuthorization read{.access_key_id = words[0],
                        .day = words[1],
                        .region = words[2],
                        .service = words[3],
                        .signed_fields = split_at(*names, ';'),
                        .signature = std::string(*signature)};
  const auto& fields = read.signed_fields;
  const bool in_order = std::ranges::adjacent_find(fields, std::greater_equal()) == fields.end();
  if (!in_order || !std::ranges::all_of(fields, &is_field_name)) {
    return unreadable("SignedHeaders are no names of fields in lower case and in order");
  }
  if (!is_signature(read.signature)) return unreadable("Signature is no 64 hexadecimal digits");
  return read;
}

Result<void> check_aws_head(const AwsAuthorization& authorization, const AwsRequest& request,
                            std::string_view service, Instant now) {
  if (!request.query.empty()) {
    return fail(ErrorKind::unauthorized, "the request has a query, which is not taken here");
  }
  if (authorization.service != service) {
    return fail(ErrorKind::unauthorized,
                fmt::format("Credential should be scoped to the service '{}'", service));
  }
  const auto is_signed = [&](const std::string& name) {
    return std::ranges::binary_search(authorization.signed_fields, name);
  };
  for (const std::string_view name : {"host", "x-amz-date"}) {
    if (!is_signed(std::string(name))) {
      return fail(ErrorKind::invalid_input, fmt::format("'{}' has to be a signed header", name));
    }
  }
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const std::string name = to_ascii_lower(request.headers[i].name);
    if (!has_to_be_signed(name)) continue;
    if (!is_signed(name)) {
      return fail(ErrorKind::invalid_input, fmt::format("'{}' has to be a signed header", name));
    }
    if (request.headers.count(name) > 1) {
      return fail(ErrorKind::unauthorized, fmt::format("'{}' is there twice", name));
    }
  }
  if (request.headers.count("x-amz-security-token") > 0) {
    return fail(ErrorKind::unauthorized, "there are no session tokens here");
  }
  const std::string_view date = request.headers.get("x-amz-date");
  const auto at = parse_amz_date(date);
  if (!at || date.substr(0, 8) != authorization.day) {
    return fail(ErrorKind::timeout, "X-Amz-Date is no date of the credential's day");
  }
  if (*at < now - kAwsClockSkewMax || *at > now + kAwsClockSkewMax) {
    return fail(
        ErrorKind::timeout,
        fmt::format("Signature expired: {} is not within 5 minutes of {}", date, amz_date(now)));
  }
  return {};
}

bool aws_signature_fits(const AwsAuthorization& authorization, const AwsRequest& request,
                        std::string_view secret) {
  const auto fields = came(authorization, request.headers);
  if (!fields) return false;
  const std::string hash = sha256_hex(request.body);
  if (const auto said = request.headers.find(kContentHash); said && *said != hash) return false;
  const std::string path = canonical_path(request.path);
  const AwsRequest canonical{.method = request.method,
                             .path = path,
                             .query = request.query,
                             .headers = request.headers,
                             .body = request.body};
  const Scope place{authorization.day, authorization.region, authorization.service};
  const std::string signature = signature_of(canonical_request(canonical, *fields, hash),
                                             request.headers.get("x-amz-date"), place, secret);
  return equal_in_constant_time(signature, authorization.signature);
}

}  // namespace todoku::http
