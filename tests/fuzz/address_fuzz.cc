// SPDX-License-Identifier: Apache-2.0
// Addresses: what is accepted is written in a form that reads back the same, fits its limits and
// cannot break out of an SMTP command or a header, so the client and the composer take it, too.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "mail/address.h"
#include "mail/invisible.h"
#include "mime/header.h"
#include "smtp/protocol/client_envelope.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto address = todoku::parse_address(text);
  if (!address) {
    todoku::check(!address.error().detail.empty(), "a refusal has a reason");
    return 0;
  }
  todoku::check(!address->local.empty() && address->local.size() <= 64, "a local part that fits");
  todoku::check(!address->domain.empty(), "a domain");
  const std::string written = address->to_string();
  for (const char c : written) {
    todoku::check(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, "no control characters");
  }
  todoku::check(todoku::trim_invisible(written) == written, "nothing invisible around it");
  todoku::check(!todoku::find_invisible(written), "nothing invisible inside");
  todoku::check(todoku::smtp::ClientEnvelope::make("", {written}).has_value(),
                "it can be named to a server");
  todoku::check(todoku::mime::sender_addr_spec(written).has_value() != address->needs_smtputf8(),
                "it can send if it is ASCII");
  const auto again = todoku::parse_address(written);
  todoku::check(again.has_value() && *again == *address, "what is written reads back the same");
  return 0;
}
