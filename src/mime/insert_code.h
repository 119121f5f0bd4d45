// SPDX-License-Identifier: Apache-2.0
// Insert codes (merge fields): which keys are valid, and their substitution, compiled once per
// delivery so that each recipient costs a concatenation.
//
//   key  = "__" name "__" / "%%" name "%%"      name = 1*16( ALPHA / DIGIT )
//
// A key is replaced wherever it stands verbatim (case matters). Keys that a recipient has no value
// for stay as text, and values are never looked through for further keys. Where two keys share a
// delimiter, as in __a__b__, the leftmost one that the recipient has is replaced.
//
// In what comes from a template (KeyForms::with_braces) there are beside them
//
//   code    = "{{" *SP name *SP [ "|" default ] "}}"
//   name    = 1*64( ALPHA / DIGIT / "_" / "-" / "." ), the first one ALPHA or DIGIT
//   default = *200( any octet but line ends, without "}}" )
//
// whose key is "{{name}}", however it is written. The default stands, as its author wrote it, where
// a recipient has no value, or none that anybody sees. Nothing within a code is a key, which is why
// no template is kept whose default has one (code_in_default()), and there is no logic.
// Without a template braces are text, as the contract has it.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mail/content.h"
#include "mail/invisible.h"

namespace todoku::mime {

using todoku::InsertCode;

struct InsertCodeView {
  std::string_view key;
  std::string_view value;
};

// Fills `views` with views of `codes`, which must outlive them; returns them as a span.
std::span<const InsertCodeView> view_codes(std::span<const InsertCode> codes,
                                           std::vector<InsertCodeView>& views);

// Where the link stands by which the recipient leaves (docs/adr/0031). No recipient has a value for
// it: a name has no underscore, so nobody's own key is written so.
inline constexpr std::string_view kUnsubscribeKey = "__unsubscribe_url__";

inline constexpr std::size_t kInsertKeyOctetsMin = 5;
inline constexpr std::size_t kInsertKeyOctetsMax = 20;
inline constexpr std::size_t kBraceNameOctetsMax = 64;
inline constexpr std::size_t kBraceKeyOctetsMax = kBraceNameOctetsMax + 4;
inline constexpr std::size_t kBraceDefaultOctetsMax = 200;

// Which keys are looked for in a text.
enum class KeyForms : std::uint8_t { contract, with_braces };
// Braces are codes in the subject and the bodies of what comes from a template.
[[nodiscard]] inline KeyForms key_forms(const Content& content) {
  return content.from_template ? KeyForms::with_braces : KeyForms::contract;
}

[[nodiscard]] inline bool is_brace_key(std::string_view key) {
  return key.starts_with("{{");
}
// "{{name}}" of a name as above; empty if it is none, or a word of other languages' logic ("else").
[[nodiscard]] std::string brace_key(std::string_view name);

enum class InsertKeyProblem : std::uint8_t {
  length,  // shorter than 5 or longer than 20 characters (68 of {{abc}}), delimiters counted
  format,  // not __abc__, %%abc%% or {{abc}}, or kUnsubscribeKey
};
[[nodiscard]] std::expected<void, InsertKeyProblem> validate_insert_key(std::string_view key);

// The key at the start of `text`, which may be kUnsubscribeKey; empty if there is none. The check
// is syntactic only.
[[nodiscard]] std::string_view insert_key_at(std::string_view text);

// A code in braces at the start of a text, e.g. {{ first_name|friend }}.
struct BraceCode {
  std::string_view name;
  std::optional<std::string_view> fallback;  // the default
  std::size_t octets = 0;                    // of all of it
};
// nullopt if there is none.
[[nodiscard]] std::optional<BraceCode> brace_code_at(std::string_view text);

// The first "{{" of a text that begins no code, up to 40 octets of it; empty: there is none.
[[nodiscard]] std::string_view unreadable_braces(std::string_view text);

// Whether a text has "{{", a contract's key or kUnsubscribeKey.
[[nodiscard]] bool has_code(std::string_view text);
// The first code in braces whose default has one of these, up to 40 octets of it: nothing would be
// put in there. Empty: there is none.
[[nodiscard]] std::string_view code_in_default(std::string_view text);

// One key of a text.
struct CodeUse {
  std::string key;
  bool has_default = false;
};
// Adds the keys that a text needs values for, kUnsubscribeKey aside, each once; of one that stands
// somewhere without default, that. No more than `most` in all.
void add_code_uses(std::string_view text, KeyForms forms, std::vector<CodeUse>& uses,
                   std::size_t most);

// The value of one key for one recipient, in the forms that bodies and headers need.
struct InsertValue {
  bool present = false;
  std::string_view body;    // CRLF line ends, well-formed UTF-8
  std::string_view header;  // without misleading characters
  std::string_view plain;   // of a text that is made from HTML: its markup read, as there
  std::string_view html;    // what HTML takes for markup said as references: & < > " '
};

// In which form values are put into a body.
enum class ValueForm : std::uint8_t { body, plain, html };

[[nodiscard]] inline std::string_view in_form(const InsertValue& value, ValueForm form) {
  if (form == ValueForm::plain) return value.plain;
  return form == ValueForm::html ? value.html : value.body;
}

// True if a value may have markup to be read for its plain form. Then that form has at most twice
// its octets and 64 more (mime/html_text.h), else it is the body form.
[[nodiscard]] inline bool may_have_markup(std::string_view value) {
  return value.find_first_of("<&") != std::string_view::npos;
}

// True if a value's form for HTML is another one than its body form. It has at most six times its
// octets.
[[nodiscard]] inline bool needs_escape(std::string_view value) {
  return value.find_first_of("&<>\"'") != std::string_view::npos;
}
void append_escaped(std::string& out, std::string_view value);

// The forms that are asked for beside those of bodies and headers.
struct WantedForms {
  bool plain = false;
  bool html = false;
};

// The keys that the texts of one delivery mention, numbered from 0.
class InsertKeys {
 public:
  [[nodiscard]] std::uint32_t intern(std::string_view key);
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view key) const;
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }
  // Approximately: a node and a bucket each. A key is short enough to stand in its node.
  [[nodiscard]] std::size_t memory_octets() const {
    return numbers_.size() * (sizeof(std::string) + 5 * sizeof(void*));
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> numbers_;
};

