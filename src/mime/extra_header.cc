// SPDX-License-Identifier: Apache-2.0
#include "mime/extra_header.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "mime/header.h"

namespace todoku::mime {
namespace {

constexpr std::array<std::pair<std::string_view, HeaderForm>, 9> kGivenNames{{
    {"In-Reply-To", HeaderForm::message_ids},
    {"References", HeaderForm::message_ids},
    {"Auto-Submitted", HeaderForm::words},
    {"Precedence", HeaderForm::words},
    {"Importance", HeaderForm::words},
    {"Priority", HeaderForm::words},
    {"Sensitivity", HeaderForm::words},
    {"Organization", HeaderForm::text},
    {"Comments", HeaderForm::text},
}};

bool starts_ignoring_case(std::string_view text, std::string_view prefix) {
  return equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

bool is_field_name(std::string_view name) {
  return std::ranges::all_of(
      name, [](char c) { return is_ascii_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_visible(char c) {
  return c > ' ' && c <= '~';
}

// "<left@right>". Not only what RFC 5322 makes now, but what it lets be repeated (section 4.5.4)
// and what is seen: a thread is found by the same octets or not at all.
bool is_message_id(std::string_view id) {
  if (id.size() < 5 || id.size() > kMessageIdOctetsMax) return false;
  if (id.front() != '<' || id.back() != '>') return false;
  const std::string_view inside = id.substr(1, id.size() - 2);
  const std::size_t at = inside.find('@');
  if (at == 0 || at == std::string_view::npos || at + 1 == inside.size()) return false;
  if (inside.find('@', at + 1) != std::string_view::npos) return false;
  return std::ranges::all_of(
      inside, [](char c) { return is_visible(c) && !std::string_view("<>(),;\\\"").contains(c); });
}

template <class Take>
void for_each_word(std::string_view text, Take&& take) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

Result<HeaderForm> form_of_header(std::string_view name) {
  if (name.empty()) return fail(ErrorKind::invalid_input, "has no name");
  if (name.size() > kHeaderNameOctetsMax) {
    return fail(ErrorKind::limit_exceeded, "has a name of more than 64 octets");
  }
  if (!is_field_name(name)) {
    return fail(ErrorKind::invalid_input,
                "has a name with other characters than letters, digits, - and _");
  }
  for (const auto& [given, form] : kGivenNames) {
    if (equals_ignoring_case(given, name)) return form;
  }
  const bool is_ours = starts_ignoring_case(name, "X-Todoku-");
  if (starts_ignoring_case(name, "X-") && name.size() > 2 && !is_ours) return HeaderForm::text;
  return fail(ErrorKind::invalid_input, "cannot be given");
}

Result<void> check_header_value(HeaderForm form, std::string_view value) {
  if (value.empty()) return fail(ErrorKind::invalid_input, "is empty");
  if (value.size() > kHeaderValueOctetsMax) {
    return fail(ErrorKind::limit_exceeded, "has more than 998 octets");
  }
  if (form == HeaderForm::text) return {};
  bool sound = std::ranges::all_of(value, [](char c) { return c == ' ' || is_visible(c); });
  if (!sound) return fail(ErrorKind::invalid_input, "has characters beyond printable ASCII");
  for_each_word(value, [&](std::string_view word) {
    sound = sound && (form == HeaderForm::message_ids ? is_message_id(word)
                                                      : word.size() <= kMessageIdOctetsMax);
  });
  if (sound) return {};
  return fail(ErrorKind::invalid_input, form == HeaderForm::message_ids
                                            ? "is no list of message ids such as <id@example.com>"
                                            : "has a word of more than 900 octets");
}

std::vector<UsableHeader> usable_headers(const Content& content) {
  std::vector<UsableHeader> usable;
  for (const ExtraHeader& header : content.headers) {
    if (usable.size() == kExtraHeadersMax) break;
    const auto form = form_of_header(header.name);
    if (!form || !check_header_value(*form, header.value)) continue;
    const bool again = std::ranges::any_of(usable, [&](const UsableHeader& before) {
      return equals_ignoring_case(before.name, header.name);
    });
    if (!again) usable.push_back({header.name, header.value, *form});
  }
  return usable;
}

void append_words(std::string& out, std::string_view name, std::string_view value) {
  FoldedLine line(out, name);
  for_each_word(value, [&](std::string_view word) { line.word(word); });
  line.finish();
}

}  // namespace todoku::mime
