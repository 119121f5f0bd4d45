// SPDX-License-Identifier: Apache-2.0
#include "mime/media_type.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/percent.h"
#include "mime/header.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kTokenOctetsMax = 100;
constexpr std::size_t kParametersMax = 8;
constexpr std::size_t kParameterNameOctetsMax = 40;
constexpr std::size_t kValueOctetsMax = 200;
constexpr std::string_view kOctetStream = "application/octet-stream";

// RFC 2045 section 5.1, less the characters that RFC 6838 forbids in names.
bool is_type_token(std::string_view text) {
  return !text.empty() && text.size() <= kTokenOctetsMax && std::ranges::all_of(text, [](char c) {
    return is_ascii_alphanumeric(c) || std::string_view("!#$&-^_.+").contains(c);
  });
}

// Any token that no reader of RFC 2231 takes for more.
bool is_plain_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_ascii_alphanumeric(c) || std::string_view("!#$&-^_.+`{|}~").contains(c);
  });
}

// The value of an extended parameter (RFC 2231 section 4), which is repeated as it is.
bool is_extended_value(std::string_view text) {
  return std::ranges::count(text, '\'') == 2 && std::ranges::all_of(text, [](char c) {
           return is_ascii_alphanumeric(c) || std::string_view("!#$&-^_.+`{|}~%'").contains(c);
         });
}

std::optional<std::string> parse_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string type = to_ascii_lower(trim(text.substr(0, slash)));
  const std::string subtype = to_ascii_lower(trim(text.substr(slash + 1)));
  if (!is_type_token(type) || !is_type_token(subtype) || type == "multipart" || type == "message") {
    return std::nullopt;
  }
  return type + "/" + subtype;
}

struct Parameter {
  std::string name;
  std::string value;
};

// Takes the parameter at the start of `text`, which is behind a semicolon, and the next semicolon.
Parameter take_parameter(std::string_view& text) {
  Parameter parameter;
  std::size_t end = std::min(text.find_first_of("=;"), text.size());
  parameter.name = to_ascii_lower(trim(text.substr(0, end)));
  text.remove_prefix(end);
  if (text.starts_with('=')) {
    text.remove_prefix(1);
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.starts_with('"')) {
      text.remove_prefix(1);
      while (!text.empty() && text.front() != '"') {
        if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
        parameter.value += text.front();
        text.remove_prefix(1);
      }
    } else {
      end = std::min(text.find(';'), text.size());
      parameter.value = trim(text.substr(0, end));
    }
  }
  text.remove_prefix(std::min(text.find(';'), text.size()));
  if (!text.empty()) text.remove_prefix(1);
  return parameter;
}

bool is_wanted(std::string_view name) {
  std::string_view base = name.substr(0, name.find('*'));
  const bool simple = is_plain_token(base) && (base == name || name.size() == base.size() + 1);
  return simple && name.size() <= kParameterNameOctetsMax && base != "boundary" && base != "name" &&
         base != "filename";
}

// "name=value"; empty if the value cannot be said.
std::string written(const Parameter& parameter) {
  if (parameter.value.size() > kValueOctetsMax) return {};
  if (parameter.name.ends_with('*')) {
    return is_extended_value(parameter.value) ? parameter.name + "=" + parameter.value : "";
  }
  const std::string& value = parameter.value;
  if (value.empty() || !is_clean_text(value)) return {};
  if (is_plain_token(value)) return parameter.name + "=" + value;
  if (parameter.name == "charset") return {};  // none has such a name
  if (is_ascii(value) && !value.contains("=?")) return parameter.name + "=" + quoted_string(value);
  std::string out = parameter.name + "*=UTF-8''";
  for (const char c : value) {
    if (is_ascii_alphanumeric(c) || std::string_view(".-_").contains(c)) {
      out += c;
    } else {
      append_percent_encoded(out, c);
    }
  }
  return out;
}

}  // namespace

std::string content_type_value(std::string_view given) {
  const std::size_t semicolon = std::min(given.find(';'), given.size());
  const auto media_type = parse_media_type(given.substr(0, semicolon));
  if (!media_type) return std::string(kOctetStream);
  std::string out = *media_type;
  given.remove_prefix(std::min(semicolon + 1, given.size()));
  std::vector<std::string> seen;
  while (!given.empty() && seen.size() < kParametersMax) {
    const Parameter parameter = take_parameter(given);
    if (!is_wanted(parameter.name)) continue;
    const std::string base = parameter.name.substr(0, parameter.name.find('*'));
    if (std::ranges::find(seen, base) != seen.end()) continue;
    const std::string line = written(parameter);
    if (line.empty() || out.size() + line.size() + 4 > kMediaTypeOctetsMax) continue;
    out += ";\r\n " + line;
    seen.push_back(base);
  }
  return out;
}

}  // namespace todoku::mime
