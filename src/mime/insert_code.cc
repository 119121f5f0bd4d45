// SPDX-License-Identifier: Apache-2.0
#include "mime/insert_code.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "mime/html_text.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kDelimiterOctets = 2;
// Of handlebars: what stands in braces there without being a value.
constexpr std::string_view kLogicWord = "else";
constexpr std::size_t kBracesShownMax = 40;

bool is_brace_name_octet(char c) {
  return is_ascii_alphanumeric(c) || c == '_' || c == '-' || c == '.';
}

bool is_brace_name(std::string_view name) {
  return !name.empty() && name.size() <= kBraceNameOctetsMax &&
         is_ascii_alphanumeric(name.front()) && std::ranges::all_of(name, is_brace_name_octet) &&
         name != kLogicWord;
}

// The start of a text that begins with "{{", on its line, to its first "}}" if that is near.
std::string_view braces_shown(std::string_view text) {
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  std::string_view shown = line.substr(0, kBracesShownMax);
  if (const std::size_t closing = shown.find("}}"); closing != std::string_view::npos) {
    shown = shown.substr(0, closing + 2);
  }
  while (shown.size() > 2 && !is_utf8(shown)) shown.remove_suffix(1);
  return shown;
}

std::string key_of_name(std::string_view name) {
  return std::string("{{").append(name).append("}}");
}

constexpr std::size_t kNameOctetsMax = kInsertKeyOctetsMax - 2 * kDelimiterOctets;

bool is_delimiter(std::string_view text) {
  return text == "__" || text == "%%";
}

// Goes from one '_' or '%' of a text to the next, or '{' where braces are asked for. Each of them
// is looked for by itself, which is a memchr over texts that hardly have any.
class Delimiters {
 public:
  Delimiters(std::string_view text, KeyForms forms)
      : text_(text),
        underscore_(text.find('_')),
        percent_(text.find('%')),
        brace_(forms == KeyForms::with_braces ? text.find('{') : std::string_view::npos) {}

  // The text's size when there is no more.
  std::size_t next() {
    const std::size_t at = std::min({underscore_, percent_, brace_, text_.size()});
    if (at == underscore_) underscore_ = text_.find('_', at + 1);
    if (at == percent_) percent_ = text_.find('%', at + 1);
    if (at == brace_) brace_ = text_.find('{', at + 1);
    return at;
  }

 private:
  std::string_view text_;
  std::size_t underscore_;
  std::size_t percent_;
  std::size_t brace_;
};

// Calls found(begin, octets, key, default) for every place where a key may stand.
template <class Found>
void find_keys(std::string_view text, KeyForms forms, Found&& found) {
  Delimiters delimiters(text, forms);
  std::size_t within_braces = 0;  // up to there
  for (std::size_t at = delimiters.next(); at < text.size(); at = delimiters.next()) {
    if (at < within_braces) continue;
    const std::string_view rest = text.substr(at);
    if (rest.front() == '{') {
      const auto code = brace_code_at(rest);
      if (!code) continue;
      found(at, code->octets, key_of_name(code->name), code->fallback);
      within_braces = at + code->octets;
      continue;
    }
    const std::string_view key = insert_key_at(rest);
    if (!key.empty()) found(at, key.size(), key, std::optional<std::string_view>());
  }
}

}  // namespace

std::span<const InsertCodeView> view_codes(std::span<const InsertCode> codes,
                                           std::vector<InsertCodeView>& views) {
  views.clear();
  for (const InsertCode& code : codes) views.push_back({code.key, code.value});
  return views;
}

std::string brace_key(std::string_view name) {
  return is_brace_name(name) ? key_of_name(name) : std::string();
}

std::optional<BraceCode> brace_code_at(std::string_view text) {
  if (!text.starts_with("{{")) return std::nullopt;
  const auto skip_spaces = [&](std::size_t at) {
    return std::min(text.find_first_not_of(' ', at), text.size());
  };
  const std::size_t begin = skip_spaces(2);
  std::size_t end = begin;
  while (end < text.size() && is_brace_name_octet(text[end])) ++end;
  BraceCode code{.name = text.substr(begin, end - begin)};
  if (!is_brace_name(code.name)) return std::nullopt;
  std::size_t closing = skip_spaces(end);
  if (closing < text.size() && text[closing] == '|') {
    const std::size_t value = closing + 1;
    closing = text.substr(0, value + kBraceDefaultOctetsMax + 2).find("}}", value);
    if (closing == std::string_view::npos) return std::nullopt;
    code.fallback = text.substr(value, closing - value);
    if (code.fallback->find_first_of("\r\n") != std::string_view::npos) return std::nullopt;
  }
  if (!text.substr(closing).starts_with("}}")) return std::nullopt;
  code.octets = closing + 2;
  return code;
}

std::string_view unreadable_braces(std::string_view text) {
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    const auto code = brace_code_at(text.substr(at));
    if (!code) return braces_shown(text.substr(at));
    at += code->octets;
  }
  return {};
}

bool has_code(std::string_view text) {
  if (text.contains("{{")) return true;
  bool found = false;
  find_keys(text, KeyForms::contract,
            [&](std::size_t, std::size_t, std::string_view, const auto&) { found = true; });
  return found;
}

std::string_view code_in_default(std::string_view text) {
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    const auto code = brace_code_at(text.substr(at));
    if (code && code->fallback && has_code(*code->fallback)) return braces_shown(text.substr(at));
    at += code ? code->octets : 1;
  }
  return {};
}

