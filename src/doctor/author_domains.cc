// SPDX-License-Identifier: Apache-2.0
#include "doctor/author_domains.h"

#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mime/encoded_words.h"
#include "mime/mailbox_list.h"

namespace todoku::doctor {

Result<std::vector<std::string>> author_domains(const mailauth::dkim::MessageView& message) {
  const HeaderField* from = nullptr;
  for (const HeaderField& field : message.fields) {
    if (!equals_ignoring_case(field.name, "From")) continue;
    // RFC 5322 section 3.6: exactly one. Of two, people may be shown the other.
    if (from != nullptr) return fail(ErrorKind::invalid_input, "there is more than one From");
    from = &field;
  }
  if (from == nullptr) return fail(ErrorKind::invalid_input, "there is no From");
  const std::string body = mime::unfolded(from->raw.substr(from->raw.find(':') + 1));
  auto listed = mime::parse_mailbox_list(body);
  if (!listed) {
    return fail(ErrorKind::invalid_input, fmt::format("From {}", listed.error().detail));
  }
  std::vector<std::string> domains;
  for (const mime::ListedMailbox& each : *listed) {
    const std::string& address = each.mailbox.address;
    const std::size_t at = address.rfind('@');
    // Left out, it would be an author whom people see and nobody has judged.
    if (!each.is_qualified || at == std::string::npos) {
      return fail(ErrorKind::invalid_input, "From names an address without a domain");
    }
    domains.push_back(address.substr(at + 1));
  }
  return domains;
}

}  // namespace todoku::doctor
