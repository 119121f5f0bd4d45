// SPDX-License-Identifier: Apache-2.0
#include "mail/attached.h"

#include <charconv>
#include <optional>
#include <utility>

namespace todoku {
namespace {

// No insert code has them: its key begins with "__" or "%%" (mime/insert_code.h).
constexpr std::string_view kReferenceKey = "reference=";
constexpr std::string_view kMetadataKey = "metadata=";
constexpr std::string_view kMessageIdKey = "message-id=";

// Text like any other insert code's value, without NUL: length in digits, colon, octets.
void append_text(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

std::optional<std::string_view> read_text(std::string_view& in) {
  std::size_t size = 0;
  const char* const end = in.data() + in.size();
  const auto read = std::from_chars(in.data(), end, size);
  if (read.ec != std::errc() || read.ptr == end || *read.ptr != ':') return std::nullopt;
  in.remove_prefix(static_cast<std::size_t>(read.ptr - in.data()) + 1);
  if (size > in.size()) return std::nullopt;
  const std::string_view text = in.substr(0, size);
  in.remove_prefix(size);
  return text;
}

// text name, text value, by turns
std::string packed(const Metadata& metadata) {
  std::string out;
  for (const MetadataMember& member : metadata) {
    append_text(out, member.name);
    append_text(out, member.value);
  }
  return out;
}

Metadata unpacked(std::string_view in) {
  Metadata metadata;
  while (!in.empty()) {
    const auto name = read_text(in);
    const auto value = name ? read_text(in) : std::nullopt;
    if (!value) return {};
    metadata.push_back({std::string(*name), std::string(*value)});
  }
  return metadata;
}

}  // namespace

bool is_attached_key(std::string_view key) {
  return key == kReferenceKey || key == kMetadataKey || key == kMessageIdKey;
}

void attach(const Attached& attached, std::vector<InsertCode>& codes) {
  if (!attached.reference.empty()) {
    codes.push_back({std::string(kReferenceKey), attached.reference});
  }
  if (!attached.metadata.empty()) {
    codes.push_back({std::string(kMetadataKey), packed(attached.metadata)});
  }
  if (!attached.message_id.empty()) {
    codes.push_back({std::string(kMessageIdKey), attached.message_id});
  }
}

void take_attached(std::string_view key, std::string_view value, Attached& attached) {
  if (key == kReferenceKey) attached.reference = value;
  if (key == kMetadataKey) attached.metadata = unpacked(value);
  if (key == kMessageIdKey) attached.message_id = value;
}

Attached detach(std::vector<InsertCode>& codes) {
  Attached attached;
  std::erase_if(codes, [&](const InsertCode& code) {
    if (!is_attached_key(code.key)) return false;
    take_attached(code.key, code.value, attached);
    return true;
  });
  return attached;
}

}  // namespace todoku
