// SPDX-License-Identifier: Apache-2.0
// What is said to SQS and what it answers, in its JSON protocol ("Making query API requests using
// the AWS JSON protocol", SQS developer guide). Pure: texts in, texts out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "queue/queue.h"

namespace todoku::queue::sqs {

// Entries of a batch and messages of one receive ("Amazon SQS message quotas").
inline constexpr std::size_t kBatchMax = 10;

enum class Action : std::uint8_t {
  get_queue_url,
  create_queue,
  get_queue_attributes,
  send_message_batch,
  receive_message,
  delete_message_batch,
  change_visibility_batch,
};
inline constexpr std::size_t kActions = 7;
// "SendMessageBatch": in X-Amz-Target, in IAM policies, in metrics.
[[nodiscard]] std::string_view name_of(Action action);

// ---- requests ----------------------------------------------------------------------------------

// Bells older than this are nobody's business: the scheduler has rung again long before.
inline constexpr std::chrono::seconds kRetention = std::chrono::hours(1);

struct ReceiveOptions {
  std::size_t max = kBatchMax;
  std::chrono::seconds wait{};
  std::chrono::seconds visibility{};
};

[[nodiscard]] std::string write_get_queue_url(std::string_view name);
[[nodiscard]] std::string write_create_queue(std::string_view name,
                                             std::chrono::seconds visibility);
[[nodiscard]] std::string write_get_attributes(std::string_view url);
// Of batches at most kBatchMax; an entry's id is its place.
[[nodiscard]] std::string write_send(std::string_view url, std::span<const Bell> bells);
[[nodiscard]] std::string write_receive(std::string_view url, const ReceiveOptions& options);
[[nodiscard]] std::string write_delete(std::string_view url, std::span<const Receipt> receipts);
[[nodiscard]] std::string write_change_visibility(std::string_view url,
                                                  std::span<const Receipt> receipts,
                                                  std::chrono::seconds visibility);

// The body of a message: {"v":1,"delivery":7,"batch":3}. A reader ignores members it does not know.
[[nodiscard]] std::string write_bell(const Bell& bell);
[[nodiscard]] std::optional<Bell> read_bell(std::string_view body);

// ---- answers -----------------------------------------------------------------------------------

// Errors of all: corrupt, if it is not what SQS answers.
[[nodiscard]] Result<std::string> read_queue_url(std::string_view answer);

struct Attributes {
  bool fifo = false;
  std::chrono::seconds retention{};
  Depth depth;
};
[[nodiscard]] Result<Attributes> read_attributes(std::string_view answer);

// How the entries of a batch fared. It is answered with 200 even if none did well.
struct BatchAnswer {
  std::vector<std::size_t>
      again;  // places of those to be sent again: a fault of SQS, or unheard of
  std::vector<std::size_t> refused;  // places of those that will never do: the sender's fault
  std::string reason;                // of one that failed
};
[[nodiscard]] Result<BatchAnswer> read_batch(std::string_view answer, std::size_t entries);

struct Message {
  std::string receipt;
  std::string body;
  std::uint32_t times = 1;
  std::optional<Instant> sent;  // by the clock of SQS
};
// Messages without a receipt are left out: nothing can be done with them.
[[nodiscard]] Result<std::vector<Message>> read_messages(std::string_view answer);

// Why a request was refused as a whole.
struct Refusal {
  std::string code;     // "QueueDoesNotExist"; "HTTP 502" if there is none
  std::string message;  // perhaps empty
};
[[nodiscard]] Refusal read_refusal(int status, std::string_view body);

}  // namespace todoku::queue::sqs