// The values of one recipient, by key number. Keeps its memory from one recipient to the next.
class InsertValues {
 public:
  // Takes the values that `keys` ask for. If a key is given twice, the first one counts. The views
  // refer to `codes` and to this object.
  void resolve(const InsertKeys& keys, std::span<const InsertCodeView> codes,
               WantedForms wanted = {});
  // A value that is no insert code's, of printable ASCII.
  void put(std::uint32_t key, std::string_view value) {
    values_[key] = {true, value, value, value, value};
  }
  [[nodiscard]] const InsertValue& operator[](std::uint32_t key) const { return values_[key]; }
  [[nodiscard]] std::size_t memory_octets() const;

 private:
  void make_clean(std::size_t unfit_octets);
  void make_plain();
  void make_html();

  std::vector<InsertValue> values_;
  std::string cleaned_;  // the forms of those values that are not fit as they are
  std::vector<std::string> plain_;
  std::vector<std::string> html_;
};

// Adds to `uses`, which grows as needed, in how many places of `text` each key stands, by its
// number. Keys that share a delimiter count each, though only one of them can be replaced.
void count_uses(std::string_view text, InsertKeys& keys, std::vector<std::uint32_t>& uses,
                KeyForms forms = KeyForms::contract);

// A text split once at every place where a key may stand.
class CompiledText {
 public:
  CompiledText() = default;
  CompiledText(std::string text, InsertKeys& keys, KeyForms forms = KeyForms::contract);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_literal() const { return slots_.empty(); }

  // Text that comes to stand before position `at`, within no key, with a slot of its own between
  // its two parts. No key is looked for in it.
  struct Insertion {
    std::string_view before;
    std::uint32_t key = 0;
    std::string_view after;
  };
  void insert(std::size_t at, const Insertion& insertion);

  // The stretches of text that stand in every recipient's copy: before, between and after the
  // slots.
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  [[nodiscard]] std::vector<Range> literal_runs() const;

  // Calls on_literal(begin, end) and on_value(const InsertValue&) from left to right. Each literal
  // range is made of whole literal runs and of keys without value, or is a default.
  template <class OnLiteral, class OnValue>
  void expand(const InsertValues& values, OnLiteral&& on_literal, OnValue&& on_value) const {
    std::size_t from = 0;
    for (const Slot& slot : slots_) {
      const InsertValue& value = values[slot.key];
      if (slot.begin < from || !(value.present || slot.has_default)) continue;
      on_literal(from, slot.begin);
      if (!slot.has_default || (value.present && !trim_invisible(value.body).empty())) {
        on_value(value);
      } else if (slot.default_octets > 0) {
        on_literal(slot.default_begin, slot.default_begin + slot.default_octets);
      }
      from = slot.end;
    }
    on_literal(from, text_.size());
  }

  // Appends the text with the values in that form.
  void append_to(std::string& out, const InsertValues& values,
                 ValueForm form = ValueForm::body) const;

 private:
  struct Slot {
    std::size_t begin;
    std::size_t end;
    std::uint32_t key;
    bool has_default = false;
    std::uint32_t default_octets = 0;
    std::size_t default_begin = 0;  // in the text, within the slot
  };
  std::string text_;
  std::vector<Slot> slots_;
};

}  // namespace todoku::mime
