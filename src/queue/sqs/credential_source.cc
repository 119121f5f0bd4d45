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
// Link-local: who is there answers at once.
constexpr Milliseconds kConnect = 1s;
constexpr Milliseconds kWhole = 5s;
constexpr std::size_t kLargestAnswer = 64U << 10U;

std::string first_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kLargestAnswer, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return std::string(trim(text));
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
  const auto answer = co_await fetch(std::move(request), "the container's giver of credentials");
  if (!answer) co_return fail(answer.error());
  co_return read_credentials(*answer);
}

Task<Result<Credentials>> CredentialSource::ask_instance() {
  constexpr std::string_view kWho =
      "the instance's metadata (no AWS_ACCESS_KEY_ID and no "
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is set)";
  const std::string base = options_.metadata_url + "/latest/";
  http::ClientRequest ticket{.method = "PUT", .url = base + "api/token"};
  ticket.headers.add("X-aws-ec2-metadata-token-ttl-seconds", "21600");
  const auto token = co_await fetch(std::move(ticket), kWho);
  if (!token) co_return fail(token.error());
  const std::string roles = base + "meta-data/iam/security-credentials/";
  http::ClientRequest which{.url = roles};
  which.headers.add("X-aws-ec2-metadata-token", trim(*token));
  const auto listed = co_await fetch(std::move(which), kWho);
  if (!listed) co_return fail(listed.error());
  const std::string_view role = read_role(*listed);
  if (role.empty()) {
    co_return fail(ErrorKind::unauthorized, "this instance has no role that may use the queues");
  }
  http::ClientRequest what{.url = roles + std::string(role)};
  what.headers.add("X-aws-ec2-metadata-token", trim(*token));
  const auto answer = co_await fetch(std::move(what), kWho);
  if (!answer) co_return fail(answer.error());
  co_return read_credentials(*answer);
}

Task<Result<std::string>> CredentialSource::fetch(http::ClientRequest request,
                                                  std::string_view who) {
  request.connect_timeout = kConnect;
  request.timeout = kWhole;
  request.response_max = kLargestAnswer;
  auto response = co_await http_.fetch(std::move(request));
  if (!response) {
    const ErrorKind kind = response.error().kind == ErrorKind::cancelled ? ErrorKind::cancelled
                                                                         : ErrorKind::unavailable;
    co_return fail(kind,
                   fmt::format("{} gives no AWS credentials: {}", who, response.error().detail));
  }
  if (response->status == 200) co_return std::move(response->body);
  const bool refused = response->status >= 400 && response->status < 500;
  co_return fail(refused ? ErrorKind::unauthorized : ErrorKind::unavailable,
                 fmt::format("{} gives no AWS credentials: it answered {}", who, response->status));
}

}  // namespace todoku::queue::sqs
