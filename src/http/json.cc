// SPDX-License-Identifier: Apache-2.0
#include "http/json.h"

#include <algorithm>
#include <cmath>

#include <boost/json/error.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/parser.hpp>
#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::http {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Error syntax_error(std::string_view text, std::size_t at, const boost::json::error_code& code,
                   const JsonLimits& limits) {
  if (code == boost::json::error::too_deep) {
    return {ErrorKind::limit_exceeded,
            fmt::format("JSON is nested deeper than {} levels", limits.depth_max)};
  }
  if (trim(text).empty()) return {ErrorKind::invalid_input, "JSON is empty"};
  const std::string_view before = text.substr(0, std::min(at, text.size()));
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const std::size_t column = before.size() - line_start + 1;
  if (code == boost::json::error::incomplete) {
    return {ErrorKind::invalid_input,
            fmt::format("JSON ends too early, at line {}, column {}", line, column)};
  }
  return {ErrorKind::invalid_input, fmt::format("JSON has a mistake at line {}, column {}: {}",
                                                line, column, code.message())};
}

}  // namespace

Result<boost::json::value> parse_json(std::string_view text, JsonArena& arena,
                                      const JsonLimits& limits) {
  if (text.size() > limits.octets_max) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("JSON is longer than {} octets", limits.octets_max));
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  boost::json::parse_options options;
  options.max_depth = limits.depth_max;
  std::array<unsigned char, 1024> scratch;  // the parser's own stack, for usual nesting
  boost::json::parser parser({}, options, scratch.data(), scratch.size());
  parser.reset(arena.storage());
  boost::json::error_code code;
  const std::size_t read = parser.write_some(text.data(), text.size(), code);
  if (!code && read < text.size()) code = boost::json::error::extra_data;
  if (code) return fail(syntax_error(text, read, code, limits));
  return parser.release();
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out.push_back('"');
  const bool valid = is_utf8(text);
  std::size_t plain = 0;  // start of what needs no escaping
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    const bool special = octet < 0x20 || octet == '"' || octet == '\\' || octet == 0x7F;
    if (!special && (octet < 0x80 || valid)) continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (octet >= 0x80) {
      // A well-formed sequence inside a string that is not well-formed stays.
      std::size_t size = 2;
      while (size <= 4 && i + size <= text.size() && !is_utf8(text.substr(i, size))) ++size;
      if (size <= 4 && i + size <= text.size()) {
        out.append(text, i, size);
        i += size - 1;
        plain = i + 1;
      } else {
        out += "\\ufffd";
      }
    } else if (octet == '"' || octet == '\\') {
      out.push_back('\\');
      out.push_back(text[i]);
    } else if (octet == '\n') {
      out += "\\n";
    } else {
      out += "\\u00";
      out.push_back(kDigits[octet >> 4U]);
      out.push_back(kDigits[octet & 15U]);
    }
  }
  out.append(text, plain);
  out.push_back('"');
}

void JsonWriter::separate() {
  if (needs_comma_) out_.push_back(',');
  needs_comma_ = true;
}

void JsonWriter::open(char bracket) {
  separate();
  out_.push_back(bracket);
  needs_comma_ = false;
}

void JsonWriter::close(char bracket) {
  out_.push_back(bracket);
  needs_comma_ = true;
}

void JsonWriter::key(std::string_view name) {
  separate();
  out_.push_back('"');
  out_.append(name);
  out_.append("\":");
  needs_comma_ = false;
}

void JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
}

void JsonWriter::value(double number) {
  if (std::isfinite(number))
    raw(fmt::format("{}", number));
  else
    null();
}

void JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
}

}  // namespace todoku::http
