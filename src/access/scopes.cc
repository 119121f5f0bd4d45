// SPDX-License-Identifier: Apache-2.0
#include "access/scopes.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"

namespace todoku::access {
namespace {

using store::Scope;

constexpr std::array<std::pair<Scope, std::string_view>, 6> kWords{{{Scope::send, "send"},
                                                                    {Scope::read, "read"},
                                                                    {Scope::content, "content"},
                                                                    {Scope::suppress, "suppress"},
                                                                    {Scope::admin, "admin"},
                                                                    {Scope::ses, "ses"}}};

}  // namespace

std::string_view to_string(Scope scope) {
  const auto found = std::ranges::find(kWords, scope, &std::pair<Scope, std::string_view>::first);
  return found == kWords.end() ? "" : found->second;
}

std::string to_string(store::Scopes scopes) {
  std::string words;
  for (const auto& [scope, word] : kWords) {
    if (!has(scopes, scope)) continue;
    if (!words.empty()) words += ',';
    words += word;
  }
  return words;
}

Result<store::Scopes> parse_scopes(std::string_view text) {
  store::Scopes scopes = 0;
  while (true) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view word = trim(text.substr(0, end));
    const auto found = std::ranges::find(kWords, word, &std::pair<Scope, std::string_view>::second);
    if (found == kWords.end()) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("there is no scope \"{}\": scopes are send, read, content, suppress, "
                              "admin and ses",
                              printable(word.substr(0, 32))));
    }
    scopes = scopes | found->first;
    if (has(scopes, Scope::ses) && scopes != static_cast<store::Scopes>(Scope::ses)) {
      return fail(ErrorKind::invalid_input,
                  "the scope ses stands alone: such a key signs requests to the door of SES");
    }
    if (end == text.size()) return scopes;
    text.remove_prefix(end + 1);
  }
}

}  // namespace todoku::access
