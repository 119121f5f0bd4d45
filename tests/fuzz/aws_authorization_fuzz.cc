// SPDX-License-Identifier: Apache-2.0
// Authorization as a client of Amazon SES writes it, or anybody else. Oracles: what is read is
// bounded and in order, and reads the same when it is written again; a request that was signed with
// another secret is never believed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "http/aws_signature.h"

namespace todoku::http {
namespace {

void run(std::string_view input) {
  const auto read = parse_aws_authorization(input);
  if (!read) return;
  check(read->signature.size() == 64, "a signature has its length");
  check(std::ranges::adjacent_find(read->signed_fields, std::greater_equal()) ==
            read->signed_fields.end(),
        "fields are in order and none is there twice");
  const std::string written = fmt::format(
      "AWS4-HMAC-SHA256 Credential={}/{}/{}/{}/aws4_request, SignedHeaders={}, Signature={}",
      read->access_key_id, read->day, read->region, read->service,
      fmt::join(read->signed_fields, ";"), read->signature);
  const auto again = parse_aws_authorization(written);
  check(again && again->access_key_id == read->access_key_id &&
            again->signed_fields == read->signed_fields && again->signature == read->signature,
        "what was read reads the same");
  Headers headers;
  headers.add("Host", "mail.example.jp");
  headers.add("X-Amz-Date", "20150830T123600Z");
  const AwsRequest request{.method = "POST", .path = input, .headers = headers, .body = input};
  (void)check_aws_head(*read, request, "ses", from_epoch_ms(1'440'938'160'000));
  check(!aws_signature_fits(*read, request, "a secret that signed nothing"),
        "nobody else's signature fits");
}

}  // namespace
}  // namespace todoku::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::http::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
