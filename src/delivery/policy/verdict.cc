// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/verdict.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace todoku::delivery::policy {
namespace {

constexpr int kServiceClosing = 421;  // RFC 5321 section 3.8

Verdict judge_silence(const Answer& answer, bool at_most_once) {
  if (answer.in_doubt) {
    return {.state = at_most_once ? RecipientState::unknown : RecipientState::deferred};
  }
  if (answer.permanent) return {.state = RecipientState::bounced};
  switch (answer.stage) {
    case Stage::connect:
    case Stage::greeting:
    case Stage::hello:
      return {.state = RecipientState::deferred, .try_next_host = true, .site_failed = true};
    case Stage::starttls:
      return {.state = RecipientState::deferred, .try_next_host = true};
    case Stage::none:
    case Stage::dns:
    case Stage::auth:
    case Stage::mail_from:
    case Stage::rcpt_to:
    case Stage::data:
    case Stage::accepted:
      return {.state = RecipientState::deferred};
  }
  return {.state = RecipientState::deferred};
}

// True if `text` has `word` by itself, and not in an address.
bool has_word(std::string_view text, std::string_view word) {
  constexpr auto belongs = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '@';
  };
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !belongs(text[at - 1])) && (end == text.size() || !belongs(text[end]))) {
      return true;
    }
  }
  return false;
}

bool speaks_of_tls(std::string_view lower_text) {
  constexpr std::array<std::string_view, 11> kWords = {
      "starttls",  "tls",        "ssl",       "encryption", "encrypted",        "unencrypted",
      "cleartext", "clear text", "plaintext", "plain text", "secure connection"};
  return std::ranges::any_of(kWords,
                             [&](std::string_view word) { return has_word(lower_text, word); });
}

}  // namespace

bool asks_for_tls(const Reply& reply) {
  if (!reply.temporary() && !reply.permanent()) return false;
  constexpr int kEncryptionNeeded = 523;
  constexpr int kEncryptionRequired = 538;
  if (reply.code == kEncryptionNeeded || reply.code == kEncryptionRequired) return true;
  const auto enhanced = reply.enhanced();
  const bool security = !enhanced || enhanced->subject == 7;
  if (enhanced && security && (enhanced->detail == 10 || enhanced->detail == 11)) return true;
  const std::string text = to_ascii_lower(reply.text);
  if (security && speaks_of_tls(text)) return true;
  constexpr int kMustIssueFirst = 530;
  return reply.code == kMustIssueFirst && !text.contains("auth");
}

Verdict judge(const Answer& answer, bool at_most_once) {
  const Reply& reply = answer.reply;
  if (answer.stage == Stage::accepted && reply.positive()) {
    return {.state = RecipientState::delivered};
  }
  if (reply.code == 0) return judge_silence(answer, at_most_once);
  const bool before_envelope = answer.stage < Stage::mail_from;
  if (before_envelope) {
    return {.state = RecipientState::deferred,
            .try_next_host = true,
            .site_failed = answer.stage != Stage::starttls};
  }
  if (reply.code == kServiceClosing) {
    return {.state = RecipientState::deferred, .site_failed = true};
  }
  if (answer.in_clear && asks_for_tls(reply)) {
    return {.state = RecipientState::deferred, .lacks_tls = true};
  }
  if (reply.permanent()) return {.state = RecipientState::bounced};
  // 4xx, and every answer that has no meaning at its stage: try again later.
  return {.state = RecipientState::deferred};
}

}  // namespace todoku::delivery::policy
