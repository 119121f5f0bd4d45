// SPDX-License-Identifier: Apache-2.0
#include "http/header_value.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/query.h"

namespace todoku::http {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSymbols.contains(c);
  });
}

// Takes a quoted string off the front of `rest`, which begins after the opening quote. Only a quote
// or a backslash can be escaped: old browsers send whole paths with plain backslashes.
std::string take_quoted(std::string_view& rest) {
  std::string out;
  std::size_t i = 0;
  for (; i < rest.size() && rest[i] != '"'; ++i) {
    const bool escape =
        rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\');
    if (escape) ++i;
    out.push_back(rest[i]);
  }
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return out;
}

std::string latin1_to_utf8(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80) {
      out.push_back(c);
    } else {
      out.push_back(static_cast<char>(0xC0U | (octet >> 6U)));
      out.push_back(static_cast<char>(0x80U | (octet & 0x3FU)));
    }
  }
  return out;
}

std::optional<std::string> to_utf8(std::string_view charset, std::string octets) {
  const bool unicode =
      equals_ignoring_case(charset, "utf-8") || equals_ignoring_case(charset, "us-ascii");
  if (unicode) return is_utf8(octets) ? std::optional(std::move(octets)) : std::nullopt;
  if (equals_ignoring_case(charset, "iso-8859-1")) return latin1_to_utf8(octets);
  return std::nullopt;
}

// RFC 2047 section 4.2: '_' is a space, =XX an octet.
std::optional<std::string> decode_q(std::string_view text) {
  std::string percent;
  for (const char c : text) {
    if (c == '%')
      percent += "%25";
    else if (c == '_')
      percent += "%20";
    else
      percent.push_back(c == '=' ? '%' : c);
  }
  return percent_decode(percent);
}

struct EncodedWord {
  std::string text;
  std::size_t size;  // in the source
};

// The encoded word at the start of `text`: =?charset?B or Q?text?=
std::optional<EncodedWord> decode_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 3 > text.size()) return std::nullopt;
  if (text[charset_end + 2] != '?') return std::nullopt;
  const std::size_t data = charset_end + 3;
  const std::size_t data_end = text.find("?=", data);
  if (data_end == std::string_view::npos) return std::nullopt;
  const std::string_view encoded = text.substr(data, data_end - data);
  const char encoding = ascii_lower(text[charset_end + 1]);
  std::optional<std::string> octets;
  if (encoding == 'b') octets = from_base64(encoded);
  if (encoding == 'q') octets = decode_q(encoded);
  if (!octets) return std::nullopt;
  // RFC 2231 section 5 allows a language after the charset.
  std::string_view charset = text.substr(2, charset_end - 2);
  charset = charset.substr(0, charset.find('*'));
  std::optional<std::string> decoded = to_utf8(charset, std::move(*octets));
  if (!decoded) return std::nullopt;
  return EncodedWord{.text = std::move(*decoded), .size = data_end + 2};
}

// The length of the well-formed UTF-8 sequence at the start of `text`, or 0.
std::size_t utf8_sequence(std::string_view text) {
  for (std::size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    if (is_utf8(text.substr(0, size))) return size;
  }
  return 0;
}

// Without control characters, and with U+FFFD for octets that are no UTF-8.
std::string printable_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = utf8_sequence(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (size == 0)
      out += kReplacement;
    else if (first >= 0x20 && first != 0x7F)
      out += text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

}  // namespace

const std::string* ParameterizedValue::find(std::string_view name) const {
  for (const auto& [key, parameter] : parameters) {
    if (key == name) return &parameter;
  }
  return nullptr;
}

ParameterizedValue parse_parameterized(std::string_view text) {
  ParameterizedValue parsed;
  std::size_t end = std::min(text.find(';'), text.size());
  parsed.value = std::string(trim(text.substr(0, end)));
  std::string_view rest = text.substr(end);
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the ';'
    end = std::min(rest.find_first_of("=;"), rest.size());
    std::string name = to_ascii_lower(trim(rest.substr(0, end)));
    rest.remove_prefix(end);
    std::string value;
    if (rest.starts_with('=')) {
      rest.remove_prefix(1);
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
      if (rest.starts_with('"')) {
        rest.remove_prefix(1);
        value = take_quoted(rest);
        rest.remove_prefix(std::min(rest.find(';'), rest.size()));
      } else {
        end = std::min(rest.find(';'), rest.size());
        value = std::string(trim(rest.substr(0, end)));
        rest.remove_prefix(end);
      }
    }
    if (!name.empty()) parsed.parameters.emplace_back(std::move(name), std::move(value));
  }
  return parsed;
}

std::string media_type(std::string_view content_type) {
  std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  // Python clients print the tuple of mimetypes.guess_type() (blastengine-api.md section 2.2).
  if (type.starts_with("('")) type = type.substr(2, type.find('\'', 2) - 2);
  const std::size_t slash = type.find('/');
  if (slash == std::string_view::npos) return {};
  if (!is_token(type.substr(0, slash)) || !is_token(type.substr(slash + 1))) return {};
  return to_ascii_lower(type);
}

std::optional<std::string> decode_extended_value(std::string_view text) {
  const std::size_t charset_end = text.find('\'');
  if (charset_end == std::string_view::npos) return std::nullopt;
  const std::size_t language_end = text.find('\'', charset_end + 1);
  if (language_end == std::string_view::npos) return std::nullopt;
  std::optional<std::string> octets = percent_decode(text.substr(language_end + 1));
  if (!octets) return std::nullopt;
  return to_utf8(text.substr(0, charset_end), std::move(*octets));
}

std::string decode_encoded_words(std::string_view text) {
  std::string out;
  std::size_t pending_space = 0;  // white space that counts only if no encoded word follows
  bool after_word = false;
  while (!text.empty()) {
    if (const auto word = decode_word(text)) {
      // RFC 2047 section 6.2: white space between adjacent encoded words is not shown.
      if (after_word) out.resize(out.size() - pending_space);
      out += word->text;
      text.remove_prefix(word->size);
      after_word = true;
      pending_space = 0;
      continue;
    }
    const bool space = text.front() == ' ' || text.front() == '\t';
    out.push_back(text.front());
    text.remove_prefix(1);
    if (space && after_word)
      ++pending_space;
    else
      after_word = false, pending_space = 0;
  }
  return out;
}

std::optional<std::string> file_name(const ParameterizedValue& disposition) {
  std::optional<std::string> name;
  if (const std::string* extended = disposition.find("filename*")) {
    name = decode_extended_value(*extended);
  }
  if (!name) {
    const std::string* plain = disposition.find("filename");
    if (plain == nullptr) return std::nullopt;
    name = decode_encoded_words(*plain);
  }
  // RFC 7578 section 4.2: directories are the sender's own affair.
  std::string_view base = *name;
  if (const std::size_t slash = base.find_last_of("/\\"); slash != std::string_view::npos) {
    base.remove_prefix(slash + 1);
  }
  return printable_utf8(base);
}

}  // namespace todoku::http
