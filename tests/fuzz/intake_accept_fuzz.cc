// SPDX-License-Identifier: Apache-2.0
// Any request at the door. The input is fields separated by the octet 1F, in the order of
// read_request() below. Oracle: what is accepted can be composed for each of its recipients, is not
// larger than the limit, and each recipient can be named to a server.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "intake/check.h"
#include "mime/message_template.h"
#include "smtp/protocol/client_envelope.h"

namespace todoku::intake {
namespace {

constexpr std::size_t kMessageOctetsMax = 200'000;

class Fields {
 public:
  explicit Fields(std::string_view rest) : rest_(rest) {}
  std::string text() {
    const std::size_t end = std::min(rest_.find('\x1F'), rest_.size());
    std::string field(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return field;
  }

 private:
  std::string_view rest_;
};

TransactionRequest read_request(std::string_view input) {
  Fields fields(input);
  TransactionRequest out;
  Content& content = out.content;
  const std::string flags = fields.text();
  if (flags.contains('j')) content.encode = Encoding::iso_2022_jp;
  content.from = {fields.text(), fields.text()};
  out.to = fields.text();
  if (flags.contains('c')) out.cc.push_back(fields.text());
  if (flags.contains('r')) content.reply_to = Mailbox{fields.text(), fields.text()};
  content.subject = fields.text();
  content.text_part = fields.text();
  content.html_part = fields.text();
  content.list_unsubscribe_url = fields.text();
  content.list_unsubscribe_mailto = fields.text();
  if (flags.contains('a')) {
    content.attachments.push_back({fields.text(), fields.text(), fields.text()});
  }
  if (flags.contains('i')) out.insert_codes.push_back({fields.text(), fields.text()});
  if (flags.contains('i')) out.insert_codes.push_back({fields.text(), fields.text()});
  return out;
}

void run(std::string_view input) {
  TransactionRequest request = read_request(input);
  Limits limits;
  limits.message_octets_max = kMessageOctetsMax;
  Problems problems;
  const auto recipients = check_transaction(request, limits, problems);
  if (!problems.empty()) return;
  const auto message_template = mime::MessageTemplate::build(request.content, {});
  check(message_template.has_value(), "what is accepted can be composed");
  mime::ComposedMessage message;
  std::vector<mime::InsertCodeView> views;
  for (const store::NewRecipient& recipient : recipients) {
    const auto codes = mime::view_codes(recipient.insert_codes, views);
    message_template->compose({recipient.address, codes}, {}, message);
    check(message.size() <= kMessageOctetsMax, "what is accepted is not too large");
    check(smtp::ClientEnvelope::make("", {recipient.address}).has_value(),
          "a recipient can be named to a server");
  }
}

}  // namespace
}  // namespace todoku::intake

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::intake::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
