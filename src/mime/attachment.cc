// SPDX-License-Identifier: Apache-2.0
#include "mime/attachment.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "mime/file_name.h"
#include "mime/header.h"
#include "mime/media_type.h"
#include "mime/transfer_encoding.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kParameterPieceMax = 60;  // characters of an RFC 2231 value on one line

// One character of UTF-8 as RFC 2231 attribute-char or percent-encoded.
std::string percent_encoded(std::string_view character) {
  std::string out;
  for (const char c : character) {
    if (is_ascii_alphanumeric(c) || c == '.' || c == '-' || c == '_') {
      out += c;
    } else {
      append_percent_encoded(out, c);
    }
  }
  return out;
}

// filename* in as many pieces as its length asks for (RFC 2231 sections 3 and 4.1).
void append_extended_filename(std::string& out, std::string_view name) {
  std::vector<std::string> pieces{"UTF-8''"};
  while (!name.empty()) {
    const std::size_t octets = std::max<std::size_t>(decode_utf8(name).octets, 1);
    const std::string encoded = percent_encoded(name.substr(0, octets));
    if (pieces.back().size() + encoded.size() > kParameterPieceMax) pieces.emplace_back();
    pieces.back() += encoded;
    name.remove_prefix(octets);
  }
  if (pieces.size() == 1) {
    out += fmt::format(";\r\n filename*={}", pieces[0]);
    return;
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    out += fmt::format(";\r\n filename*{}*={}", i, pieces[i]);
  }
}

void append_encoded_name(std::string& out, std::string_view name, Encoding charset) {
  constexpr std::string_view kBegin = " name=\"";
  if (!fits_iso_2022_jp(name)) charset = Encoding::utf_8;
  out += ";\r\n";
  out += kBegin;
  FoldedLine line(out, kBegin.size(), true);
  static_cast<void>(append_encoded_words(line, name, charset));
  out += '"';
}

// RFC 5322 section 2.1.1: a line has 78 characters if it can.
void append_content_id(std::string& out, std::string_view id) {
  constexpr std::string_view kName = "Content-ID:";
  out += kName;
  if (kName.size() + id.size() + 3 > 78) out += "\r\n";
  out += fmt::format(" <{}>\r\n", id);
}

}  // namespace

std::string encode_attachment(const Attachment& attachment, Encoding charset,
                              std::string_view content_id) {
  const std::string name = clean_file_name(attachment.file_name);
  const bool plain = is_ascii(name) && !name.contains("=?");
  const std::string_view disposition = content_id.empty() ? "attachment" : "inline";
  std::string out = "Content-Type: " + content_type_value(attachment.mime_type);
  if (plain) {
    const std::string quoted = quoted_string(name);
    out += ";\r\n name=" + quoted;
    out += fmt::format("\r\nContent-Disposition: {};\r\n filename=", disposition) + quoted;
  } else {
    append_encoded_name(out, name, charset);
    out += fmt::format("\r\nContent-Disposition: {}", disposition);
    append_extended_filename(out, name);
  }
  out += "\r\n";
  if (!content_id.empty()) append_content_id(out, content_id);
  out += "Content-Transfer-Encoding: ";
  out += to_string(TransferEncoding::base64);
  out += "\r\n\r\n";
  append_base64_lines(out, attachment.data);
  return out;
}

}  // namespace todoku::mime
