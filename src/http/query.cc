// SPDX-License-Identifier: Apache-2.0
#include "http/query.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/percent.h"

namespace todoku::http {
namespace {

// The octet encoded at text[at] == '%', or -1.
int encoded_octet(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size()) return -1;
  const auto octet = from_hex(text.substr(at + 1, 2));
  return octet ? static_cast<unsigned char>(octet->front()) : -1;
}

std::string decode_tolerantly(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (const int octet = encoded_octet(text, i); octet >= 0) {
        out.push_back(static_cast<char>(octet));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i] == '+' && plus_is_space ? ' ' : text[i]);
  }
  return out;
}

// "status[]" and "status[12]" mean "status".
void strip_array_suffix(std::string& name) {
  if (!name.ends_with(']')) return;
  const std::size_t open = name.rfind('[');
  if (open == std::string::npos || open == 0) return;
  const std::string_view index = std::string_view(name).substr(open + 1, name.size() - open - 2);
  if (std::ranges::all_of(index, [](char c) { return c >= '0' && c <= '9'; })) name.resize(open);
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int octet = encoded_octet(text, i);
    if (octet <= 0) return std::nullopt;
    out.push_back(static_cast<char>(octet));
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool unreserved = is_ascii_alphanumeric(c) || std::string_view("-._~").contains(c);
    if (unreserved) {
      out.push_back(c);
    } else {
      append_percent_encoded(out, c);
    }
  }
  return out;
}

Query Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view encoded = pair.substr(std::min(equals + 1, pair.size()));
    Parameter parameter{.name = decode_tolerantly(pair.substr(0, equals), true),
                        .value = decode_tolerantly(encoded, true),
                        .literal = decode_tolerantly(encoded, false)};
    strip_array_suffix(parameter.name);
    query.parameters_.push_back(std::move(parameter));
  }
  return query;
}

const Query::Parameter* Query::find(std::string_view name) const {
  const auto found = std::ranges::find(parameters_, name, &Parameter::name);
  return found == parameters_.end() ? nullptr : &*found;
}

std::vector<std::string_view> Query::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Parameter& parameter : parameters_) {
    if (parameter.name == name) values.emplace_back(parameter.value);
  }
  return values;
}

}  // namespace todoku::http
