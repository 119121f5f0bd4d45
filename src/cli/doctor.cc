// SPDX-License-Identifier: Apache-2.0
// todoku doctor, todoku alarms
#include "cli/commands.h"
#include "cli/findings.h"
#include "cli/mail_checks.h"

namespace todoku::cli {

int show_health(Session& session, const ExaminationWish& wish) {
  const auto findings = session.host().examine(session.common().config, wish);
  if (!findings) return unreadable(session, findings.error().detail);
  return show_findings(session, *findings);
}

int test_alarms(Session& session) {
  const auto findings = session.host().test_alarms(session.common().config);
  if (!findings) return unreadable(session, findings.error().detail);
  return show_findings(session, *findings);
}

}  // namespace todoku::cli
