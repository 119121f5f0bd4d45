// SPDX-License-Identifier: Apache-2.0
#include "mime/transfer_encoding.h"

#include <cstddef>

namespace todoku::mime {
namespace {

constexpr std::size_t kQuotedCharactersMax = 76;
constexpr std::string_view kHex = "0123456789ABCDEF";

// One line without its end, broken softly where it is too long.
class LineEncoder {
 public:
  explicit LineEncoder(std::string& out) : out_(out) {}

  // Encodes the first character of `rest`, which is what is left of the line.
  void put_first(std::string_view rest) {
    // The last column is kept for the "=" of a soft line break.
    if (column_ + width_of_first(rest) > kQuotedCharactersMax - 1) {
      out_ += "=\r\n";
      column_ = 0;
    }
    const std::size_t width = width_of_first(rest);
    column_ += width;
    if (width == 1) {
      out_ += rest.front();
      return;
    }
    const auto octet = static_cast<std::uint8_t>(rest.front());
    out_ += '=';
    out_ += kHex[octet >> 4U];
    out_ += kHex[octet & 15U];
  }

 private:
  [[nodiscard]] std::size_t width_of_first(std::string_view rest) const {
    const char c = rest.front();
    if (c == ' ' || c == '\t') return rest.size() == 1 ? 3 : 1;  // RFC 2045 section 6.7 (3)
    if (c < ' ' || c > '~' || c == '=') return 3;
    const bool tempts = column_ == 0 && (c == '.' || rest.starts_with("From "));
    return tempts ? 3 : 1;
  }

  std::string& out_;
  std::size_t column_ = 0;
};

void append_line(std::string& out, std::string_view line) {
  LineEncoder encoder(out);
  for (; !line.empty(); line.remove_prefix(1)) encoder.put_first(line);
}

}  // namespace

std::string_view to_string(TransferEncoding encoding) {
  switch (encoding) {
    case TransferEncoding::seven_bit:
      return "7bit";
    case TransferEncoding::quoted_printable:
      return "quoted-printable";
    case TransferEncoding::base64:
      return "base64";
  }
  return "7bit";
}

void append_quoted_printable(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    append_line(out, text.substr(0, end));
    if (end == std::string_view::npos) return;
    out += "\r\n";
    text.remove_prefix(end + 2);
  }
}

}  // namespace todoku::mime
