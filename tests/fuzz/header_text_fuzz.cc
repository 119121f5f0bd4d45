// SPDX-License-Identifier: Apache-2.0
// Texts and addresses in the headers of others: whatever stands there, what is shown is one clean
// line of bounded UTF-8, and an address that is found in a list is one.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "mail/address.h"
#include "mime/encoded_words.h"
#include "mime/foreign_text.h"
#include "mime/header.h"
#include "mime/mailbox_list.h"
#include "mime/text.h"

namespace {

using namespace todoku;

void check_text(std::string_view text) {
  for (const std::size_t max : {std::size_t{998}, std::size_t{7}}) {
    const std::string shown = mime::decode_header_text(text, max);
    check(shown.size() <= max && mime::is_clean_text(shown), "a text is one clean line");
  }
  check(mime::decode_header_text(mime::unfolded(text)).size() <= 998, "unfolded as well");
}

// What the composer writes of a text is what is read.
void check_written(std::string_view text) {
  const std::string clean(trim(mime::header_text(text.substr(0, 300))));
  if (clean.contains("=?") || clean.contains("  ")) return;
  std::string field;
  if (!mime::append_unstructured(field, "X", clean, mime::Encoding::utf_8)) return;
  check(mime::decode_header_text(mime::unfolded(std::string_view(field).substr(2))) == clean,
        "what is written is read");
}

void check_list(std::string_view text) {
  const auto list = mime::parse_mailbox_list(text);
  if (!list) {
    check(!list.error().detail.empty(), "a refusal has a reason");
    return;
  }
  check(list->size() <= mime::kMailboxesMax, "a list is bounded");
  for (const mime::ListedMailbox& one : *list) {
    check(mime::is_clean_text(one.mailbox.name), "a name is one line");
    if (!one.is_qualified) continue;
    const auto address = parse_address(one.mailbox.address);
    check(address && address->to_string() == one.mailbox.address, "an address is one");
    // Alone it is the same.
    const auto again = mime::parse_mailbox_list("<" + one.mailbox.address + ">");
    check(again && again->size() == 1 && again->front().mailbox.address == one.mailbox.address,
          "an address reads as it was written");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_text(text);
  check_written(text);
  check_list(text);
  for (const std::string_view charset : {"iso-2022-jp", "shift_jis", "euc-jp", "utf-16"}) {
    check(is_utf8(mime::utf8_of(text, charset)), "a known charset gives UTF-8");
  }
  const std::size_t end = std::min<std::size_t>(text.size(), 20);
  (void)mime::utf8_of(text.substr(end), text.substr(0, end));
  return 0;
}
