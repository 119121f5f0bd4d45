// SPDX-License-Identifier: Apache-2.0
#include "mime/composable.h"

#include "mime/header.h"

namespace todoku::mime {

std::string_view to_string(AddressField field) {
  switch (field) {
    case AddressField::from:
      return "From";
    case AddressField::reply_to:
      return "Reply-To";
    case AddressField::to:
      return "To";
    case AddressField::cc:
      return "Cc";
  }
  return "From";
}

std::vector<Unwritable> check_composable(const Content& content) {
  std::vector<Unwritable> found;
  const auto check_sender = [&](AddressField field, const Mailbox& mailbox) {
    if (auto written = sender_addr_spec(mailbox.address); !written) {
      found.push_back({field, 0, std::move(written.error().detail)});
    }
  };
  const auto check_list = [&](AddressField field, const std::vector<std::string>& addresses) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      if (auto address = parse_address(addresses[i]); !address) {
        found.push_back({field, i, std::move(address.error().detail)});
      }
    }
  };
  check_sender(AddressField::from, content.from);
  if (content.reply_to) check_sender(AddressField::reply_to, *content.reply_to);
  check_list(AddressField::to, content.header_to);
  check_list(AddressField::cc, content.header_cc);
  return found;
}

}  // namespace todoku::mime
