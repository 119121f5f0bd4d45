// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/own_rules.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "feedback/classify/reply_rules.h"
#include "feedback/classify/words.h"

namespace todoku::feedback::classify {
namespace {

using enum Cause;

// The first that fits speaks; conditions left out always hold. `begins`: what the sentence begins
// with, one of several apart by '|', after its enhanced code, because text of others may come later
// in it; with '*' in front it may be anywhere.
struct OwnRule {
  Cause cause = none;
  Stages stages;
  int subject = -1;  // of the enhanced status code that we write ourselves
  int detail = -1;
  std::string_view begins;
  std::optional<bool> permanent;
};

constexpr std::array kRules = {
    OwnRule{stopping,
            {},
            -1,
            -1,
            "read: cancelled|write: cancelled|connect: cancelled|handshake: cancelled"},
    OwnRule{out_of_time, {}, -1, -1, "the mail's time is over"},
    OwnRule{out_of_time, {Stage::none}, 4, 7},

    OwnRule{too_large, {Stage::none}, 3, 4},
    OwnRule{set_aside, {Stage::none}, 3, 0, "set aside:"},
    OwnRule{key_missing, {Stage::none}, 3, 5, "*dkim key|*signing keys:"},
    OwnRule{cannot_compose, {Stage::none}, 3, 5},
    OwnRule{in_doubt, {}, 3, 0, "an error of ours ended the connection"},
    OwnRule{engine_failure, {}, 3, 0, "an error of ours"},

    OwnRule{resolver_doubted, {Stage::dns}, 4, 3, "our own resolver cannot be believed"},
    OwnRule{null_mx, {Stage::dns}, 1, 10},
    OwnRule{points_to_ourselves, {Stage::dns}, 4, 6},
    OwnRule{ipv6_only, {Stage::dns}, 4, 4},
    OwnRule{bad_address, {Stage::dns}, 1, 3, "", true},
    OwnRule{no_such_domain, {Stage::dns}, -1, -1, "", true},
    OwnRule{dns_failed, {Stage::dns}},

    OwnRule{over_size_limit, {Stage::mail_from}, 3, 4},
    OwnRule{no_smtputf8, {Stage::mail_from}, 6, 7},
    OwnRule{no_8bitmime, {Stage::mail_from}, 6, 3},

    OwnRule{unreachable, {Stage::connect}},
    OwnRule{no_tls_offered, {Stage::starttls}, -1, -1, "the receiver does not offer starttls"},
    OwnRule{tls_failed, {Stage::starttls}},
    OwnRule{garbled, {}, -1, -1, "the receiver answered|the receiver sent|the receiver said"},
    OwnRule{silence, {}, -1, -1, "no answer to|could not send"},
    OwnRule{unclear, {Stage::none}},
    OwnRule{connection_lost},
};

bool begins_with_one(std::string_view words, std::string_view phrases) {
  while (!phrases.empty()) {
    const std::size_t bar = std::min(phrases.find('|'), phrases.size());
    const std::string_view phrase = phrases.substr(0, bar);
    if (phrase.starts_with('*') ? words.contains(phrase.substr(1)) : words.starts_with(phrase)) {
      return true;
    }
    phrases.remove_prefix(std::min(bar + 1, phrases.size()));
  }
  return false;
}

}  // namespace

Cause own_cause(Stage stage, const Reply& reply, bool permanent) {
  const std::string readable_words = readable(reply.text);
  std::string_view words = readable_words;
  const auto enhanced = reply.enhanced();
  if (enhanced) words.remove_prefix(std::min(words.find(' '), words.size() - 1) + 1);
  const auto found = std::ranges::find_if(kRules, [&](const OwnRule& rule) {
    if (!rule.stages.allow(stage)) return false;
    if (rule.subject >= 0 && (!enhanced || enhanced->subject != rule.subject)) return false;
    if (rule.detail >= 0 && enhanced->detail != rule.detail) return false;
    if (rule.permanent && *rule.permanent != permanent) return false;
    return rule.begins.empty() || begins_with_one(words, rule.begins);
  });
  return found == kRules.end() ? connection_lost : found->cause;
}

}  // namespace todoku::feedback::classify
