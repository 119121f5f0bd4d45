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
constexpr std::size_t kNameOctetsMax = kInsertKeyOctetsMax - 2 * kDelimiterOctets;

bool is_delimiter(std::string_view text) {
  return text == "__" || text == "%%";
}

// Goes from one '_' or '%' of a text to the next. Each of the two is looked for by itself, which is
// a memchr over texts that hardly have any.
class Delimiters {
 public:
  explicit Delimiters(std::string_view text)
      : text_(text), underscore_(text.find('_')), percent_(text.find('%')) {}

  // The text's size when there is no more.
  std::size_t next() {
    const std::size_t at = std::min({underscore_, percent_, text_.size()});
    if (at == underscore_) underscore_ = text_.find('_', at + 1);
    if (at == percent_) percent_ = text_.find('%', at + 1);
    return at;
  }

 private:
  std::string_view text_;
  std::size_t underscore_;
  std::size_t percent_;
};

// Calls found(begin, key) for every place where a key may stand.
template <class Found>
void find_keys(std::string_view text, Found&& found) {
  Delimiters delimiters(text);
  for (std::size_t at = delimiters.next(); at < text.size(); at = delimiters.next()) {
    const std::string_view key = insert_key_at(text.substr(at));
    if (!key.empty()) found(at, key);
  }
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
                           bool with_plain) {
  values_.assign(keys.size(), {});
  if (keys.size() == 0) return;
  std::size_t unfit_octets = 0;
  for (const InsertCodeView& code : codes) {
    const auto number = keys.find(code.key);
    if (!number || values_[*number].present) continue;
    values_[*number] = {true, code.value, code.value, code.value};
    if (!is_clean_text(code.value)) unfit_octets += code.value.size();
  }
  if (unfit_octets > 0) make_clean(unfit_octets);
  if (with_plain) make_plain();
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

std::size_t InsertValues::memory_octets() const {
  std::size_t octets = values_.capacity() * sizeof(InsertValue) + cleaned_.capacity() +
                       plain_.capacity() * sizeof(std::string);
  for (const std::string& plain : plain_) octets += plain.capacity();
  return octets;
}

CompiledText::CompiledText(std::string text, InsertKeys& keys) : text_(std::move(text)) {
  find_keys(text_, [&](std::size_t at, std::string_view key) {
    slots_.push_back({at, at + key.size(), keys.intern(key)});
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
  }
  const std::size_t own = at + insertion.before.size();
  slots_.insert(behind, Slot{own, own, insertion.key});
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

void count_uses(std::string_view text, InsertKeys& keys, std::vector<std::uint32_t>& uses) {
  find_keys(text, [&](std::size_t, std::string_view key) {
    const std::uint32_t number = keys.intern(key);
    if (number >= uses.size()) uses.resize(number + std::size_t{1});
    ++uses[number];
  });
}

void CompiledText::append_to(std::string& out, const InsertValues& values, ValueForm form) const {
  expand(
      values, [&](std::size_t begin, std::size_t end) { out.append(text_, begin, end - begin); },
      [&](const InsertValue& value) {
        out += form == ValueForm::plain ? value.plain : value.body;
      });
}

}  // namespace todoku::mime
