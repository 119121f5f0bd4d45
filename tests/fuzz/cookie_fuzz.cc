// SPDX-License-Identifier: Apache-2.0
// What stands in Cookie, Host and Origin is anybody's: a cookie that is found is a part of its
// field and there once, and who names another host is never let in.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "console/gate.h"
#include "http/message.h"

namespace {

using namespace todoku;

void check_cookie(std::string_view field) {
  for (const bool is_secure : {true, false}) {
    const std::string_view name = console::cookie_name(is_secure);
    const auto found = console::find_cookie(field, name);
    if (!found) continue;
    check(!found->contains(';') && trim(*found) == *found, "a value ends where its cookie does");
    const std::string twice =
        std::string(field) + "; " + std::string(name) + "=" + std::string(*found);
    check(!console::find_cookie(twice, name), "there once, or not at all");
  }
  // Written by us, it is read among whatever else stands there, but for another one of that name.
  const std::string ours = "__Host-todoku=value";
  if (!field.contains("__Host-todoku")) {
    check(console::find_cookie(std::string(field) + ";" + ours, "__Host-todoku") == "value",
          "ours is found");
  }
}

void check_gate(std::string_view text) {
  static const console::Gate gate("https://console.example.jp", false,
                                  SecretText(std::string(32, 'k')));
  http::Request request;
  request.headers.add("Host", text);
  request.headers.add("Origin", "https://console.example.jp");
  const bool is_named = to_ascii_lower(text).contains("console.example.jp");
  check(is_named || gate.judge(request, console::Wanted::page), "another host is not ours");
  http::Request other;
  other.headers.add("Host", "console.example.jp");
  other.headers.add("Origin", text);
  check(trim(text) == "https://console.example.jp" ||
            gate.judge(other, console::Wanted::enter).has_value(),
        "another origin is not ours");
  if (const auto origin = console::parse_origin(text)) {
    check(console::parse_origin(origin->text)->text == origin->text, "an origin reads as written");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_cookie(text);
  check_gate(text);
  return 0;
}
