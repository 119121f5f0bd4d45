// SPDX-License-Identifier: Apache-2.0
#include "lambda/jobs.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "http/json.h"
#include "ops/emf.h"

namespace todoku::lambda {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAnswerOctetsMax = std::size_t{64} << 10U;
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
  for (PutObject& object : event.objects) {
    std::string name = name_of_put(object);
    if (std::ranges::find(done_, name) != done_.end()) continue;
    auto began = co_await import(std::move(object), deadline);
    if (!began) {
      log::error("import of a list failed", {{"object", name}, {"reason", began.error().detail}});
      if (!failed) failed = std::move(began.error());
      continue;
    }
    ++imported;
    done_.push_back(std::move(name));
    if (done_.size() > kRemembered) done_.pop_front();
  }
  if (imported > 0) show(ops::kImports, imported);
  if (failed) {
    show(ops::kImportFailures, 1);
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
  co_return co_await upload(*delivery, std::move(*object), deadline);
}

Task<Result<void>> Jobs::upload(std::int64_t delivery, Object object, SteadyInstant deadline) {
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
    co_return Result<void>();
  }
  const ErrorKind kind = answer->status == 401   ? ErrorKind::unauthorized
                         : answer->status == 404 ? ErrorKind::not_found
                         : answer->status >= 500 || answer->status == 429
                             ? ErrorKind::unavailable
                             : ErrorKind::invalid_input;
  co_return fail(kind, fmt::format("todoku's API answered {} to the import for delivery {}: {}",
                                   answer->status, delivery, first_of(answer->body, 1'000)));
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
