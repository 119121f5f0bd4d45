// SPDX-License-Identifier: Apache-2.0
#include "mime/attachment.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "mime/header.h"
#include "mime/text.h"
#include "mime/transfer_encoding.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kNameOctetsMax = 200;
constexpr std::size_t kExtensionOctetsMax = 16;
constexpr std::size_t kTokenOctetsMax = 100;
constexpr std::size_t kParameterPieceMax = 60;  // characters of an RFC 2231 value on one line
constexpr std::string_view kOctetStream = "application/octet-stream";

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 2045 section 5.1, less the characters that RFC 6838 forbids in names.
bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= kTokenOctetsMax && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || std::string_view("!#$&-^_.+").contains(c);
  });
}

std::optional<std::string> parse_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string type = to_ascii_lower(trim(text.substr(0, slash)));
  const std::string subtype = to_ascii_lower(trim(text.substr(slash + 1)));
  if (!is_token(type) || !is_token(subtype) || type == "multipart" || type == "message") {
    return std::nullopt;
  }
  return type + "/" + subtype;
}

// The value of the charset parameter, empty if there is none that can be repeated as a token.
std::string_view charset_parameter(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = trim(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    if (!equals_ignoring_case(trim(parameter.substr(0, equals)), "charset")) continue;
    std::string_view value = trim(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
      value = value.substr(1, value.size() - 2);
    }
    return is_token(value) ? value : std::string_view{};
  }
  return {};
}

std::string content_type(std::string_view given) {
  const std::size_t semicolon = std::min(given.find(';'), given.size());
  const auto media_type = parse_media_type(given.substr(0, semicolon));
  if (!media_type) return std::string(kOctetStream);
  const std::string_view charset = charset_parameter(given.substr(semicolon));
  return charset.empty() ? *media_type : fmt::format("{};\r\n charset={}", *media_type, charset);
}

// Shortens the part before the extension.
std::string shorten(std::string_view name) {
  if (name.size() <= kNameOctetsMax) return std::string(name);
  const std::size_t dot = name.rfind('.');
  const bool has_extension =
      dot != std::string_view::npos && name.size() - dot <= kExtensionOctetsMax;
  const std::string_view extension = has_extension ? name.substr(dot) : std::string_view{};
  return std::string(utf8_prefix(name, kNameOctetsMax - extension.size())) + std::string(extension);
}

std::string clean_file_name(std::string_view given) {
  const std::string clean = header_text(given);
  std::string_view name = clean;
  const std::size_t directory = name.find_last_of("/\\");
  if (directory != std::string_view::npos) name.remove_prefix(directory + 1);
  name = trim(name);
  return name.empty() ? "attachment" : shorten(name);
}

// One character of UTF-8 as RFC 2231 attribute-char or percent-encoded.
std::string percent_encoded(std::string_view character) {
  std::string out;
  for (const char c : character) {
    if (is_alphanumeric(c) || c == '.' || c == '-' || c == '_') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<std::uint8_t>(c));
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

}  // namespace

std::string encode_attachment(const Attachment& attachment, Encoding charset) {
  const std::string name = clean_file_name(attachment.file_name);
  const bool plain = is_ascii(name) && !name.contains("=?");
  std::string out = "Content-Type: " + content_type(attachment.mime_type);
  if (plain) {
    const std::string quoted = quoted_string(name);
    out += ";\r\n name=" + quoted;
    out += "\r\nContent-Disposition: attachment;\r\n filename=" + quoted;
  } else {
    append_encoded_name(out, name, charset);
    out += "\r\nContent-Disposition: attachment";
    append_extended_filename(out, name);
  }
  out += "\r\n";
  out += "Content-Transfer-Encoding: ";
  out += to_string(TransferEncoding::base64);
  out += "\r\n\r\n";
  append_base64_lines(out, attachment.data);
  return out;
}

}  // namespace todoku::mime
