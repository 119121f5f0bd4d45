// SPDX-License-Identifier: Apache-2.0
#include "mailauth/spf/macro.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"

namespace todoku::mailauth::spf {
namespace {

constexpr std::string_view kLettersAnywhere = "slodiphv";
constexpr std::string_view kLettersInExplanations = "crt";
constexpr std::string_view kDelimiters = ".-+,/_=";
// More right-hand parts than any value has: larger numbers mean the same.
constexpr unsigned kPartsMax = 1'000'000;

struct MacroToken {
  std::string_view literal;  // a run of literal characters; or what %%, %_ or %- stands for
  bool expands = false;      // macro-expand of any kind
  char letter = '\0';        // lower case; '\0': no macro but a literal
  bool escapes = false;      // the letter was upper case
  unsigned parts = 0;        // 0: all
  bool reverses = false;
  bool splits = false;          // transformers or delimiters are given
  std::string_view delimiters;  // empty: "."
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::unexpected<Error> bad_macro(std::string_view text) {
  constexpr std::size_t kShown = 20;
  return fail(ErrorKind::invalid_input,
              fmt::format("\"{}\" is not a macro", printable(text.substr(0, kShown))));
}

// What stands between "%{" and "}".
Result<MacroToken> read_braces(std::string_view inside) {
  if (inside.empty()) return bad_macro("%{}");
  MacroToken token{.expands = true};
  token.letter = ascii_lower(inside.front());
  token.escapes = token.letter != inside.front();
  std::string_view rest = inside.substr(1);
  token.splits = !rest.empty();
  const bool counts = !rest.empty() && is_digit(rest.front());
  for (; !rest.empty() && is_digit(rest.front()); rest.remove_prefix(1)) {
    token.parts = std::min(token.parts * 10 + static_cast<unsigned>(rest.front() - '0'), kPartsMax);
  }
  // Section 7.3: "the value MUST be nonzero".
  if (counts && token.parts == 0) return bad_macro(inside);
  token.reverses = !rest.empty() && ascii_lower(rest.front()) == 'r';
  if (token.reverses) rest.remove_prefix(1);
  if (rest.find_first_not_of(kDelimiters) != std::string_view::npos) return bad_macro(inside);
  token.delimiters = rest;
  return token;
}

// The token at the start of `text`, which is not empty and is shortened by it.
Result<MacroToken> take_token(std::string_view& text) {
  if (text.front() != '%') {
    const std::string_view literal = text.substr(0, text.find('%'));
    text.remove_prefix(literal.size());
    return MacroToken{.literal = literal};
  }
  const char next = text.size() > 1 ? text[1] : '\0';
  if (next == '{') {
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) return bad_macro(text);
    auto token = read_braces(text.substr(2, end - 2));
    text.remove_prefix(end + 1);
    return token;
  }
  if (next != '%' && next != '_' && next != '-') return bad_macro(text);
  text.remove_prefix(2);
  const std::string_view meaning = next == '%' ? "%" : next == '_' ? " " : "%20";
  return MacroToken{.literal = meaning, .expands = true};
}

Result<void> check_token(const MacroToken& token, MacroPlace place) {
  if (token.letter != '\0') {
    if (kLettersAnywhere.contains(token.letter)) return {};
    const bool late = kLettersInExplanations.contains(token.letter);
    if (late && place != MacroPlace::domain) return {};
    return fail(ErrorKind::invalid_input,
                fmt::format("macro letter {} {}", printable(std::string(1, token.letter)),
                            late ? "outside an explanation" : "is unknown"));
  }
  const auto wrong = std::ranges::find_if(token.literal, [place](char c) {
    return (c < '!' || c > '~') && (c != ' ' || place != MacroPlace::explanation);
  });
  if (token.expands || wrong == token.literal.end()) return {};
  return fail(ErrorKind::invalid_input,
              fmt::format("octet 0x{:02x} in a macro string", static_cast<unsigned char>(*wrong)));
}

bool is_alphanumeric_or_hyphen(char c) {
  return is_ascii_alphanumeric(c) || c == '-';
}

// toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
bool is_toplabel(std::string_view label) {
  return !label.empty() && std::ranges::all_of(label, is_alphanumeric_or_hyphen) &&
         !std::ranges::all_of(label, is_digit) && label.front() != '-' && label.back() != '-';
}

// "." toplabel [ "." ] at the end of a literal.
bool ends_in_toplabel(std::string_view literal) {
  if (literal.ends_with('.')) literal.remove_suffix(1);
  const std::size_t dot = literal.rfind('.');
  return dot != std::string_view::npos && is_toplabel(literal.substr(dot + 1));
}

// RFC 3986 section 2.3: all but "unreserved".
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_ascii_alphanumeric(c) || std::string_view("-._~").contains(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::vector<std::string_view> split_at(std::string_view value, std::string_view delimiters) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = value.find_first_of(delimiters);
    parts.push_back(value.substr(0, end));
    if (end == std::string_view::npos) return parts;
    value.remove_prefix(end + 1);
  }
}

// Section 7.3: split, reversed, cut from the left, joined by dots. Empty parts are parts.
std::string transform(const MacroToken& token, std::string value) {
  if (token.splits) {
    auto parts = split_at(value, token.delimiters.empty() ? "." : token.delimiters);
    if (token.reverses) std::ranges::reverse(parts);
    if (token.parts != 0 && token.parts < parts.size()) {
      parts.erase(parts.begin(), parts.end() - static_cast<std::ptrdiff_t>(token.parts));
    }
    value = fmt::format("{}", fmt::join(parts, "."));
  }
  return token.escapes ? escape(value) : value;
}

void append_token(std::string& out, const MacroToken& token, const MacroValue& value) {
  if (token.letter == '\0') {
    out += token.literal;
  } else {
    out += transform(token, value(token.letter));
  }
}

}  // namespace

