// SPDX-License-Identifier: Apache-2.0
#include "lambda/events.h"

#include <algorithm>
#include <charconv>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "http/json.h"
#include "http/query.h"

namespace todoku::lambda {
namespace {

namespace json = boost::json;

constexpr http::JsonLimits kEventLimits{
    .octets_max = kEventOctetsMax, .depth_max = 16, .elements_max = kRecordsMax};
constexpr std::size_t kKeyOctetsMax = 1'024;  // "Naming Amazon S3 objects"

const json::value* member(const json::object& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &found->value();
}

const json::object* object_in(const json::object& object, std::string_view name) {
  const json::value* const value = member(object, name);
  return value == nullptr ? nullptr : value->if_object();
}

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* const value = member(object, name);
  if (value == nullptr || !value->is_string()) return {};
  const json::string& text = value->get_string();
  return {text.data(), text.size()};
}

// "Bucket naming rules": what else would stand in a URL's host.
bool is_bucket(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return name.size() >= 3 && name.size() <= 63 && std::ranges::all_of(name, fits) &&
         name.front() != '.' && name.front() != '-' && name.back() != '.' && name.back() != '-' &&
         !name.contains("..");
}

bool is_region(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && name.size() <= 32 && std::ranges::all_of(name, fits);
}

// Folders `.` and `..` do not come through a URL as they are.
bool has_dot_folder(std::string_view key) {
  std::string_view rest = key;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view folder = rest.substr(0, slash);
    if (folder == "." || folder == "..") return true;
    if (slash == std::string_view::npos) return false;
    rest.remove_prefix(slash + 1);
  }
}

// Keys come as forms write them: a space is a plus sign.
std::optional<std::string> decoded_key(std::string text) {
  std::ranges::replace(text, '+', ' ');
  auto key = http::percent_decode(text);
  if (!key || key->empty() || key->size() > kKeyOctetsMax || !is_utf8(*key)) return std::nullopt;
  return key;
}

Result<PutObject> read_put(const json::object& record) {
  const json::object* const s3 = object_in(record, "s3");
  const json::object* const bucket = s3 == nullptr ? nullptr : object_in(*s3, "bucket");
  const json::object* const object = s3 == nullptr ? nullptr : object_in(*s3, "object");
  if (bucket == nullptr || object == nullptr) {
    return fail(ErrorKind::invalid_input, "a record of S3 names no bucket and object");
  }
  PutObject put{.region = text_in(record, "awsRegion"), .bucket = text_in(*bucket, "name")};
  auto key = decoded_key(text_in(*object, "key"));
  if (!is_bucket(put.bucket) || !is_region(put.region) || !key) {
    return fail(ErrorKind::invalid_input, "a record of S3 has a wrong region, bucket or key");
  }
  if (has_dot_folder(*key)) {
    return fail(ErrorKind::invalid_input, "keys with folders `.` or `..` are not read");
  }
  put.key = std::move(*key);
  put.version = text_in(*object, "versionId");
  put.sequencer = text_in(*object, "sequencer");
  const json::value* const size = member(*object, "size");
  if (size != nullptr && size->is_int64() && size->get_int64() >= 0) {
    put.size = static_cast<std::uint64_t>(size->get_int64());
  }
  return put;
}

DeadLetter read_dead_letter(const json::object& record) {
  const std::string arn = text_in(record, "eventSourceARN");
  DeadLetter letter{.queue = arn.substr(arn.rfind(':') + 1),
                    .message_id = text_in(record, "messageId"),
                    .body = text_in(record, "body")};
  if (const json::object* const attributes = object_in(record, "attributes")) {
    letter.received = text_in(*attributes, "ApproximateReceiveCount");
  }
  return letter;
}

}  // namespace

Result<Event> read_event(std::string_view text) {
  http::JsonArena arena;
  const auto parsed = http::parse_json(text, arena, kEventLimits);
  if (!parsed) return fail("the event", Error(parsed.error()));
  const json::object* const root = parsed->if_object();
  Event event;
  // What S3 sends once when notifications are set up.
  if (root != nullptr && text_in(*root, "Event") == "s3:TestEvent") {
    event.ignored = 1;
    return event;
  }
  const json::value* const records = root == nullptr ? nullptr : member(*root, "Records");
  if (records == nullptr || !records->is_array()) {
    return fail(ErrorKind::invalid_input, "the event has no Records: it is none of S3 or SQS");
  }
  if (records->get_array().size() > kRecordsMax) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("the event has more than {} records", kRecordsMax));
  }
  for (const json::value& each : records->get_array()) {
    const json::object* const record = each.if_object();
    if (record == nullptr) return fail(ErrorKind::invalid_input, "a record is no object");
    const std::string source = text_in(*record, "eventSource");
    if (source == "aws:sqs") {
      event.dead_letters.push_back(read_dead_letter(*record));
    } else if (source == "aws:s3" && text_in(*record, "eventName").starts_with("ObjectCreated:")) {
      auto put = read_put(*record);
      if (!put) return fail(std::move(put.error()));
      event.objects.push_back(std::move(*put));
    } else if (source == "aws:s3") {
      ++event.ignored;
    } else {
      return fail(ErrorKind::invalid_input, "a record is neither of S3 nor of SQS");
    }
  }
  return event;
}

std::optional<std::int64_t> delivery_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) return std::nullopt;
  return number;
}

std::optional<std::int64_t> delivery_in(std::string_view key) {
  std::size_t end = key.rfind('/');
  while (end != std::string_view::npos) {
    const std::size_t before = end == 0 ? std::string_view::npos : key.rfind('/', end - 1);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    if (const auto number = delivery_number(key.substr(begin, end - begin))) return number;
    end = before;
  }
  return std::nullopt;
}

}  // namespace todoku::lambda
