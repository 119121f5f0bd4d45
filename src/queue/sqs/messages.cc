// SPDX-License-Identifier: Apache-2.0
#include "queue/sqs/messages.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "http/json.h"

namespace todoku::queue::sqs {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, kActions> kNames = {
    "GetQueueUrl",    "CreateQueue",        "GetQueueAttributes",          "SendMessageBatch",
    "ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"};

constexpr http::JsonLimits kLimits{.octets_max = std::size_t{4} << 20U, .depth_max = 16};

void text_member(http::JsonWriter& out, std::string_view name, std::string_view text) {
  out.key(name);
  out.value(text);
}

// An answer as an object. An empty body is an empty object: DeleteMessage answers so.
class Answer {
 public:
  explicit Answer(std::string_view text) {
    if (trim(text).empty()) {
      value_.emplace_object();
      return;
    }
    auto parsed = http::parse_json(text, arena_, kLimits);
    if (parsed && parsed->is_object()) value_ = std::move(*parsed);
  }

  [[nodiscard]] const json::object* object() const { return value_.if_object(); }

 private:
  http::JsonArena arena_;
  json::value value_;
};

std::unexpected<Error> not_sqs(std::string_view what) {
  return fail(ErrorKind::corrupt, fmt::format("the answer is not one of SQS: {}", what));
}

const json::value* find(const json::object& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &found->value();
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = find(object, name);
  if (value == nullptr || !value->is_string()) return {};
  const json::string& text = value->get_string();
  return {text.data(), text.size()};
}

// Attributes are numbers as texts.
template <class T>
std::optional<T> number_of(const json::object& object, std::string_view name) {
  const std::string text = text_of(object, name);
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::size_t> place_of(const json::object& entry, std::size_t entries) {
  const auto place = number_of<std::size_t>(entry, "Id");
  return place && *place < entries ? place : std::nullopt;
}

http::JsonWriter begin(std::string_view url) {
  http::JsonWriter out;
  out.begin_object();
  text_member(out, "QueueUrl", url);
  return out;
}

// One entry for each receipt, with what `more` adds to it.
template <class More>
std::string write_receipts(std::string_view url, std::span<const Receipt> receipts, More more) {
  http::JsonWriter out = begin(url);
  out.key("Entries");
  out.begin_array();
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    out.begin_object();
    text_member(out, "Id", std::to_string(i));
    text_member(out, "ReceiptHandle", receipts[i].handle);
    more(out);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return out.take();
}

}  // namespace

std::string_view name_of(Action action) {
  return kNames[static_cast<std::size_t>(action)];
}

// ---- requests ----------------------------------------------------------------------------------

std::string write_get_queue_url(std::string_view name) {
  http::JsonWriter out;
  out.begin_object();
  text_member(out, "QueueName", name);
  out.end_object();
  return out.take();
}

std::string write_create_queue(std::string_view name, std::chrono::seconds visibility) {
  http::JsonWriter out;
  out.begin_object();
  text_member(out, "QueueName", name);
  out.key("Attributes");
  out.begin_object();
  text_member(out, "MessageRetentionPeriod", std::to_string(kRetention.count()));
  text_member(out, "VisibilityTimeout", std::to_string(visibility.count()));
  text_member(out, "ReceiveMessageWaitTimeSeconds", "20");
  out.end_object();
  out.end_object();
  return out.take();
}

std::string write_get_attributes(std::string_view url) {
  http::JsonWriter out = begin(url);
  out.key("AttributeNames");
  out.begin_array();
  // By name, FifoQueue is refused for a standard queue.
  out.value("All");
  out.end_array();
  out.end_object();
  return out.take();
}

std::string write_send(std::string_view url, std::span<const Bell> bells) {
  http::JsonWriter out = begin(url);
  out.key("Entries");
  out.begin_array();
  for (std::size_t i = 0; i < bells.size(); ++i) {
    out.begin_object();
    text_member(out, "Id", std::to_string(i));
    text_member(out, "MessageBody", write_bell(bells[i]));
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return out.take();
}

std::string write_receive(std::string_view url, const ReceiveOptions& options) {
  http::JsonWriter out = begin(url);
  out.member("MaxNumberOfMessages", options.max);
  out.member("WaitTimeSeconds", options.wait.count());
  out.member("VisibilityTimeout", options.visibility.count());
  out.key("AttributeNames");
  out.begin_array();
  out.value("ApproximateReceiveCount");
  out.value("SentTimestamp");
  out.end_array();
  out.end_object();
  return out.take();
}

std::string write_delete(std::string_view url, std::span<const Receipt> receipts) {
  return write_receipts(url, receipts, [](http::JsonWriter& /*out*/) {});
}

std::string write_change_visibility(std::string_view url, std::span<const Receipt> receipts,
                                    std::chrono::seconds visibility) {
  return write_receipts(url, receipts, [visibility](http::JsonWriter& out) {
    out.member("VisibilityTimeout", visibility.count());
  });
}

std::string write_bell(const Bell& bell) {
  return fmt::format(R"({{"v":1,"delivery":{},"batch":{}}})", bell.delivery, bell.batch);
}

std::optional<Bell> read_bell(std::string_view body) {
  const Answer text(body);
  const json::object* object = text.object();
  if (object == nullptr) return std::nullopt;
  const json::value* version = find(*object, "v");
  const json::value* delivery = find(*object, "delivery");
  const json::value* batch = find(*object, "batch");
  if (version == nullptr || !version->is_int64() || version->get_int64() != 1 ||
      delivery == nullptr || !delivery->is_int64() || batch == nullptr || !batch->is_int64()) {
    return std::nullopt;
  }
  const std::int64_t number = batch->get_int64();
  if (delivery->get_int64() < 0 || number < 0 || !std::in_range<std::uint32_t>(number)) {
    return std::nullopt;
  }
  return Bell{.delivery = delivery->get_int64(), .batch = static_cast<std::uint32_t>(number)};
}

// ---- answers -----------------------------------------------------------------------------------

Result<std::string> read_queue_url(std::string_view answer) {
  const Answer read(answer);
  std::string url = read.object() == nullptr ? "" : text_of(*read.object(), "QueueUrl");
  if (url.empty()) return not_sqs("it has no QueueUrl");
  return url;
}

Result<Attributes> read_attributes(std::string_view answer) {
  const Answer read(answer);
  const json::value* found =
      read.object() == nullptr ? nullptr : find(*read.object(), "Attributes");
  const json::object* object = found == nullptr ? nullptr : found->if_object();
  if (object == nullptr) return not_sqs("it has no Attributes");
  Attributes attributes;
  attributes.fifo = text_of(*object, "FifoQueue") == "true";
  attributes.retention =
      std::chrono::seconds(number_of<std::uint32_t>(*object, "MessageRetentionPeriod").value_or(0));
  const auto count = [&](std::string_view name) {
    return number_of<std::uint32_t>(*object, name).value_or(0);
  };
  attributes.depth.ready = count("ApproximateNumberOfMessages");
  attributes.depth.held = count("ApproximateNumberOfMessagesNotVisible");
  attributes.depth.delayed = count("ApproximateNumberOfMessagesDelayed");
  return attributes;
}

Result<BatchAnswer> read_batch(std::string_view answer, std::size_t entries) {
  const Answer read(answer);
  if (read.object() == nullptr) return not_sqs("it is no object");
  enum class Fate : std::uint8_t { unheard, done, again, refused };
  std::vector<Fate> fates(entries, Fate::unheard);
  BatchAnswer out;
  const auto each = [&](std::string_view list, auto use) {
    const json::value* found = find(*read.object(), list);
    const json::array* array = found == nullptr ? nullptr : found->if_array();
    if (array == nullptr) return;
    for (const json::value& element : *array) {
      const json::object* entry = element.if_object();
      const auto place = entry == nullptr ? std::nullopt : place_of(*entry, entries);
      if (place) use(*entry, *place);
    }
  };
  each("Successful",
       [&](const json::object& /*entry*/, std::size_t place) { fates[place] = Fate::done; });
  each("Failed", [&](const json::object& entry, std::size_t place) {
    const json::value* sender = find(entry, "SenderFault");
    const bool refused = sender != nullptr && sender->is_bool() && sender->get_bool();
    fates[place] = refused ? Fate::refused : Fate::again;
    out.reason = printable(text_of(entry, "Code") + " " + text_of(entry, "Message"));
  });
  for (std::size_t place = 0; place < entries; ++place) {
    if (fates[place] == Fate::refused) out.refused.push_back(place);
    if (fates[place] == Fate::again || fates[place] == Fate::unheard) out.again.push_back(place);
  }
  return out;
}

Result<std::vector<Message>> read_messages(std::string_view answer) {
  const Answer read(answer);
  if (read.object() == nullptr) return not_sqs("it is no object");
  std::vector<Message> messages;
  const json::value* found = find(*read.object(), "Messages");
  const json::array* array = found == nullptr ? nullptr : found->if_array();
  if (array == nullptr) return messages;
  for (const json::value& element : *array) {
    const json::object* object = element.if_object();
    if (object == nullptr || messages.size() == kBatchMax) continue;
    Message message{.receipt = text_of(*object, "ReceiptHandle"), .body = text_of(*object, "Body")};
    if (message.receipt.empty()) continue;
    const json::value* attributes = find(*object, "Attributes");
    if (attributes != nullptr && attributes->is_object()) {
      const json::object& about = attributes->get_object();
      message.times = number_of<std::uint32_t>(about, "ApproximateReceiveCount").value_or(1);
      // Milliseconds since 1970 fit into 13 digits for a while.
      const auto sent = number_of<std::int64_t>(about, "SentTimestamp");
      if (sent && *sent > 0 && *sent < 10'000'000'000'000) message.sent = from_epoch_ms(*sent);
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

Refusal read_refusal(int status, std::string_view body) {
  const Answer read(body);
  Refusal refusal;
  if (const json::object* object = read.object()) {
    // "com.amazonaws.sqs#QueueDoesNotExist", "com.amazon.coral.service#ExpiredTokenException".
    const std::string type = text_of(*object, "__type");
    refusal.code = type.substr(type.find('#') + 1);
    refusal.message = text_of(*object, "message");
    if (refusal.message.empty()) refusal.message = text_of(*object, "Message");
  }
  // What others wrote ends in a log: short, and in one line.
  constexpr std::size_t kLongest = 300;
  refusal.code = printable(refusal.code.substr(0, 80));
  refusal.message = printable(refusal.message.substr(0, kLongest));
  if (refusal.code.empty()) refusal.code = fmt::format("HTTP {}", status);
  return refusal;
}

}  // namespace todoku::queue::sqs
