// SPDX-License-Identifier: Apache-2.0
// Parameters about reports: what is read of any octets is what is read again of what is written.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "mail/dsn.h"
#include "mail/xtext.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool utf8 : {false, true}) {
    const auto original = parse_orcpt(text, utf8);
    if (!original) continue;
    check(original->to_string().size() <= text.size(), "it grows by no reading");
    check(parse_orcpt(original->to_string(), true) == original, "it reads back");
    const auto ascii = original->to_ascii();
    check(ascii || !is_ascii(original->address), "what is ASCII can be said in it");
    check(!ascii || (is_ascii(*ascii) && parse_orcpt(*ascii, false) == original), "in ASCII, too");
    check(is_utf8(original->address), "a report can show it");
  }
  if (const auto id = parse_envid(text)) check(parse_envid(to_xtext(*id)) == id, "so does an id");
  if (const auto notify = DsnNotify::parse(text)) {
    check(DsnNotify::parse(notify->to_string()) == notify, "so do words");
  }
  return 0;
}