void add_code_uses(std::string_view text, KeyForms forms, std::vector<CodeUse>& uses,
                   std::size_t most) {
  find_keys(text, forms,
            [&](std::size_t, std::size_t, std::string_view key,
                std::optional<std::string_view> fallback) {
              if (key == kUnsubscribeKey) return;
              const auto known = std::ranges::find(uses, key, &CodeUse::key);
              if (known != uses.end()) {
                known->has_default &= fallback.has_value();
              } else if (uses.size() < most) {
                uses.push_back({std::string(key), fallback.has_value()});
              }
            });
}

std::expected<void, InsertKeyProblem> validate_insert_key(std::string_view key) {
  if (is_brace_key(key)) {
    if (key.size() < kInsertKeyOctetsMin || key.size() > kBraceKeyOctetsMax) {
      return std::unexpected(InsertKeyProblem::length);
    }
    if (brace_key(key.substr(2, key.size() - 4)) != key) {
      return std::unexpected(InsertKeyProblem::format);
    }
    return {};
  }
  if (key.size() < kInsertKeyOctetsMin || key.size() > kInsertKeyOctetsMax) {
    return std::unexpected(InsertKeyProblem::length);
  }
  if (insert_key_at(key) != key || key == kUnsubscribeKey)
    return std::unexpected(InsertKeyProblem::format);
  return {};
}

std::string_view insert_key_at(std::string_view text) {
  const std::string_view delimiter = text.substr(0, kDelimiterOctets);
  if (!is_delimiter(delimiter)) return {};
  if (text.starts_with(kUnsubscribeKey)) return kUnsubscribeKey;
  const std::string_view rest = text.substr(kDelimiterOctets, kNameOctetsMax + 1);
  const auto end = std::ranges::find_if_not(rest, is_ascii_alphanumeric);
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

void InsertValues::resolve(const InsertKeys& keys, std::span<const InsertCodeView> codes,
                           WantedForms wanted) {
  values_.assign(keys.size(), {});
  if (keys.size() == 0) return;
  std::size_t unfit_octets = 0;
  for (const InsertCodeView& code : codes) {
    const auto number = keys.find(code.key);
    if (!number || values_[*number].present) continue;
    values_[*number] = {true, code.value, code.value, code.value, code.value};
    if (!is_clean_text(code.value)) unfit_octets += code.value.size();
  }
  if (unfit_octets > 0) make_clean(unfit_octets);
  if (wanted.plain) make_plain();
  if (wanted.html) make_html();
}

void InsertValues::make_clean(std::size_t unfit_octets) {
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
    value.plain = value.body;
    value.html = value.body;
  }
}

void InsertValues::make_plain() {
  plain_.resize(values_.size());
  for (std::size_t i = 0; i < values_.size(); ++i) {
    InsertValue& value = values_[i];
    if (!value.present || !may_have_markup(value.body)) continue;
    plain_[i].clear();
    append_body_text(plain_[i], html_to_text(value.body));
    value.plain = plain_[i];
  }
}

void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

void InsertValues::make_html() {
  html_.resize(values_.size());
  for (std::size_t i = 0; i < values_.size(); ++i) {
    InsertValue& value = values_[i];
    if (!value.present || !needs_escape(value.body)) continue;
    html_[i].clear();
    append_escaped(html_[i], value.body);
    value.html = html_[i];
  }
}

std::size_t InsertValues::memory_octets() const {
  std::size_t octets = values_.capacity() * sizeof(InsertValue) + cleaned_.capacity() +
                       (plain_.capacity() + html_.capacity()) * sizeof(std::string);
  for (const std::string& plain : plain_) octets += plain.capacity();
  for (const std::string& html : html_) octets += html.capacity();
  return octets;
}

CompiledText::CompiledText(std::string text, InsertKeys& keys, KeyForms forms)
    : text_(std::move(text)) {
  find_keys(text_, forms,
            [&](std::size_t at, std::size_t octets, std::string_view key,
                std::optional<std::string_view> fallback) {
              Slot slot{.begin = at, .end = at + octets, .key = keys.intern(key)};
              if (fallback) {
                slot.has_default = true;
                slot.default_octets = static_cast<std::uint32_t>(fallback->size());
                slot.default_begin = static_cast<std::size_t>(fallback->data() - text_.data());
              }
              slots_.push_back(slot);
            });
}

void CompiledText::insert(std::size_t at, const Insertion& insertion) {
  const auto behind =
      std::ranges::find_if(slots_, [at](const Slot& slot) { return slot.begin >= at; });
  check(behind == slots_.begin() || std::prev(behind)->end <= at, "no key is torn apart");
  const std::size_t octets = insertion.before.size() + insertion.after.size();
  for (auto slot = behind; slot != slots_.end(); ++slot) {
    slot->begin += octets;
    slot->end += octets;
    slot->default_begin += octets;
  }
  const std::size_t own = at + insertion.before.size();
  slots_.insert(behind, Slot{.begin = own, .end = own, .key = insertion.key});
  text_.insert(at, insertion.after);
  text_.insert(at, insertion.before);
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

void count_uses(std::string_view text, InsertKeys& keys, std::vector<std::uint32_t>& uses,
                KeyForms forms) {
  find_keys(text, forms, [&](std::size_t, std::size_t, std::string_view key, const auto&) {
    const std::uint32_t number = keys.intern(key);
    if (number >= uses.size()) uses.resize(number + std::size_t{1});
    ++uses[number];
  });
}

void CompiledText::append_to(std::string& out, const InsertValues& values, ValueForm form) const {
  expand(
      values, [&](std::size_t begin, std::size_t end) { out.append(text_, begin, end - begin); },
      [&](const InsertValue& value) { out += in_form(value, form); });
}

}  // namespace todoku::mime