Result<void> check_macro_string(std::string_view text, MacroPlace place) {
  while (!text.empty()) {
    const auto token = take_token(text);
    if (!token) return fail(token.error());
    if (const auto checked = check_token(*token, place); !checked) return checked;
  }
  return {};
}

Result<void> check_domain_spec(std::string_view text) {
  MacroToken last;
  while (!text.empty()) {
    const auto token = take_token(text);
    if (!token) return fail(token.error());
    if (const auto checked = check_token(*token, MacroPlace::domain); !checked) return checked;
    last = *token;
  }
  if (last.expands || ends_in_toplabel(last.literal)) return {};
  return fail(ErrorKind::invalid_input, last.literal.empty()
                                            ? "the domain is missing"
                                            : fmt::format("\"{}\" does not end a domain name",
                                                          printable(last.literal.substr(0, 40))));
}

bool names_local_part(std::string_view text) {
  while (!text.empty()) {
    const auto token = take_token(text);
    if (!token) return false;
    if (token->letter == 's' || token->letter == 'l') return true;
  }
  return false;
}

std::string expand_domain(std::string_view domain_spec, const MacroValue& value) {
  constexpr std::size_t kTail = kNameOctetsMax + 2;  // with a dot before it and one after it
  std::string name;
  while (!domain_spec.empty()) {
    const auto token = take_token(domain_spec);
    if (!token) return {};
    append_token(name, *token, value);
    // Only the end of it can stay, however many macros there are.
    if (name.size() > 8 * kTail) name.erase(0, name.size() - kTail);
  }
  if (name.ends_with('.')) name.pop_back();
  while (name.size() > kNameOctetsMax) {
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos) return {};
    name.erase(0, dot + 1);
  }
  return name;
}

Result<std::string> expand_explanation(std::string_view text, const MacroValue& value) {
  std::string out;
  while (!text.empty()) {
    const auto token = take_token(text);
    if (!token) return fail(token.error());
    append_token(out, *token, value);
    if (out.size() > kExplanationOctetsMax) {
      return fail(ErrorKind::limit_exceeded, "the explanation is too long");
    }
  }
  if (!std::ranges::all_of(out, [](char c) { return c >= ' ' && c <= '~'; })) {
    return fail(ErrorKind::invalid_input, "the explanation is not printable US-ASCII");
  }
  return out;
}

}  // namespace todoku::mailauth::spf
