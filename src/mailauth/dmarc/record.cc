// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dmarc/record.h"

#include <algorithm>
#include <charconv>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"

namespace todoku::mailauth::dmarc {
namespace {

constexpr std::string_view kVersion = "DMARC1";
constexpr std::size_t kExcerptOctets = 40;
// Stands for what is not to be believed: no tag takes it.
constexpr std::string_view kNoValue = "?";

std::string excerpt(std::string_view text) {
  return printable(text.substr(0, kExcerptOctets));
}

struct Tag {
  std::string_view name;
  std::string_view value;
};

// "name = value"; nullopt: it is none (RFC 9989 section 4.8, dmarc-tag).
std::optional<Tag> split_tag(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  return Tag{.name = trim(text.substr(0, equals)), .value = trim(text.substr(equals + 1))};
}

bool has_dmarc_octets(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7F; });
}

// A version counts only where the text begins with it: the grammar has no room before the "v".
bool begins_with_version(std::string_view text) {
  if (text.empty() || ascii_lower(text.front()) != 'v') return false;
  const auto tag = split_tag(text.substr(0, text.find(';')));
  return tag && tag->name.size() == 1 && tag->value == kVersion;
}

template <class Value>
struct Word {
  std::string_view word;
  Value value;
};

constexpr Word<Policy> kPolicies[] = {
    {"none", Policy::none}, {"quarantine", Policy::quarantine}, {"reject", Policy::reject}};
constexpr Word<Alignment> kAlignments[] = {{"r", Alignment::relaxed}, {"s", Alignment::strict}};
constexpr Word<SuffixFlag> kSuffixFlags[] = {
    {"u", SuffixFlag::unsaid}, {"n", SuffixFlag::no}, {"y", SuffixFlag::yes}};
constexpr Word<bool> kYesNo[] = {{"n", false}, {"y", true}};

// The grammar's words are in any case (RFC 5234 section 2.3).
template <class Value, std::size_t kSize>
std::optional<Value> value_of(std::string_view text, const Word<Value> (&words)[kSize]) {
  const auto* found = std::ranges::find_if(
      words, [&](const Word<Value>& each) { return equals_ignoring_case(each.word, text); });
  if (found == std::end(words)) return std::nullopt;
  return found->value;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "0:d:s", or nullopt: each option once, of "0" and "1" at most one.
std::optional<std::string> failure_options(std::string_view text) {
  std::string options;
  for (std::string_view rest = text;;) {
    const std::size_t colon = rest.find(':');
    const std::string_view word = trim(rest.substr(0, colon));
    const char option = word.size() == 1 ? ascii_lower(word.front()) : '?';
    const bool is_option = std::string_view("01ds").contains(option);
    const bool is_other_digit = option <= '1' && options.find_first_of("01") != std::string::npos;
    if (!is_option || options.contains(option) || is_other_digit) return std::nullopt;
    if (!options.empty()) options += ':';
    options += option;
    if (colon == std::string_view::npos) return options;
    rest.remove_prefix(colon + 1);
  }
}

bool is_uri_octet(char c) {
  return is_ascii_alphanumeric(c) || std::string_view("-._~:/?#[]@!$&'()*+;=%").contains(c);
}

// Each "%" is followed by two hexadecimal digits (RFC 3986 section 2.1).
bool is_well_encoded(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (text.size() - at < 3 || !from_hex(text.substr(at + 1, 2))) return false;
  }
  return true;
}

std::string_view without_size(std::string_view text) {
  const std::size_t mark = text.rfind('!');
  if (mark == std::string_view::npos) return text;
  std::string_view size = text.substr(mark + 1);
  if (!size.empty() && std::string_view("kmgt").contains(ascii_lower(size.back()))) {
    size.remove_suffix(1);
  }
  const bool is_size =
      !size.empty() && std::ranges::all_of(size, [](char c) { return c >= '0' && c <= '9'; });
  return is_size ? text.substr(0, mark) : text;
}

// Takes one tag after another into a record.
class Reader {
 public:
  explicit Reader(Record& record) : record_(record) {}

  void take(std::string_view text) {
    if (trim(text).empty()) return;
    const auto tag = split_tag(text);
    if (!tag || tag->name.empty()) return warn("\"{}\" is not a tag", excerpt(trim(text)));
    const std::string name = to_ascii_lower(tag->name);
    // RFC 6376 section 3.2 makes a whole list with a name twice invalid, RFC 9989 section 4.8
    // passes over what is wrong: of the two values neither is believed.
    const bool is_repeated = std::ranges::find(names_, name) != names_.end();
    names_.push_back(name);
    const bool is_readable = !is_repeated && has_dmarc_octets(tag->value);
    const std::string_view value = is_readable ? tag->value : kNoValue;
    if (is_repeated) warn("{}= stands there twice", excerpt(name));
    if (!take_value(name, value)) {
      warn("{}= has a value that is none of it: \"{}\"", excerpt(name), excerpt(tag->value));
    }
  }

