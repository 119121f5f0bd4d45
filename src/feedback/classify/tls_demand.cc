// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/tls_demand.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feedback/classify/words.h"

namespace todoku::feedback::classify {
namespace {

// A demand is a word for encryption beside a word that demands, once these are left out: "TLS
// encryption is required", "must issue a STARTTLS command first".
constexpr auto kFillers = std::to_array<std::string_view>(
    {"a",         "an",      "the",        "is",          "are",     "be",       "been",
     "to",        "command", "connection", "connections", "session", "sessions", "channel",
     "transport", "layer",   "smtp",       "valid",       "at",      "least"});
constexpr auto kBefore = std::to_array<std::string_view>(
    {"must",   "need",    "needs",  "require", "requires", "requiring", "required", "use",
     "using",  "via",     "over",   "without", "only",     "enable",    "enforce",  "enforces",
     "issue",  "send",    "insist", "insists", "demand",   "demands",   "want",     "wants",
     "expect", "expects", "non",    "not",     "through",  "by",        "start",    "mandatory"});
constexpr auto kAfter = std::to_array<std::string_view>(
    {"required", "needed", "mandatory", "must", "only", "first", "expected", "enforced", "before",
     "necessary", "obligatory", "compulsory", "missing", "too", "weak", "or"});
constexpr auto kConnections =
    std::to_array<std::string_view>({"connection", "connections", "session", "sessions", "channel",
                                     "channels", "transport", "smtp", "transmission"});

// Where one of these is spoken of, "encryption" is of the letter, or the words are about links.
constexpr std::string_view kLetters =
    "attachment*|zip|file|files|archive*|document|documents|s/mime|smime|pgp|gpg|openpgp|dlp|links|"
    "hyperlink*|a link|this link|url|urls|http|https|website|webmail|tls-rpt|tlsrpt|encryption of|"
    "encrypted mail*|encrypted message*|encrypted email*|encrypted e-mail*|encrypted content|"
    "encrypted body|message must|messages must|mail must|email must|e-mail must|message encryption|"
    "email encryption|e-mail encryption|mail encryption|content encryption|end-to-end*|"
    "end to end|encrypt your|encrypt the message|encrypt the mail|encrypt all|encrypt mail*|"
    "encrypt message*|encrypt email*|message body|password*|certificate*";

bool has(std::span<const std::string_view> list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

using Tokens = std::vector<std::string_view>;

Tokens tokens_of(std::string_view words) {
  Tokens tokens;
  for (auto at = words.begin(); at != words.end();) {
    const auto begin = std::find_if(at, words.end(), is_word_octet);
    at = std::find_if_not(begin, words.end(), is_word_octet);
    if (begin != at) tokens.emplace_back(begin, at);
  }
  return tokens;
}

bool names_tls(std::string_view token) {
  return token.starts_with("starttls") || token.starts_with("tls") || token.starts_with("ssl");
}

// "TLS v1.2 or better".
bool is_version(std::string_view token) {
  if (token.starts_with('v')) token.remove_prefix(1);
  return token.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_demanded(const Tokens& tokens) {
  const auto names_encryption = [&](std::size_t i) {
    if (tokens[i].starts_with("encrypt") || names_tls(tokens[i])) return true;
    if (tokens[i] == "security" && i > 0 && tokens[i - 1] == "layer") return true;
    return tokens[i] == "secure" && i + 1 < tokens.size() && has(kConnections, tokens[i + 1]);
  };
  std::vector<bool> encryption;
  Tokens left;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (has(kFillers, tokens[i]) || is_version(tokens[i])) continue;
    // "TLS encryption": one word for it is enough.
    const bool is_it = names_encryption(i);
    if (is_it && !encryption.empty() && encryption.back()) continue;
    left.push_back(tokens[i]);
    encryption.push_back(is_it);
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!encryption[i]) continue;
    const bool denied = i > 1 && left[i - 2] == "not";  // "we do not require TLS"
    if (i > 0 && has(kBefore, left[i - 1]) && !denied) return true;
    if (i + 1 < left.size() && has(kAfter, left[i + 1])) return true;
  }
  return false;
}

// "unencrypted connection", "plain text session", "connection is not secure", "encrypt the
// session".
bool connection_is_plain(const Tokens& tokens) {
  const auto token = [&](std::size_t i) { return i < tokens.size() ? tokens[i] : ""; };
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool two_words = (token(i) == "plain" || token(i) == "clear") && token(i + 1) == "text";
    const bool plain = two_words || token(i) == "unencrypted" || token(i) == "insecure" ||
                       token(i) == "cleartext" || token(i) == "plaintext";
    std::size_t noun = i + (two_words ? 2 : 1);
    if (token(noun) == "mail" || token(noun) == "the" || token(noun) == "your") ++noun;
    if ((plain || token(i) == "encrypt") && has(kConnections, token(noun))) return true;
    if (!has(kConnections, token(i))) continue;
    const std::size_t next = i + (token(i + 1) == "is" ? 2 : 1);
    if (token(next) == "unencrypted" || token(next) == "insecure") return true;
    if (token(next) == "not" && (token(next + 1) == "encrypted" || token(next + 1) == "secure")) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool asks_for_tls_by_status(const Reply& reply) {
  const auto enhanced = enhanced_of(reply.text);
  if (!enhanced || enhanced->subject != 7) return false;
  return enhanced->detail == 10 || enhanced->detail == 11 || refuses_content_in_clear(reply);
}

bool asks_for_tls_in_words(const Reply& reply) {
  const std::string words = without_names(readable(reply.text));
  const Tokens tokens = tokens_of(words);
  const bool starttls = std::ranges::any_of(
      tokens, [](std::string_view token) { return token.starts_with("starttls"); });
  if (!starttls && has_phrase(words, kLetters)) return false;
  constexpr int kMustIssueFirst = 530;
  if (reply.code == kMustIssueFirst && std::ranges::any_of(tokens, names_tls)) return true;
  return is_demanded(tokens) || connection_is_plain(tokens);
}

bool asks_for_tls_by_code(const Reply& reply) {
  constexpr int kEncryptionNeeded = 523;
  constexpr int kMustIssueFirst = 530;
  constexpr int kEncryptionRequired = 538;
  if (reply.code != kMustIssueFirst) {
    return reply.code == kEncryptionNeeded || reply.code == kEncryptionRequired;
  }
  const auto enhanced = enhanced_of(reply.text);
  if (enhanced) return enhanced->subject == 7 && enhanced->detail == 0;
  return std::ranges::none_of(readable(reply.text), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool refuses_content_in_clear(const Reply& reply) {
  const auto enhanced = enhanced_of(reply.text);
  return enhanced && enhanced->subject == 7 && enhanced->detail == 29 &&
         has_phrase(readable(reply.text), "tls");
}

}  // namespace todoku::feedback::classify
