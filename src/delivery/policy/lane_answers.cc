// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/lane_answers.h"

namespace todoku::delivery::policy {

LaneNews lane_news(const Answer& answer, const Verdict& verdict, const LaneBefore& before) {
  if (verdict.refuses_sender) {
    return !before.delivered && before.senders_refused >= kSendersRefusedMost
               ? LaneNews::site_failed
               : LaneNews::nothing;
  }
  const bool of_pace = verdict.cause == Cause::rate || verdict.cause == Cause::unsolicited;
  // A 421 after successful mails is the receiver's "enough for this connection", not its trouble.
  const bool closes_early =
      verdict.site_failed && (!before.delivered || verdict.slow_down || verdict.refuses_us);
  if (closes_early && !of_pace) return LaneNews::site_failed;
  if (closes_early) {
    return answer.stage < Stage::mail_from ? LaneNews::too_many : LaneNews::too_fast;
  }
  const bool is_good = answer.reply.code != 0 && !verdict.site_failed &&
                       verdict.cause != Cause::receiver_trouble &&
                       verdict.cause != Cause::reputation;
  return is_good ? LaneNews::good : LaneNews::nothing;
}

bool too_many_told(AdaptivePace& pace, const Backoff& backoff, std::uint32_t others,
                   Microseconds latency, SteadyInstant now) {
  if (others == 0 || backoff.failures() > 0) return true;
  return pace.answered({.reply = PaceReply::too_many, .connections = others, .latency = latency},
                       now);
}

}  // namespace todoku::delivery::policy
