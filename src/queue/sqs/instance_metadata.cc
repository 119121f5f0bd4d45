// SPDX-License-Identifier: Apache-2.0
#include "queue/sqs/instance_metadata.h"

#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::queue::sqs {
namespace {

using namespace std::chrono_literals;

// Link-local: who is there answers at once.
constexpr Milliseconds kConnect = 1s;
constexpr Milliseconds kWhole = 5s;
constexpr std::size_t kLargestAnswer = 64U << 10U;
// The longest that a token may be asked for, and how long it is used.
constexpr std::string_view kTokenSeconds = "21600";
constexpr Microseconds kTokenUsed = 5h;

}  // namespace

Task<Result<std::string>> ask_locally(http::Client& http, http::ClientRequest request) {
  request.connect_timeout = kConnect;
  request.timeout = kWhole;
  request.response_max = kLargestAnswer;
  auto response = co_await http.fetch(std::move(request));
  if (!response) {
    const ErrorKind kind = response.error().kind == ErrorKind::cancelled ? ErrorKind::cancelled
                                                                         : ErrorKind::unavailable;
    co_return fail(kind, std::move(response.error().detail));
  }
  if (response->status == 200) co_return std::move(response->body);
  std::string what = fmt::format("it answered {}", response->status);
  if (response->status == 404) co_return fail(ErrorKind::not_found, std::move(what));
  const bool refused = response->status >= 400 && response->status < 500;
  co_return fail(refused ? ErrorKind::unauthorized : ErrorKind::unavailable, std::move(what));
}

Task<Result<std::string>> InstanceMetadata::get(std::string path) {
  const bool had_token = !token_.empty() && clock_.steady_now() < token_until_;
  if (!had_token) {
    auto renewed = co_await renew_token();
    if (!renewed) co_return fail(std::move(renewed.error()));
  }
  auto answer = co_await get_with_token(path);
  if (answer || !had_token || answer.error().kind != ErrorKind::unauthorized) co_return answer;
  // An instance that was stopped and started knows the tokens of before no more.
  auto renewed = co_await renew_token();
  if (!renewed) co_return fail(std::move(renewed.error()));
  co_return co_await get_with_token(path);
}

Task<Result<void>> InstanceMetadata::renew_token() {
  http::ClientRequest request{.method = "PUT", .url = url_ + "/latest/api/token"};
  request.headers.add("X-aws-ec2-metadata-token-ttl-seconds", kTokenSeconds);
  auto token = co_await ask_locally(http_, std::move(request));
  if (!token) {
    token_.clear();
    Error error = std::move(token.error());
    if (error.kind == ErrorKind::not_found) error.kind = ErrorKind::unauthorized;
    if (error.kind == ErrorKind::unavailable) {
      error.detail +=
          " (inside a container the instance's HttpPutResponseHopLimit must be 2 or more)";
    }
    co_return fail(std::move(error));
  }
  token_ = trim(*token);
  token_until_ = clock_.steady_now() + kTokenUsed;
  co_return Result<void>();
}

Task<Result<std::string>> InstanceMetadata::get_with_token(const std::string& path) {
  http::ClientRequest request{.url = url_ + "/latest/meta-data/" + path};
  request.headers.add("X-aws-ec2-metadata-token", token_);
  auto answer = co_await ask_locally(http_, std::move(request));
  co_return answer;
}

}  // namespace todoku::queue::sqs