  template <class... Args>
  void warn(fmt::format_string<Args...> form, Args&&... args) {
    record_.warnings.push_back(fmt::format(form, std::forward<Args>(args)...));
  }

 private:
  // False: the value is not one of this tag.
  bool take_value(std::string_view name, std::string_view value) {
    if (name == "p") return take_policy(record_.p, value);
    // An empty one is wrong by the grammar, and so no tag at all; of p= that would be p=none.
    if (name == "sp") return !value.empty() && take_policy(record_.sp, value);
    if (name == "np") return !value.empty() && take_policy(record_.np, value);
    if (name == "adkim") return take_word(record_.dkim, value, kAlignments);
    if (name == "aspf") return take_word(record_.spf, value, kAlignments);
    if (name == "psd") return take_word(record_.psd, value, kSuffixFlags);
    if (name == "t") return take_word(record_.is_testing, value, kYesNo);
    if (name == "rua") return take_uris(record_.rua, value);
    if (name == "ruf") return take_uris(record_.ruf, value);
    if (name == "fo") return take_or(record_.failure_options, failure_options(value), "0");
    if (name == "pct") {
      auto percent = number<int>(value);
      if (percent && (*percent < 0 || *percent > 100)) percent.reset();
      return take_or(record_.percent, percent, 100);
    }
    if (name == "ri")
      return take_or(record_.interval_seconds, number<std::uint32_t>(value), 86'400);
    return true;  // rf= has one value; all others are unknown and MUST be ignored
  }

  static bool take_policy(PolicyTag& tag, std::string_view value) {
    tag = {.is_present = true, .value = value_of(value, kPolicies)};
    return tag.value.has_value();
  }

  template <class Value, std::size_t kSize>
  static bool take_word(Value& into, std::string_view text, const Word<Value> (&words)[kSize]) {
    return take_or(into, value_of(text, words), words[0].value);
  }

  template <class Value>
  static bool take_or(Value& into, std::optional<Value> value,
                      std::type_identity_t<Value> otherwise) {
    into = value ? std::move(*value) : std::move(otherwise);
    return value.has_value();
  }

  static bool take_uris(std::vector<std::string>& into, std::string_view value) {
    into.clear();
    bool are_all_good = true;
    while (true) {
      const std::size_t comma = value.find(',');
      auto uri = report_uri(trim(value.substr(0, comma)));
      are_all_good = are_all_good && uri && into.size() < kReportUrisMax;
      if (uri && into.size() < kReportUrisMax) into.push_back(std::move(*uri));
      if (comma == std::string_view::npos) return are_all_good;
      value.remove_prefix(comma + 1);
    }
  }

  Record& record_;
  std::vector<std::string> names_;
};

}  // namespace

std::string_view to_string(Policy policy) {
  return kPolicies[std::to_underlying(policy)].word;
}

Policy milder(Policy policy) {
  return policy == Policy::reject ? Policy::quarantine : Policy::none;
}

std::string_view to_string(Alignment alignment) {
  return alignment == Alignment::strict ? "strict" : "relaxed";
}

std::optional<std::string> report_uri(std::string_view text) {
  text = without_size(text);
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
  const std::string scheme = to_ascii_lower(text.substr(0, colon));
  const std::string_view rest = text.substr(colon + 1);
  const bool is_scheme =
      scheme.front() >= 'a' && scheme.front() <= 'z' && std::ranges::all_of(scheme, [](char c) {
        return is_ascii_alphanumeric(c) || std::string_view("+-.").contains(c);
      });
  if (!is_scheme || rest.empty() || !std::ranges::all_of(rest, is_uri_octet)) return std::nullopt;
  if (!is_well_encoded(rest)) return std::nullopt;
  if (scheme == "mailto") {
    const std::string_view address = rest.substr(0, rest.find('?'));
    const std::size_t at = address.rfind('@');
    if (at == 0 || at == std::string_view::npos || at + 1 == address.size()) return std::nullopt;
  }
  return std::string(text);
}

std::optional<Record> parse_record(std::string_view text) {
  if (!begins_with_version(text)) return std::nullopt;
  Record record;
  Reader reader(record);
  for (std::size_t tags = 0, end = text.find(';'); end != std::string_view::npos; ++tags) {
    if (tags == kRecordTagsMax) {
      reader.warn("more than {} tags: the rest was not read", kRecordTagsMax);
      break;
    }
    text.remove_prefix(end + 1);
    end = text.find(';');
    reader.take(text.substr(0, end));
  }
  return record;
}

}  // namespace todoku::mailauth::dmarc
