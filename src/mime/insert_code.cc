// SPDX-License-Identifier: Apache-2.0
#include "mime/insert_code.h"

#include <algorithm>

#include "mime/text.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kDelimiterOctets = 2;
constexpr std::size_t kNameOctetsMax = kInsertKeyOctetsMax - 2 * kDelimiterOctets;

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_delimiter(std::string_view text) {
  return text == "__" || text == "%%";
}

// Where a delimiter may begin, from `at` on; the size of `text` if nowhere. (Ten times as fast as
// find_first_of(), which asks for each character whether it is in the set.)
std::size_t next_delimiter(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] != '_' && text[at] != '%') ++at;
  return at;
}

}  // namespace

std::span<const InsertCodeView> view_codes(std::span<const InsertCode> codes,
                                           std::vector<InsertCodeView>& views) {
  views.clear();
  for (const InsertCode& code : codes) views.push_back({code.key, code.value});
  return views;
}

std::expected<void, InsertKeyProblem> validate_insert_key(std::string_view key) {
  if (key.size() < kInsertKeyOctetsMin || key.size() > kInsertKeyOctetsMax) {
    return std::unexpected(InsertKeyProblem::length);
  }
  if (insert_key_at(key) != key) return std::unexpected(InsertKeyProblem::format);
  return {};
}

std::string_view insert_key_at(std::string_view text) {
  const std::string_view delimiter = text.substr(0, kDelimiterOctets);
  if (!is_delimiter(delimiter)) return {};
  const std::string_view rest = text.substr(kDelimiterOctets, kNameOctetsMax + 1);
  const auto end = std::ranges::find_if_not(rest, is_name_character);
  const auto name_octets = static_cast<std::size_t>(end - rest.begin());
  if (name_octets == 0 || name_octets > kNameOctetsMax) return {};
  const std::size_t closing = kDelimiterOctets + name_octets;
  if (text.substr(closing, kDelimiterOctets) != delimiter) return {};
  return text.substr(0, closing + kDelimiterOctets);
}

std::uint32_t InsertKeys::intern(std::string_view key) {
  if (const auto known = numbers_.find(key); known != numbers_.end()) return known->second;
  const auto number = static_cast<std::uint32_t>(numbers_.size());
  numbers_.emplace(key, number);
  return number;
}

std::optional<std::uint32_t> InsertKeys::find(std::string_view key) const {
  const auto known = numbers_.find(key);
  if (known == numbers_.end()) return std::nullopt;
  return known->second;
}

void InsertValues::resolve(const InsertKeys& keys, std::span<const InsertCodeView> codes) {
  values_.assign(keys.size(), {});
  if (keys.size() == 0) return;
  std::size_t unfit_octets = 0;
  for (const InsertCodeView& code : codes) {
    const auto number = keys.find(code.key);
    if (!number || values_[*number].present) continue;
    values_[*number] = {true, code.value, code.value};
    if (!is_clean_text(code.value)) unfit_octets += code.value.size();
  }
  if (unfit_octets == 0) return;
  cleaned_.clear();
  // Both forms, each at most three times as long: the views below must not move.
  cleaned_.reserve(unfit_octets * 6);
  const auto clean = [&](std::string_view value, auto append) {
    const std::size_t before = cleaned_.size();
    append(cleaned_, value);
    return std::string_view(cleaned_).substr(before);
  };
  for (InsertValue& value : values_) {
    if (is_clean_text(value.body)) continue;
    const std::string_view given = value.body;
    value.body = clean(given, append_body_text);
    value.header = clean(given, append_header_text);
  }
}

CompiledText::CompiledText(std::string text, InsertKeys& keys) : text_(std::move(text)) {
  const std::string_view whole = text_;
  for (std::size_t at = next_delimiter(whole, 0); at < whole.size();
       at = next_delimiter(whole, at + 1)) {
    const std::string_view key = insert_key_at(whole.substr(at));
    if (!key.empty()) slots_.push_back({at, at + key.size(), keys.intern(key)});
  }
}

std::vector<CompiledText::Range> CompiledText::literal_runs() const {
  std::vector<Range> runs;
  std::size_t begin = 0;
  for (const Slot& slot : slots_) {
    // Overlapping slots have no run between them.
    if (slot.begin > begin) runs.push_back({begin, slot.begin});
    begin = slot.end;
  }
  if (text_.size() > begin) runs.push_back({begin, text_.size()});
  return runs;
}

void CompiledText::count_uses(std::vector<std::uint32_t>& uses) const {
  for (const Slot& slot : slots_) {
    if (slot.key >= uses.size()) uses.resize(slot.key + std::size_t{1});
    ++uses[slot.key];
  }
}

void CompiledText::append_to(std::string& out, const InsertValues& values) const {
  expand(
      values, [&](std::size_t begin, std::size_t end) { out.append(text_, begin, end - begin); },
      [&](const InsertValue& value) { out += value.body; });
}

}  // namespace todoku::mime
