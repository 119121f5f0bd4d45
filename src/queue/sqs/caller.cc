// SPDX-License-Identifier: Apache-2.0
#include "queue/sqs/caller.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "async/timer.h"
#include "base/bytes.h"
#include "base/log.h"
#include "http/aws_signature.h"
#include "queue/sqs/instants.h"

namespace todoku::queue::sqs {
namespace {

using namespace std::chrono_literals;

constexpr Backoff kBetweenTries{.first = 100ms, .longest = 5s};
// Signatures are refused when they are five minutes off; what is less is nobody's affair.
constexpr Milliseconds kNoSkew = 30s;

template <std::size_t N>
bool is_one_of(std::string_view code, const std::array<std::string_view, N>& codes) {
  return std::ranges::find(codes, code) != codes.end();
}

bool is_throttled(std::string_view code) {
  constexpr std::array<std::string_view, 6> kCodes = {
      "ThrottlingException",      "RequestThrottled", "Throttling",
      "TooManyRequestsException", "OverLimit",        "SlowDown"};
  return is_one_of(code, kCodes);
}

bool is_about_credentials(std::string_view code) {
  constexpr std::array<std::string_view, 6> kCodes = {
      "ExpiredToken",    "ExpiredTokenException",       "InvalidClientTokenId",
      "InvalidSecurity", "UnrecognizedClientException", "InvalidAccessKeyId"};
  return is_one_of(code, kCodes);
}

// Each of them may mean that the clocks differ.
bool is_about_signature(std::string_view code) {
  constexpr std::array<std::string_view, 5> kCodes = {
      "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired",
      "RequestTimeTooSkewed", "IncompleteSignature"};
  return is_one_of(code, kCodes);
}

bool is_no_queue(std::string_view code) {
  constexpr std::array<std::string_view, 3> kCodes = {
      "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "NonExistentQueue"};
  return is_one_of(code, kCodes);
}

bool is_denied(std::string_view code) {
  constexpr std::array<std::string_view, 3> kCodes = {"AccessDenied", "AccessDeniedException",
                                                      "KmsAccessDenied"};
  return is_one_of(code, kCodes);
}

// Batches need the right to do the same once ("Amazon SQS API permissions").
std::string_view right_of(Action action) {
  std::string_view right = name_of(action);
  if (right.ends_with("Batch")) right.remove_suffix(5);
  return right;
}

CallFailure failure(ErrorKind kind, Action action, const Refusal& refusal,
                    std::string_view what_to_do = {}) {
  std::string detail = fmt::format("{} was refused with {}", name_of(action), refusal.code);
  if (!refusal.message.empty()) detail += fmt::format(" ({})", refusal.message);
  if (!what_to_do.empty()) detail += fmt::format(": {}", what_to_do);
  return {.error = {kind, std::move(detail)}, .code = refusal.code};
}

}  // namespace

Result<Endpoint> Endpoint::make(std::string_view url, std::string_view region) {
  if (url.empty()) {
    const std::string host =
        fmt::format("sqs.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
    return Endpoint{.url = fmt::format("https://{}/", host), .host = host};
  }
  const bool tls = url.starts_with("https://");
  if (!tls && !url.starts_with("http://")) {
    return fail(ErrorKind::invalid_input, "the endpoint must begin with https:// or http://");
  }
  std::string_view host = url.substr(tls ? 8 : 7);
  if (host.ends_with('/')) host.remove_suffix(1);
  if (host.empty() || host.find_first_of("/?#@ ") != std::string_view::npos) {
    return fail(ErrorKind::invalid_input, "the endpoint must be a host, perhaps with a port");
  }
  const std::string_view usual = tls ? ":443" : ":80";
  if (host.ends_with(usual)) host.remove_suffix(usual.size());
  return Endpoint{.url = fmt::format("{}{}/", tls ? "https://" : "http://", host),
                  .host = to_ascii_lower(host)};
}

Caller::Caller(Endpoint endpoint, std::string region, http::Client& http,
               CredentialSource& credentials, const Clock& clock, Random& random, Metrics& metrics)
    : endpoint_(std::move(endpoint)),
      region_(std::move(region)),
      http_(http),
      credentials_(credentials),
      clock_(clock),
      random_(random),
      skew_gauge_(metrics.gauge("todoku_sqs_clock_skew_seconds",
                                "By how much the clock of SQS was found ahead of ours.")) {
  for (std::size_t i = 0; i < kActions; ++i) {
    const std::string_view action = name_of(static_cast<Action>(i));
    counts_[i] = {
        .calls = &metrics.counter("todoku_sqs_calls_total", "Calls of SQS, repetitions included.",
                                  {{"action", action}}),
        .failures = &metrics.counter("todoku_sqs_failures_total", "Calls of SQS that failed.",
                                     {{"action", action}})};
  }
}

Task<std::expected<std::string, CallFailure>> Caller::call(Action action, std::string body,
                                                           CallBounds bounds) {
  const SteadyInstant deadline = clock_.steady_now() + bounds.all;
  bool credentials_changed = false;
  bool clock_corrected = false;
  for (std::uint32_t tries = 1;; ++tries) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - clock_.steady_now());
    auto tried = co_await attempt(action, body, std::clamp(left, 1ms, bounds.once));
    if (tried.outcome) co_return std::move(tried.outcome);
    const std::string& code = tried.outcome.error().code;
    if (is_about_credentials(code) && credentials_.renewable() && !credentials_changed) {
      credentials_changed = true;
      credentials_.refused(tried.credentials);
      continue;
    }
    if (tried.at_once && !clock_corrected) {
      clock_corrected = true;
      continue;
    }
    if (!tried.again) co_return std::move(tried.outcome);
    const Microseconds pause = kBetweenTries.after(tries, random_);
    if (clock_.steady_now() + pause + bounds.least >= deadline) co_return std::move(tried.outcome);
    const bool awake = co_await async::sleep_for(pause);
    if (!awake) {
      co_return std::unexpected(CallFailure{{ErrorKind::cancelled, "the call was called off"}, {}});
    }
  }
}

Task<Caller::Tried> Caller::attempt(Action action, const std::string& body, Milliseconds bound) {
  const Counts& counts = counts_[static_cast<std::size_t>(action)];
  auto credentials = co_await credentials_.get(now(), clock_.steady_now() + bound);
  if (!credentials) {
    counts.failures->add();
    Tried tried{.outcome = std::unexpected(CallFailure{credentials.error(), {}})};
    tried.again = credentials.error().kind == ErrorKind::unavailable;
    co_return tried;
  }
  http::ClientRequest request = signed_request(action, body, *credentials);
  request.timeout = bound;
  request.connect_timeout = std::min<Milliseconds>(bound, 3s);
  counts.calls->add();
  auto response = co_await http_.fetch(std::move(request));
  Tried tried;
  if (response) {
    tried = judge(action, std::move(*response));
  } else {
    const ErrorKind kind = response.error().kind;
    // A certificate that is not trusted does not become so by asking again.
    const bool called_off = kind == ErrorKind::cancelled;
    tried.again =
        !called_off && kind != ErrorKind::unauthorized && kind != ErrorKind::invalid_input;
    tried.outcome = std::unexpected(CallFailure{
        {called_off || !tried.again ? kind : ErrorKind::unavailable,
         fmt::format("{} at {}: {}", name_of(action), endpoint_.host, response.error().detail)},
        {}});
  }
  if (!tried.outcome && tried.outcome.error().error.kind != ErrorKind::cancelled) {
    counts.failures->add();
  }
  tried.credentials = std::move(*credentials);
  co_return tried;
}

http::ClientRequest Caller::signed_request(Action action, const std::string& body,
                                           const Credentials& credentials) const {
  const Instant at = now();  // once: what is told and what is signed are the same second
  http::ClientRequest request{.method = "POST", .url = endpoint_.url, .body = body};
  request.headers.add("Host", endpoint_.host);
  request.headers.add("X-Amz-Date", http::amz_date(at));
  request.headers.add("Content-Type", "application/x-amz-json-1.0");
  request.headers.add("X-Amz-Target", fmt::format("AmazonSQS.{}", name_of(action)));
  if (!credentials.session_token.empty()) {
    request.headers.add("X-Amz-Security-Token", credentials.session_token);
  }
  const std::string signature =
      http::aws_authorization({.method = "POST", .headers = request.headers, .body = body},
                              credentials, {.region = region_, .service = "sqs", .at = at});
  request.headers.add("Authorization", signature);
  return request;
}

Caller::Tried Caller::judge(Action action, http::ClientResponse response) {
  Tried tried;
  if (response.status == 200) {
    tried.outcome = std::move(response.body);
    return tried;
  }
  const Refusal refusal = read_refusal(response.status, response.body);
  const std::string& code = refusal.code;
  const auto refused = [&](ErrorKind kind, std::string_view what_to_do) {
    tried.outcome = std::unexpected(failure(kind, action, refusal, what_to_do));
  };
  if (is_no_queue(code)) {
    refused(ErrorKind::not_found, {});
  } else if (is_throttled(code) || response.status >= 500 || response.status == 429) {
    refused(ErrorKind::unavailable, {});
    tried.again = true;
  } else if (is_about_signature(code)) {
    tried.at_once = correct_clock(response);
    refused(ErrorKind::unauthorized,
            "check AWS_SECRET_ACCESS_KEY, queue.sqs.region and the clock of this machine");
  } else if (is_about_credentials(code)) {
    refused(ErrorKind::unauthorized,
            "the credentials are expired or unknown: give current ones in AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or by the role of task or instance, and "
            "check queue.sqs.region");
  } else if (is_denied(code)) {
    refused(ErrorKind::unauthorized,
            fmt::format("allow sqs:{} on the queues of queue.sqs.prefix in the IAM policy",
                        right_of(action)));
  } else if (code == "QueueDeletedRecently") {
    refused(ErrorKind::unavailable, "60 seconds have to pass before it can be made again");
  } else {
    refused(ErrorKind::invalid_input, {});
  }
  return tried;
}

bool Caller::correct_clock(const http::ClientResponse& response) {
  const auto theirs = read_http_date(response.headers.get("Date"));
  if (!theirs) return false;
  const Milliseconds skew = *theirs - clock_.now();
  if (skew - skew_ < kNoSkew && skew_ - skew < kNoSkew) return false;
  skew_ = skew;
  skew_gauge_.set(std::chrono::duration<double>(skew).count());
  log::warning("clock differs from that of SQS",
               {{"seconds", std::chrono::duration_cast<std::chrono::seconds>(skew).count()}});
  return true;
}

}  // namespace todoku::queue::sqs
