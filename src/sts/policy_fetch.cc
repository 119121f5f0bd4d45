// SPDX-License-Identifier: Apache-2.0
#include "sts/policy_fetch.h"

#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::sts {
namespace {

using mailauth::mta_sts::Fault;
using mailauth::mta_sts::Fetched;
using mailauth::mta_sts::FetchFailure;
using mailauth::mta_sts::kPolicyOctetsMax;

constexpr int kOk = 200;

std::unexpected<FetchFailure> faulty(Fault fault, std::string reason) {
  return std::unexpected(FetchFailure{.fault = fault, .reason = std::move(reason)});
}

// RFC 8461 section 3.2: parameters, such as charset, are passed over.
bool is_plain_text(std::string_view type) {
  return equals_ignoring_case(trim(type.substr(0, type.find(';'))), "text/plain");
}

}  // namespace

Fetched judge_answer(const http::GuardedAnswer& answer) {
  if (!answer.response) {
    const Error& error = answer.response.error();
    if (error.kind == ErrorKind::limit_exceeded) {
      return std::unexpected(FetchFailure{
          .reason = "too many policies are being fetched from the same address", .is_busy = true});
    }
    // Somebody was connected to: it is the certificate that is not good enough.
    const bool is_certificate = error.kind == ErrorKind::unauthorized && answer.peer;
    return faulty(is_certificate ? Fault::webpki_invalid : Fault::policy_fetch_error, error.detail);
  }
  const http::ClientResponse& response = *answer.response;
  if (response.status != kOk) {
    return faulty(Fault::policy_fetch_error,
                  fmt::format("the policy host answers with status {}", response.status));
  }
  if (!is_plain_text(response.headers.get("Content-Type"))) {
    return faulty(Fault::policy_invalid, "the policy is not served as text/plain");
  }
  if (answer.cut) {
    return faulty(Fault::policy_invalid,
                  fmt::format("the policy is longer than {} octets", kPolicyOctetsMax));
  }
  auto policy = mailauth::mta_sts::parse_policy(response.body);
  if (!policy) return faulty(Fault::policy_invalid, std::move(policy.error().detail));
  return std::move(*policy);
}

Task<Fetched> WebPolicyFetch::fetch(std::string domain) {
  const std::string port = options_.port == 443 ? "" : fmt::format(":{}", options_.port);
  auto url = http::TargetUrl::parse(
      fmt::format("https://mta-sts.{}{}/.well-known/mta-sts.txt", domain, port));
  if (!url) co_return faulty(Fault::policy_fetch_error, url.error().detail);
  http::GuardedRequest request;
  request.url = std::make_shared<const http::TargetUrl>(std::move(*url));
  request.method = "GET";
  request.timeout = options_.timeout;
  request.answer_max = kPolicyOctetsMax;
  request.answer_kept = kPolicyOctetsMax;
  const http::GuardedAnswer answer = co_await client_.send(std::move(request));
  co_return judge_answer(answer);
}

}  // namespace todoku::sts
