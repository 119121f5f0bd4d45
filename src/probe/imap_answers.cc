// SPDX-License-Identifier: Apache-2.0
#include "probe/imap_answers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/bytes.h"

namespace todoku::probe {
namespace {

using store::ProbePlace;

// Last parts of names, in lower case, where a server does not say what its folder is for.
constexpr std::array<std::string_view, 12> kJunkNames{
    "junk", "spam",      "junk e-mail", "junk email", "junkmail",   "bulk mail",
    "bulk", "spam mail", "spambox",     "quarantine", "迷惑メール", "迷惑メールフォルダ"};

template <class Take>
void each_line(std::string_view text, Take&& take) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    take(trim(text.substr(0, end)));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

// Takes `expected` and the blanks after it off the front, whatever its case.
bool take_word(std::string_view& line, std::string_view expected) {
  if (line.size() < expected.size() ||
      !equals_ignoring_case(line.substr(0, expected.size()), expected)) {
    return false;
  }
  line = trim(line.substr(expected.size()));
  return true;
}

// A quoted string or an atom off the front. nullopt: neither, or a literal, which comes in another
// line.
std::optional<std::string> take_text(std::string_view& line) {
  std::string text;
  if (line.empty() || line.front() == '{') return std::nullopt;
  if (line.front() != '"') {
    const std::size_t end = line.find(' ');
    text = line.substr(0, end);
    line = end == std::string_view::npos ? std::string_view() : trim(line.substr(end));
    return text;
  }
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '"') {
      line = trim(line.substr(i + 1));
      return text;
    }
    if (line[i] == '\\' && i + 1 < line.size()) ++i;
    text += line[i];
  }
  return std::nullopt;
}

std::string_view last_part(std::string_view name, std::string_view divider) {
  const std::size_t at = divider.empty() ? std::string_view::npos : name.rfind(divider);
  return at == std::string_view::npos ? name : name.substr(at + divider.size());
}

// nullopt: no mail arrives there.
std::optional<ProbePlace> place_of(std::string_view flags, std::string_view shown,
                                   std::string_view divider) {
  bool junk = false;
  while (!flags.empty()) {
    const std::string_view flag = flags.substr(0, flags.find(' '));
    flags = trim(flags.substr(flag.size()));
    for (const std::string_view closed : {"\\Noselect", "\\NonExistent", "\\Sent", "\\Drafts"}) {
      if (equals_ignoring_case(flag, closed)) return std::nullopt;
    }
    junk = junk || equals_ignoring_case(flag, "\\Junk");
  }
  if (equals_ignoring_case(shown, "INBOX")) return ProbePlace::inbox;
  const std::string last = to_ascii_lower(last_part(shown, divider));
  if (junk || std::ranges::find(kJunkNames, last) != kJunkNames.end()) return ProbePlace::junk;
  return ProbePlace::other;
}

// * LIST (\HasNoChildren \Junk) "/" "Junk E-mail"
std::optional<Folder> folder_of(std::string_view line) {
  if (!take_word(line, "* LIST") || line.empty() || line.front() != '(') return std::nullopt;
  const std::size_t close = line.find(')');
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view flags = trim(line.substr(1, close - 1));
  line = trim(line.substr(close + 1));
  auto divider = take_text(line);
  if (!divider) return std::nullopt;
  if (equals_ignoring_case(*divider, "NIL")) divider->clear();
  auto name = take_text(line);
  const bool is_clean = name && std::ranges::none_of(*name, [](char c) {
                          return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
                        });
  if (!is_clean || name->empty() || name->size() > kFolderOctetsMax) return std::nullopt;
  std::string shown = folder_for_people(*name);
  const auto place = place_of(flags, shown, *divider);
  if (!place) return std::nullopt;
  return Folder{.name = std::move(*name), .shown = std::move(shown), .place = *place};
}

// UTF-16 in big endian as UTF-8; nullopt: it is none.
std::optional<std::string> from_utf16(std::string_view octets) {
  if (octets.size() % 2 != 0) return std::nullopt;
  std::string text;
  const auto unit = [&](std::size_t i) {
    return static_cast<char32_t>((static_cast<unsigned char>(octets[i]) << 8U) |
                                 static_cast<unsigned char>(octets[i + 1]));
  };
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    char32_t c = unit(i);
    if (c >= 0xDC00 && c < 0xE000) return std::nullopt;
    if (c >= 0xD800 && c < 0xDC00) {
      i += 2;
      if (i >= octets.size() || unit(i) < 0xDC00 || unit(i) >= 0xE000) return std::nullopt;
      c = 0x10000 + ((c - 0xD800) << 10U) + (unit(i) - 0xDC00);
    }
    if (c < 0x20 || c == 0x7F) return std::nullopt;
    if (c < 0x80) {
      text += static_cast<char>(c);
    } else if (c < 0x800) {
      text += static_cast<char>(0xC0U | (c >> 6U));
      text += static_cast<char>(0x80U | (c & 0x3FU));
    } else if (c < 0x10000) {
      text += static_cast<char>(0xE0U | (c >> 12U));
      text += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
      text += static_cast<char>(0x80U | (c & 0x3FU));
    } else {
      text += static_cast<char>(0xF0U | (c >> 18U));
      text += static_cast<char>(0x80U | ((c >> 12U) & 0x3FU));
      text += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
      text += static_cast<char>(0x80U | (c & 0x3FU));
    }
  }
  return text;
}

}  // namespace

std::string folder_for_people(std::string_view name) {
  std::string shown;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (name[at] != '&') {
      shown += name[at];
      continue;
    }
    const std::size_t end = name.find('-', at);
    if (end == std::string_view::npos) return std::string(name);
    std::string shifted(name.substr(at + 1, end - at - 1));
    at = end;
    if (shifted.empty()) {  // "&-" is an ampersand
      shown += '&';
      continue;
    }
    std::ranges::replace(shifted, ',', '/');
    shifted.resize((shifted.size() + 3) / 4 * 4, '=');
    const auto octets = from_base64(shifted);
    const auto text = octets ? from_utf16(*octets) : std::nullopt;
    if (!text) return std::string(name);
    shown += *text;
  }
  return shown;
}

std::vector<Folder> read_folders(std::string_view answer) {
  std::vector<Folder> folders;
  each_line(answer, [&](std::string_view line) {
    if (folders.size() >= kFoldersMax * 8) return;
    if (auto folder = folder_of(line)) folders.push_back(std::move(*folder));
  });
  std::vector<Folder> in_order;
  for (const ProbePlace place : {ProbePlace::inbox, ProbePlace::junk, ProbePlace::other}) {
    for (const Folder& folder : folders) {
      if (folder.place == place && in_order.size() < kFoldersMax) in_order.push_back(folder);
    }
  }
  return in_order;
}

std::vector<std::uint32_t> read_found(std::string_view answer) {
  std::vector<std::uint32_t> found;
  each_line(answer, [&](std::string_view line) {
    if (!take_word(line, "* SEARCH")) return;
    while (!line.empty() && found.size() < kFoundMax) {
      const std::string_view word = line.substr(0, line.find(' '));
      line = trim(line.substr(word.size()));
      std::uint32_t number = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
      if (error != std::errc() || end != word.data() + word.size() || number == 0) return;
      found.push_back(number);
    }
  });
  return found;
}

}  // namespace todoku::probe
