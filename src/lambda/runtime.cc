// SPDX-License-Identifier: Apache-2.0
#include "lambda/runtime.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "http/json.h"

namespace todoku::lambda {
namespace {

using namespace std::chrono_literals;

// For what is said after an event's work, before Lambda ends the process.
constexpr Milliseconds kReserve = 500ms;
constexpr Milliseconds kLongestInvocation = 15min;
constexpr Milliseconds kPostPatience = 10s;
// libcurl: no end. The time that a frozen process does not live passes all the same.
constexpr Milliseconds kForEver{0};
constexpr std::string_view kErrorType = "Todoku.Error";

bool is_id(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, fits);
}

std::string error_text(const Error& error) {
  http::JsonWriter json;
  json.begin_object();
  json.member("errorMessage", error.detail);
  json.member("errorType", kErrorType);
  json.key("stackTrace");
  json.begin_array();
  json.end_array();
  json.end_object();
  return json.take();
}

std::optional<Instant> instant_in(std::string_view text) {
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc() || end != text.data() + text.size() || ms <= 0) return std::nullopt;
  return Instant(Milliseconds(ms));
}

}  // namespace

Task<Result<void>> Runtime::cannot_begin(Error why) {
  log::error("function cannot begin", {{"reason", why.detail}});
  co_return co_await post("init/error", error_text(why), true);
}

Task<Result<Runtime::Invocation>> Runtime::next() {
  http::ClientRequest request{.url = base_ + "invocation/next"};
  request.timeout = kForEver;
  request.response_max = kEventOctetsMax;
  auto answer = co_await http_.fetch(std::move(request));
  if (!answer) co_return fail("the runtime API", std::move(answer.error()));
  Invocation invocation{.id = std::string(answer->headers.get("Lambda-Runtime-Aws-Request-Id"))};
  if (answer->status != 200 || !is_id(invocation.id)) {
    co_return fail(ErrorKind::unavailable,
                   fmt::format("the runtime API answered {} without an event", answer->status));
  }
  Milliseconds time = kLongestInvocation;
  if (const auto until = instant_in(answer->headers.get("Lambda-Runtime-Deadline-Ms"))) {
    time = std::clamp<Milliseconds>(*until - clock_.now() - kReserve, 1ms, kLongestInvocation);
  }
  invocation.deadline = clock_.steady_now() + time;
  invocation.event = std::move(answer->body);
  co_return invocation;
}

Task<Result<void>> Runtime::run(Jobs& jobs) {
  while (true) {
    auto invocation = co_await next();
    if (!invocation) co_return fail(std::move(invocation.error()));
    auto served = co_await serve(jobs, std::move(*invocation));
    if (!served) co_return served;
  }
}

Task<Result<void>> Runtime::serve(Jobs& jobs, Invocation invocation) {
  Result<std::string> done = fail(ErrorKind::invalid_input, "");
  auto event = read_event(invocation.event);
  invocation.event.clear();
  if (event) {
    done = co_await jobs.run(std::move(*event), invocation.deadline);
  } else {
    done = fail(std::move(event.error()));
  }
  const std::string path = fmt::format("invocation/{}/", invocation.id);
  if (done) co_return co_await post(path + "response", std::move(*done), false);
  log::error("invocation failed", {{"request", invocation.id}, {"reason", done.error().detail}});
  co_return co_await post(path + "error", error_text(done.error()), true);
}

Task<Result<void>> Runtime::post(std::string path, std::string body, bool is_error) {
  http::ClientRequest request{.method = "POST", .url = base_ + path, .body = std::move(body)};
  request.headers.add("Content-Type", "application/json");
  if (is_error) request.headers.add("Lambda-Runtime-Function-Error-Type", kErrorType);
  request.timeout = kPostPatience;
  auto answer = co_await http_.fetch(std::move(request));
  if (!answer) co_return fail("the runtime API", std::move(answer.error()));
  // 413: the answer was too large for Lambda, 403: it had given the invocation up. Both are said
  // there already, and the next event may come.
  if (answer->status == 202 || answer->status == 413 || answer->status == 403) {
    co_return Result<void>();
  }
  co_return fail(ErrorKind::unavailable,
                 fmt::format("the runtime API answered {} to {}", answer->status, path));
}

}  // namespace todoku::lambda
