// SPDX-License-Identifier: Apache-2.0
#include "delivery/dead_secrets.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/digest.h"

namespace todoku::delivery {
namespace {

constexpr std::string_view kSignatureField = "DKIM-Signature:";

bool is_white(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The octets of a field that begins at `begin`, its folds and last CRLF included.
std::size_t end_of_field(std::string_view message, std::size_t begin) {
  while (true) {
    const std::size_t end = message.find("\r\n", begin);
    if (end == std::string_view::npos) return message.size();
    begin = end + 2;
    if (begin >= message.size() || (message[begin] != ' ' && message[begin] != '\t')) return begin;
  }
}

// Of a tag list (RFC 6376 section 3.2): no value has a semicolon.
void kill_tag(std::span<char> field) {
  const std::string_view text(field.data(), field.size());
  std::size_t at = text.find(':') + 1;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(';', at), text.size());
    while (at < end && is_white(text[at])) ++at;
    std::size_t name_end = at;
    while (name_end < end && text[name_end] != '=' && !is_white(text[name_end])) ++name_end;
    const std::size_t equals = std::min(text.find('=', name_end), end);
    if (text.substr(at, name_end - at) == "b") {
      for (char& c : field.subspan(std::min(equals + 1, end), end - std::min(equals + 1, end))) {
        if (!is_white(c) && c != '=') c = 'A';
      }
    }
    at = end + 1;
  }
}

}  // namespace

Options with_dead_secrets(Options options) {
  std::string seed(reinterpret_cast<const char*>(options.instance_secret.data()),
                   options.instance_secret.size());
  const Sha256 dead = hmac_sha256(seed, "a preview opens nothing");
  std::ranges::copy_n(dead.begin(), static_cast<std::ptrdiff_t>(options.instance_secret.size()),
                      options.instance_secret.begin());
  const std::span<const std::uint8_t, 16> secret(options.instance_secret);
  if (options.open_tokens) options.open_tokens = std::make_shared<const OpenTokens>(secret);
  if (options.unsubscribe_tokens) {
    options.unsubscribe_tokens = std::make_shared<const UnsubscribeTokens>(secret);
  }
  return options;
}

void kill_signatures(std::string& message) {
  std::size_t begin = 0;
  while (equals_ignoring_case(std::string_view(message).substr(begin, kSignatureField.size()),
                              kSignatureField)) {
    const std::size_t end = end_of_field(message, begin);
    kill_tag(std::span<char>(message).subspan(begin, end - begin));
    begin = end;
  }
}

}  // namespace todoku::delivery
