// SPDX-License-Identifier: Apache-2.0
#include "app/alarm_trial.h"

#include <atomic>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/alarming.h"
#include "async/runtime.h"

namespace todoku::app {
namespace {

using config::Config;
using doctor::Finding;

constexpr Sentence kNobodyKnows{"of what goes wrong there, nobody would be told by this way",
                                "この経路では、障害が起きても誰にも届きません"};

alarms::Report trial(const Clock& clock) {
  alarms::Report report;
  report.alarms.push_back({.event = "this is a test",
                           .detail = "asked for by: todoku alarms test; nothing is wrong",
                           .count = 1,
                           .first = clock.now(),
                           .last = clock.now()});
  return report;
}

// Whom a way tells, for people. The URL of a call may be a secret.
std::string whom_of(const alarms::Way& way, const Config& config) {
  if (way.name != "mail") return "alarms.webhook_url";
  return fmt::format("{} ({})", fmt::join(config.alarms.mail_to, ", "), config.alarms.via);
}

Finding told(const std::string& way, const std::string& whom) {
  return {.code = "alarm_told",
          .outcome = doctor::Outcome::pass,
          .subject = way,
          .minded_by = {},
          .sentence = {fmt::format("taken: {}", whom), fmt::format("受け取られました: {}", whom)},
          .why = {},
          .found = {},
          .expected = {},
          .paste = {}};
}

Finding refused(const std::string& way, const std::string& who_and_why) {
  return {.code = "alarm_address_refused",
          .outcome = doctor::Outcome::fail,
          .subject = way,
          .minded_by = {},
          .sentence = {fmt::format("an address is refused: {}", doctor::shown(who_and_why)),
                       fmt::format("拒否された宛先があります: {}", doctor::shown(who_and_why))},
          .why = {"the others are told; this one never is",
                  "ほかの宛先には届きますが、この宛先には届きません"},
          .found = {},
          .expected = {},
          .paste = {},
          .advice = {"Take it out of alarms.mail_to, or have it taken there.",
                     "alarms.mail_to から外すか、受け取れるようにしてください。"}};
}

Finding untold(const std::string& way, const std::string& whom, const Error& error) {
  return {.code = "alarm_not_told",
          .outcome = doctor::Outcome::fail,
          .subject = way,
          .minded_by = {},
          .sentence = {fmt::format("not taken: {}", whom),
                       fmt::format("受け取られませんでした: {}", whom)},
          .why = kNobodyKnows,
          .found = doctor::shown(error.detail),
          .expected = {},
          .paste = {},
          .advice = {"Look at alarms.via, its login and TLS, or at alarms.webhook_url: "
                     "docs/operating.md.",
                     "alarms.via とそのログイン、TLS、または alarms.webhook_url を確認してください"
                     "（docs/operating.md）。"}};
}

}  // namespace

Result<std::vector<Finding>> try_alarms(const Config& config, const Clock& clock) {
  if (config.smtp_out.sandbox) {
    return fail(ErrorKind::unsupported,
                "nothing leaves this machine (smtp_out.sandbox), and so no alarm does");
  }
  async::Runtime runtime(1);
  runtime.start();
  const auto ways = alarm_ways(config, clock, runtime);
  if (ways.empty()) {
    return fail(ErrorKind::not_found,
                "nobody is told of alarms: give alarms.mail_to or TODOKU_ALARMS__WEBHOOK_URL "
                "(docs/operating.md)");
  }
  const std::atomic<bool> stopped{false};
  std::vector<Finding> findings;
  for (const alarms::Way& way : ways) {
    const std::string whom = whom_of(way, config);
    const auto missed = way.tell(trial(clock), stopped);
    if (!missed) {
      findings.push_back(untold(way.name, whom, missed.error()));
      continue;
    }
    findings.push_back(told(way.name, whom));
    for (const std::string& each : *missed) findings.push_back(refused(way.name, each));
  }
  return findings;
}

}  // namespace todoku::app
