// SPDX-License-Identifier: Apache-2.0
// How the protection of connections to receivers fared, by day and domain.
#include <chrono>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "mail/address.h"
#include "operate/operations.h"

namespace todoku::operate {

Task<Result<std::vector<store::TlsCount>>> Operations::tls_report(TlsReportRequest request) {
  store::TlsCountQuestion question{.domain = std::nullopt, .limit = request.limit};
  const auto today = std::chrono::floor<std::chrono::days>(clock_.now());
  question.first_day = today.time_since_epoch().count() - (request.days - 1);
  if (!request.domain.empty()) {
    auto domain = to_ascii_domain(trim(request.domain));
    if (!domain) co_return fail("domain", std::move(domain.error()));
    question.domain = to_ascii_lower(*domain);
  }
  co_return co_await store_.read(
      [question](store::ReadTransaction& reader) { return reader.tls_counts(question); });
}

}  // namespace todoku::operate
