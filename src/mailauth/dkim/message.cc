// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/message.h"

#include "base/bytes.h"

namespace todoku::mailauth::dkim {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kFieldsUsual = 32;

// Octets of the field at the start of `text`: up to and with the first CRLF that no white space
// follows.
std::size_t field_octets(std::string_view text) {
  std::size_t at = 0;
  while (true) {
    const std::size_t crlf = text.find(kLineEnd, at);
    if (crlf == std::string_view::npos) return text.size();
    at = crlf + kLineEnd.size();
    if (at == text.size() || (text[at] != ' ' && text[at] != '\t')) return at;
  }
}

std::string_view field_name(std::string_view raw) {
  const std::size_t colon = raw.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view name = trim(raw.substr(0, colon));
  // A fold or a space inside means that the colon belongs to something else.
  return name.find_first_of(" \t\r\n") == std::string_view::npos ? name : std::string_view{};
}

}  // namespace

MessageView split_message(std::string_view message) {
  MessageView view;
  view.fields.reserve(kFieldsUsual);
  while (!message.empty()) {
    if (message.starts_with(kLineEnd)) {
      view.body = message.substr(kLineEnd.size());
      break;
    }
    const std::string_view raw = message.substr(0, field_octets(message));
    view.fields.push_back({.name = field_name(raw), .raw = raw});
    message.remove_prefix(raw.size());
  }
  return view;
}

}  // namespace todoku::mailauth::dkim
