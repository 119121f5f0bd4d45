// SPDX-License-Identifier: Apache-2.0
#include "lambda/jobs.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "async/timer.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/printable.h"
#include "http/json.h"
#include "ops/emf.h"

namespace todoku::lambda {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAnswerOctetsMax = std::size_t{64} << 10U;
constexpr Milliseconds kFollowed = 60s;  // an import
constexpr Milliseconds kAskAgain = 1s;
constexpr Milliseconds kAnswerWithin = 1s;  // of the deadline, for what comes after
constexpr std::size_t kBodyShownMax = 256;  // of a dead letter
constexpr std::string_view kDeliveryField = "x-amz-meta-todoku-delivery";
constexpr std::string_view kImmediateField = "x-amz-meta-todoku-immediate";
constexpr std::string_view kIgnoreErrorsField = "x-amz-meta-todoku-ignore-errors";

std::string name_of_put(const PutObject& put) {
  return fmt::format("{}/{} {} {}", put.bucket, put.key, put.version, put.sequencer);
}

bool says_yes(const http::Headers& headers, std::string_view name) {
  return headers.get(name) == "true";
}

// RFC 7578. The boundary is of a length and chance that no list has.
std::string form(std::string_view boundary, bool immediate, bool ignore_errors,
                 std::string_view csv) {
  std::string body = fmt::format(
      "--{0}\r\nContent-Disposition: form-data; name=\"data\"\r\n"
      "Content-Type: application/json\r\n\r\n{{\"immediate\":{1},\"ignore_errors\":{2}}}\r\n"
      "--{0}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\n"
      "Content-Type: text/csv\r\n\r\n",
      boundary, immediate, ignore_errors);
  body.reserve(body.size() + csv.size() + boundary.size() + 8);
  body += csv;
  body += fmt::format("\r\n--{}--\r\n", boundary);
  return body;
}

std::string first_of(std::string_view text, std::size_t octets) {
  if (text.size() <= octets) return std::string(text);
  // Not in the middle of a character.
  while (octets > 0 && (static_cast<unsigned char>(text[octets]) & 0xC0U) == 0x80U) --octets;
  return std::string(text.substr(0, octets));
}

Result<std::int64_t> job_in(std::string_view answer) {
  http::JsonArena arena;
  const auto parsed = http::parse_json(answer, arena);
  const auto* const job =
      parsed && parsed->is_object() ? parsed->get_object().if_contains("job_id") : nullptr;
  if (job == nullptr || !job->is_int64()) {
    return fail(ErrorKind::corrupt, "todoku's API took the list without telling its job");
  }
  return job->get_int64();
}

}  // namespace

Milliseconds Jobs::left(SteadyInstant deadline) const {
  return std::max<Milliseconds>(std::chrono::floor<Milliseconds>(deadline - clock_.steady_now()),
                                1ms);
}

Task<Result<std::string>> Jobs::run(Event event, SteadyInstant deadline) {
  for (const DeadLetter& letter : event.dead_letters) raise_alarm(letter);
  if (!event.dead_letters.empty()) show(ops::kDeadLetters, event.dead_letters.size());
  std::optional<Error> failed;
  std::size_t imported = 0;
  std::size_t failures = 0;
  for (PutObject& object : event.objects) {
    std::string name = name_of_put(object);
    if (std::ranges::find(done_, name) != done_.end()) continue;
    auto done = co_await import(std::move(object), deadline);
    if (!done) {
      log::error("import of a list failed", {{"object", name}, {"reason", done.error().detail}});
      ++failures;
      if (!failed) failed = std::move(done.error());
      continue;
    }
    ++imported;
    done_.push_back(std::move(name));
    if (done_.size() > kRemembered) done_.pop_front();
  }
  if (imported > 0) show(ops::kImports, imported);
  if (failed) {
    show(ops::kImportFailures, failures);
    co_return std::unexpected(std::move(*failed));
  }
  http::JsonWriter json;
  json.begin_object();
  json.member("imports", imported);
  json.member("dead_letters", event.dead_letters.size());
  json.member("ignored", event.ignored);
  json.end_object();
  co_return json.take();
}

Task<Result<void>> Jobs::import(PutObject put, SteadyInstant deadline) {
  const std::string key = put.key;
  auto object = co_await objects_.read(std::move(put), left(deadline));
  if (!object) co_return fail(std::move(object.error()));
  const std::string_view told = object->headers.get(kDeliveryField);
  const auto delivery = told.empty() ? delivery_in(key) : delivery_number(told);
  if (!delivery) {
    co_return fail(ErrorKind::invalid_input,
                   "the object names no delivery: give its number in the metadata "
                   "todoku-delivery, or as a folder of its key, such as lists/1234/june.csv");
  }
  const auto job = co_await upload(*delivery, std::move(*object), deadline);
  if (!job) co_return fail(job.error());
  co_return co_await follow(*job, deadline);
}

