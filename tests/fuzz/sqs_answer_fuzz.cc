// SPDX-License-Identifier: Apache-2.0
// What SQS and the givers of credentials answer: whatever comes, it is read within its bounds.
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "queue/sqs/credentials.h"
#include "queue/sqs/instants.h"
#include "queue/sqs/messages.h"

namespace sqs = todoku::queue::sqs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bell = sqs::read_bell(text)) {
    todoku::check(sqs::read_bell(sqs::write_bell(*bell)) == bell, "a bell survives");
  }
  if (const auto messages = sqs::read_messages(text)) {
    todoku::check(messages->size() <= sqs::kBatchMax, "no more messages than asked for");
    for (const sqs::Message& message : *messages) {
      todoku::check(!message.receipt.empty(), "a message has a receipt");
    }
  }
  if (const auto fared = sqs::read_batch(text, sqs::kBatchMax)) {
    todoku::check(fared->again.size() + fared->refused.size() <= sqs::kBatchMax, "each entry once");
  }
  if (const auto url = sqs::read_queue_url(text)) todoku::check(!url->empty(), "a URL is one");
  (void)sqs::read_attributes(text);
  const sqs::Refusal refusal = sqs::read_refusal(400, text);
  todoku::check(!refusal.code.empty() && todoku::is_utf8(refusal.message), "a refusal has a name");
  if (const auto credentials = sqs::read_credentials(text)) {
    todoku::check(!credentials->access_key_id.empty() && credentials->expires, "they end");
  }
  (void)sqs::may_ask(text);
  (void)sqs::read_role(text);
  (void)sqs::read_timestamp(text);
  (void)sqs::read_http_date(text);
  return 0;
}
