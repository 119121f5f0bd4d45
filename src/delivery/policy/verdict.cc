// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/verdict.h"

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

}  // namespace

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
  if (reply.permanent()) return {.state = RecipientState::bounced};
  // 4xx, and every answer that has no meaning at its stage: try again later.
  return {.state = RecipientState::deferred};
}

}  // namespace todoku::delivery::policy