Task<Result<std::int64_t>> Jobs::upload(std::int64_t delivery, Object object,
                                        SteadyInstant deadline) {
  const std::string boundary = to_hex(random_octets(16));
  http::ClientRequest request{
      .method = "POST",
      .url = fmt::format("{}/api/v1/deliveries/{}/emails/import", options_.api_url, delivery)};
  request.headers.add("Authorization", "Bearer " + options_.api_token);
  request.headers.add("Content-Type", "multipart/form-data; boundary=" + boundary);
  request.headers.add("Accept-Language", "en");
  request.body = form(boundary, says_yes(object.headers, kImmediateField),
                      says_yes(object.headers, kIgnoreErrorsField), object.content);
  object.content.clear();
  object.content.shrink_to_fit();
  request.timeout = left(deadline);
  request.response_max = kAnswerOctetsMax;
  auto answer = co_await http_.fetch(std::move(request));
  if (!answer) {
    co_return fail("todoku's API, where the import may have been accepted all the same",
                   std::move(answer.error()));
  }
  if (answer->status == 201) {
    log::info("import of a list began", {{"delivery", delivery}, {"answer", answer->body}});
    co_return job_in(answer->body);
  }
  const ErrorKind kind = answer->status == 401   ? ErrorKind::unauthorized
                         : answer->status == 404 ? ErrorKind::not_found
                         : answer->status >= 500 || answer->status == 429
                             ? ErrorKind::unavailable
                             : ErrorKind::invalid_input;
  co_return fail(kind, fmt::format("todoku's API answered {} to the import for delivery {}: {}",
                                   answer->status, delivery, first_of(answer->body, 1'000)));
}

Task<Result<void>> Jobs::follow(std::int64_t job, SteadyInstant deadline) {
  const SteadyInstant until = std::min(deadline - kAnswerWithin, clock_.steady_now() + kFollowed);
  while (true) {
    // Who does not answer now has taken the list all the same.
    const auto status = co_await status_of(job, deadline);
    if (status && *status == "FINISHED") co_return Result<void>();
    if (status && *status != "IMPORTING") {
      co_return fail(ErrorKind::invalid_input,
                     fmt::format("import job {} ended {}: nobody of the list is imported, its file "
                                 "of errors tells why",
                                 job, printable(*status)));
    }
    if (clock_.steady_now() + kAskAgain >= until) break;
    const bool awake = co_await async::sleep_for(kAskAgain);
    if (!awake) co_return fail(ErrorKind::cancelled, "stopped while an import was waited for");
  }
  log::info("import of a list goes on", {{"job", job}});
  co_return Result<void>();
}

Task<Result<std::string>> Jobs::status_of(std::int64_t job, SteadyInstant deadline) {
  http::ClientRequest request{
      .url = fmt::format("{}/api/v1/deliveries/-/emails/import/{}", options_.api_url, job)};
  request.headers.add("Authorization", "Bearer " + options_.api_token);
  request.timeout = left(deadline);
  request.response_max = kAnswerOctetsMax;
  const auto answer = co_await http_.fetch(std::move(request));
  if (!answer) co_return fail(answer.error());
  if (answer->status != 200) {
    co_return fail(ErrorKind::unavailable, fmt::format("todoku's API answered {} to what became "
                                                       "of import job {}",
                                                       answer->status, job));
  }
  http::JsonArena arena;
  const auto parsed = http::parse_json(answer->body, arena);
  const auto* const status =
      parsed && parsed->is_object() ? parsed->get_object().if_contains("status") : nullptr;
  if (status == nullptr || !status->is_string()) {
    co_return fail(ErrorKind::corrupt, "todoku's API told no status of an import job");
  }
  co_return std::string(std::string_view(status->get_string()));
}

// Alarms look for this line or for the metric: its event and fields stay as they are.
void Jobs::raise_alarm(const DeadLetter& letter) const {
  log::error("dead letter", {{"queue", letter.queue},
                             {"message_id", letter.message_id},
                             {"received", letter.received},
                             {"body", first_of(letter.body, kBodyShownMax)}});
}

void Jobs::show(std::string_view metric, std::size_t count) const {
  const std::array values = {ops::EmfValue{metric, "Count", static_cast<double>(count)}};
  const bool taken = options_.write_figures(
      ops::emf_line(options_.emf_namespace, ops::kLambdaRole, clock_.now(), values));
  if (!taken) log::warning("figures not written: nobody reads standard output");
}

}  // namespace todoku::lambda
