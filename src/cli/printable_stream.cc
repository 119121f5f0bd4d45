// SPDX-License-Identifier: Apache-2.0
#include "cli/printable_stream.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/printable.h"
#include "base/utf8.h"
#include "base/wipe.h"

namespace todoku::cli {

bool PrintableStream::Buffer::pass_on() {
  if (line_.empty()) return true;
  const bool ends = line_.ends_with('\n');
  if (ends) line_.pop_back();
  std::string shown = printable(line_);
  if (ends) shown += '\n';
  out_ << shown;
  wipe(shown);  // a new key is told here
  wipe(line_);
  line_.clear();
  return out_.good();
}

std::streamsize PrintableStream::Buffer::xsputn(const char* text, std::streamsize octets) {
  std::string_view rest(text, static_cast<std::size_t>(octets));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    line_ += rest.substr(0, end);
    rest.remove_prefix(end);
    if (line_.ends_with('\n') && !pass_on()) return 0;
  }
  return octets;
}

PrintableStream::Buffer::int_type PrintableStream::Buffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char octet = traits_type::to_char_type(c);
  return xsputn(&octet, 1) == 1 ? c : traits_type::eof();
}

int PrintableStream::Buffer::sync() {
  return pass_on() && out_.flush() ? 0 : -1;
}

std::string printable_json(std::string_view json) {
  std::string out;
  while (!json.empty()) {
    const CodePoint point = decode_utf8(json);
    const std::string_view octets = json.substr(0, std::max<std::size_t>(point.octets, 1));
    json.remove_prefix(octets.size());
    // Below U+0020 there is white space between values only.
    if (point.octets == 0 || point.value < 0x20 || !is_misleading(point.value)) {
      out += octets;
    } else if (point.value < 0x10000) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(point.value));
    } else {
      const unsigned above = static_cast<unsigned>(point.value) - 0x10000;
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (above >> 10U), 0xDC00 + (above & 0x3FFU));
    }
  }
  return out;
}

}  // namespace todoku::cli
