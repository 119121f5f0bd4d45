// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/capabilities.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/bytes.h"

namespace todoku::smtp {
namespace {

// Cuts the next word off the front of `text`.
std::string_view next_word(std::string_view& text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(begin);
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

std::uint64_t size_of(std::string_view word) {
  std::uint64_t size = 0;
  const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), size);
  return error == std::errc() && stop == word.data() + word.size() ? size : 0;
}

void add_mechanisms(std::vector<std::string>& auth, std::string_view words) {
  for (std::string_view word = next_word(words); !word.empty(); word = next_word(words)) {
    std::string mechanism(word);
    for (char& c : mechanism) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (std::ranges::find(auth, mechanism) == auth.end()) auth.push_back(std::move(mechanism));
  }
}

void read_line(Capabilities& capabilities, std::string_view line) {
  const std::string_view keyword = next_word(line);
  const auto is = [keyword](std::string_view name) { return equals_ignoring_case(keyword, name); };
  if (is("PIPELINING")) capabilities.pipelining = true;
  if (is("CHUNKING")) capabilities.chunking = true;
  if (is("8BITMIME")) capabilities.eight_bit_mime = true;
  if (is("SMTPUTF8")) capabilities.smtputf8 = true;
  if (is("STARTTLS")) capabilities.starttls = true;
  if (is("ENHANCEDSTATUSCODES")) capabilities.enhanced_status_codes = true;
  if (is("DSN")) capabilities.dsn = true;
  if (is("AUTH")) add_mechanisms(capabilities.auth, line);
  // "AUTH=LOGIN", from before RFC 2554, is still sent beside the right form.
  if (keyword.size() > 5 && equals_ignoring_case(keyword.substr(0, 5), "AUTH=")) {
    add_mechanisms(capabilities.auth, keyword.substr(5));
    add_mechanisms(capabilities.auth, line);
  }
  if (is("SIZE")) {
    capabilities.size = true;
    capabilities.size_max = size_of(next_word(line));
  }
}

}  // namespace

Capabilities Capabilities::from_ehlo(const Reply& reply) {
  Capabilities capabilities;
  std::string_view rest = reply.text;
  // The first line is the server's name and greeting.
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    rest.remove_prefix(end + 1);
    read_line(capabilities, rest.substr(0, rest.find('\n')));
  }
  return capabilities;
}

}  // namespace todoku::smtp
