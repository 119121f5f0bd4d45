// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/tls_demand.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "feedback/classify/words.h"

namespace todoku::feedback::classify {
namespace {

// Not the bare words: a refusal of HTML asks for "plain text", one of links for "SSL", one of
// attachments for no "encryption".
constexpr std::string_view kDemands =
    "issue starttls|issue a starttls|send starttls|starttls first|starttls command first|"
    "starttls before|starttls required|starttls is required|starttls command required|"
    "starttls needed|starttls is needed|starttls mandatory|starttls is mandatory|"
    "requires starttls|require starttls|need starttls|needs starttls|use starttls|"
    "using starttls|via starttls|without starttls|"
    "tls required|tls is required|tls needed|tls is needed|tls mandatory|tls is mandatory|"
    "tls must be used|tls first|tls only|tls connections only|tls connection required|"
    "tls connection is required|tls encryption required|tls encryption is required|"
    "requires tls|require tls|requires a tls|need tls|needs tls|use tls|using tls|via tls|"
    "over tls|over a tls|without tls|non-tls|not tls|enable tls|only tls|"
    "ssl required|ssl is required|requires ssl|"
    "encryption required|encryption is required|encryption needed|encryption is needed|"
    "encryption mandatory|encryption is mandatory|encryption must be used|requires encryption|"
    "require encryption|requires transport encryption|encryption too weak|"
    "requires an encrypted connection|encrypted connection required|"
    "encrypted connection is required|encrypted connections only|"
    "encrypted session required|encrypted session is required|"
    "connection must be encrypted|session must be encrypted|connection is not encrypted|"
    "connection not encrypted|session is not encrypted|session not encrypted|"
    "secure connection required|secure connection is required|requires a secure connection|"
    "unencrypted connection*|unencrypted session*|unencrypted smtp|unencrypted channel*|"
    "cleartext connection*|cleartext session*|cleartext smtp|clear text connection*|"
    "clear text session*|plaintext connection*|plaintext session*|plaintext smtp|"
    "plain text connection*|plain text session*";

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter_or_digit(char c) {
  return is_letter(c) || (c >= '0' && c <= '9');
}

// A URL, or a name with a dot in it; not the number of a version or a status.
bool is_name(std::string_view token) {
  if (token.contains("://")) return true;
  for (std::size_t dot = token.find('.'); dot != std::string_view::npos;
       dot = token.find('.', dot + 1)) {
    if (dot == 0 || dot + 1 == token.size()) continue;
    const char before = token[dot - 1];
    const char after = token[dot + 1];
    if (is_letter_or_digit(before) && is_letter_or_digit(after) &&
        (is_letter(before) || is_letter(after))) {
      return true;
    }
  }
  return false;
}

std::string without_names(std::string_view words) {
  std::string out;
  while (!words.empty()) {
    const std::size_t space = std::min(words.find(' '), words.size());
    const std::string_view token = words.substr(0, space);
    // What stood beside a name stays apart.
    out += is_name(token) ? "." : token;
    out += ' ';
    words.remove_prefix(std::min(space + 1, words.size()));
  }
  return out;
}

}  // namespace

bool asks_for_tls_by_code(const Reply& reply) {
  constexpr int kEncryptionNeeded = 523;
  constexpr int kEncryptionRequired = 538;
  if (reply.code == kEncryptionNeeded || reply.code == kEncryptionRequired) return true;
  const auto enhanced = enhanced_of(reply.text);
  return enhanced && enhanced->subject == 7 && (enhanced->detail == 10 || enhanced->detail == 11);
}

bool asks_for_tls_in_words(const Reply& reply) {
  const auto enhanced = enhanced_of(reply.text);
  const std::string words = without_names(readable(reply.text));
  const bool security = !enhanced || enhanced->subject == 7;
  if (security && has_phrase(words, kDemands)) return true;
  constexpr int kMustIssueFirst = 530;
  return reply.code == kMustIssueFirst && !words.contains("auth");
}

}  // namespace todoku::feedback::classify
