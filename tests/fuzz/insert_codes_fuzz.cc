// SPDX-License-Identifier: Apache-2.0
// A text, then keys and values, separated by the octet 1F. Oracles: the compiled substitution
// equals the plainest one; a key is valid exactly if it is found where it stands alone.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "mime/insert_code.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

std::vector<std::string_view> split(std::string_view input) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t end = input.find('\x1F');
    fields.push_back(input.substr(0, end));
    if (end == std::string_view::npos) return fields;
    input.remove_prefix(end + 1);
  }
}

std::string substitute_plainly(std::string_view text, const std::vector<InsertCodeView>& codes) {
  std::string out;
  while (!text.empty()) {
    const auto hit = std::ranges::find_if(
        codes, [&](const InsertCodeView& code) { return text.starts_with(code.key); });
    if (hit == codes.end()) {
      out += text.front();
      text.remove_prefix(1);
    } else {
      append_body_text(out, hit->value);
      text.remove_prefix(hit->key.size());
    }
  }
  return out;
}

void check_key(std::string_view key) {
  const auto valid = validate_insert_key(key);
  if (is_brace_key(key)) {
    const auto code = brace_code_at(key);
    check(!valid || (code && code->octets == key.size() && !code->fallback),
          "a key in braces is a code");
    return;
  }
  const bool right_length = key.size() >= kInsertKeyOctetsMin && key.size() <= kInsertKeyOctetsMax;
  check(valid || (valid.error() == InsertKeyProblem::length) == !right_length,
        "the length is the first problem");
  check(valid.has_value() == (!key.empty() && insert_key_at(key) == key && key != kUnsubscribeKey),
        "one rule for keys");
}

void check_values(const InsertKeys& keys, const InsertValues& values) {
  for (std::uint32_t key = 0; key < keys.size(); ++key) {
    check(is_utf8(values[key].body) && is_clean_text(values[key].header), "values are clean");
  }
}

// The same with braces: left to right, each code once.
std::string fill_plainly(std::string_view text, const std::vector<InsertCodeView>& codes) {
  std::string out;
  const auto value_of = [&](std::string_view key) {
    const auto hit = std::ranges::find(codes, key, &InsertCodeView::key);
    return hit == codes.end() ? std::nullopt : std::optional(hit->value);
  };
  while (!text.empty()) {
    if (const auto code = brace_code_at(text)) {
      const auto value = value_of(brace_key(code->name));
      if (value && !(code->fallback && trim_invisible(*value).empty())) {
        append_body_text(out, *value);
      } else {
        out += code->fallback.value_or(text.substr(0, code->octets));
      }
      text.remove_prefix(code->octets);
      continue;
    }
    const std::string_view key = insert_key_at(text);
    const auto value = key.empty() ? std::nullopt : value_of(key);
    if (value) append_body_text(out, *value);
    if (!value) out += text.front();
    text.remove_prefix(value ? key.size() : 1);
  }
  return out;
}

void run_with_braces(const std::string& text, const std::vector<InsertCodeView>& codes) {
  InsertKeys keys;
  const CompiledText compiled(text, keys, KeyForms::with_braces);
  InsertValues values;
  values.resolve(keys, codes, {.plain = true, .html = true});
  std::string out;
  compiled.append_to(out, values);
  check(out == fill_plainly(text, codes), "compiled filling is plain filling");
  std::string html;
  compiled.append_to(html, values, ValueForm::html);
  check(html.size() >= out.size(), "references are no shorter");
  const std::string_view unreadable = unreadable_braces(text);
  check(unreadable.empty() || text.find(unreadable) != std::string::npos, "it is of the text");
}

void run(std::string_view input) {
  const auto fields = split(input);
  std::vector<InsertCodeView> codes;
  for (std::size_t i = 1; i + 1 < fields.size(); i += 2) {
    check_key(fields[i]);
    // The store only ever holds valid keys.
    if (validate_insert_key(fields[i])) codes.push_back({fields[i], fields[i + 1]});
  }
  const std::string text = body_text(fields[0]);
  run_with_braces(text, codes);
  std::erase_if(codes, [](const InsertCodeView& code) { return is_brace_key(code.key); });
  InsertKeys keys;
  const CompiledText compiled(text, keys);
  InsertValues values;
  values.resolve(keys, codes);
  check_values(keys, values);
  std::string out;
  compiled.append_to(out, values);
  check(out == substitute_plainly(text, codes), "compiled substitution is plain substitution");
  std::size_t at = 0;
  for (const CompiledText::Range run : compiled.literal_runs()) {
    check(run.begin >= at && run.begin < run.end && run.end <= text.size(), "runs are in order");
    at = run.end;
  }
}

}  // namespace
}  // namespace todoku::mime

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::mime::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
