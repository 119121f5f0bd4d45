// SPDX-License-Identifier: Apache-2.0
#include "queue/sqs/credential_source.h"

#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "queue/sqs/credentials.h"

namespace todoku::queue::sqs {
namespace {

using namespace std::chrono_literals;

// What is good for less is renewed. AWS has the next ones ready five minutes before the end.
constexpr Milliseconds kRenewAhead = 5min;
constexpr Microseconds kAfterFailure = 10s;
constexpr std::size_t kLongestToken = 64U << 10U;

std::string first_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kLongestToken, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return std::string(trim(text));
}

std::unexpected<Error> not_given(std::string_view who, Error error) {
  if (error.kind == ErrorKind::not_found) error.kind = ErrorKind::unauthorized;
  return fail(fmt::format("{} gives no AWS credentials", who), std::move(error));
}

}  // namespace

CredentialSource::CredentialSource(CredentialOptions options, http::Client& http,
                                   const Clock& clock, Metrics& metrics,
                                   const async::Executor& executor)
    : options_(std::move(options)),
      http_(http),
      clock_(clock),
      renewals_(metrics.counter("todoku_aws_credential_renewals_total",
                                "Times that AWS credentials were got.")),
      failures_(metrics.counter("todoku_aws_credential_failures_total",
                                "Times that nobody gave AWS credentials.")),
      metadata_(options_.metadata_url, http, clock),
      asked_(executor),
      renewing_(executor) {
  if (!renewable()) at_hand_ = options_.fixed;
}

bool CredentialSource::good(Instant now, Milliseconds ahead) const {
  return at_hand_ && (!at_hand_->expires || *at_hand_->expires - ahead > now);
}

Task<Result<Credentials>> CredentialSource::get(Instant now, SteadyInstant deadline) {
  if (renewable() && !good(now, kRenewAhead)) begin_renewal();
  while (asking_ && !good(now, Milliseconds(0)) && clock_.steady_now() < deadline) {
    const bool told = co_await asked_.wait_until(deadline);
    if (!told) break;
  }
  if (good(now, Milliseconds(0))) co_return *at_hand_;
  if (failed_) co_return fail(*failed_);
  co_return fail(ErrorKind::unavailable, "there are no AWS credentials yet");
}

void CredentialSource::refused(const Credentials& credentials) {
  if (renewable() && at_hand_ == credentials) at_hand_.reset();
}

// Not in the task of whoever needs them: that may be called off, or have to be done sooner.
void CredentialSource::begin_renewal() {
  if (asking_ || clock_.steady_now() < ask_after_) return;
  asking_ = true;
  renewing_.spawn("AWS credentials", renew());
}

Task<void> CredentialSource::renew() {
  // Ends with the frame, however it ends: nobody else would ask again.
  struct Asking {
    CredentialSource& source;
    explicit Asking(CredentialSource& of) : source(of) {}
    ~Asking() {
      source.asking_ = false;
      source.asked_.notify();
    }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
  };
  const Asking asking(*this);
  auto given = co_await ask();
  const SteadyInstant now = clock_.steady_now();
  if (given) {
    at_hand_ = std::move(*given);
    failed_.reset();
    ever_given_ = true;
    renewals_.add();
    trouble_.worked(now);
    co_return;
  }
  failed_ = given.error();
  if (failed_->kind == ErrorKind::cancelled) co_return;
  // Who never had any has most likely forgotten to give any.
  if (!ever_given_) {
    failed_->kind = ErrorKind::unauthorized;
    failed_->detail +=
        "; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the task or instance a role";
  }
  ask_after_ = now + kAfterFailure;
  failures_.add();
  trouble_.failed(now, {{"reason", failed_->detail}});
}

Task<Result<Credentials>> CredentialSource::ask() {
  if (!options_.container_relative_uri.empty()) {
    co_return co_await ask_container("http://169.254.170.2" + options_.container_relative_uri);
  }
  if (!options_.container_full_uri.empty()) {
    if (!may_ask(options_.container_full_uri)) {
      co_return fail(ErrorKind::unauthorized,
                     "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor this machine nor "
                     "an address of AWS: nobody is asked for credentials there");
    }
    co_return co_await ask_container(options_.container_full_uri);
  }
  co_return co_await ask_instance();
}

Task<Result<Credentials>> CredentialSource::ask_container(std::string url) {
  http::ClientRequest request{.url = std::move(url)};
  std::string token = options_.container_token;
  if (!options_.container_token_file.empty()) token = first_of_file(options_.container_token_file);
  if (!token.empty()) request.headers.add("Authorization", token);
  auto answer = co_await ask_locally(http_, std::move(request));
  if (!answer) co_return not_given("the container's giver of credentials", answer.error());
  co_return read_credentials(*answer);
}

Task<Result<Credentials>> CredentialSource::ask_instance() {
  constexpr std::string_view kWho =
      "the instance's metadata (no AWS_ACCESS_KEY_ID and no "
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is set)";
  const std::string roles = "iam/security-credentials/";
  auto listed = co_await metadata_.get(roles);
  if (!listed) co_return not_given(kWho, std::move(listed.error()));
  const std::string_view role = read_role(*listed);
  if (role.empty()) {
    co_return fail(ErrorKind::unauthorized, "this instance has no role that may use the queues");
  }
  auto answer = co_await metadata_.get(roles + std::string(role));
  if (!answer) co_return not_given(kWho, std::move(answer.error()));
  co_return read_credentials(*answer);
}

}  // namespace todoku::queue::sqs
