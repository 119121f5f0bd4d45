// SPDX-License-Identifier: Apache-2.0
// todoku domain history
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "cli/commands.h"
#include "cli/printable_stream.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

namespace calls = operate::calls;

std::string sentence_of(Session& session, const boost::json::value& finding) {
  return text_of(finding, session.language() == Language::japanese ? "sentence_ja" : "sentence");
}

std::string change_word(Session& session, const boost::json::value& change) {
  return text_of(change, "change") == "broken" ? session.words({"broken", "不備発生"})
                                               : session.words({"whole again", "解消"});
}

// Why no check is to come.
void print_not_checked(Session& session, const boost::json::value& answer) {
  const std::string why = text_of(answer, "not_checked");
  if (why == "switched_off") {
    session.say({"  It is not checked: checks on the schedule are switched off.",
                 "  定期検査は無効になっているため、検査は行われません。"});
  } else if (why == "not_proven") {
    session.say({"  It is not checked before it is proven: todoku domain verify {} {}",
                 "  所有の確認が済むまで検査は行われません: todoku domain verify {} {}"},
                text_of(answer, "account"), text_of(answer, "domain"));
  }
}

void print_history(Session& session, const boost::json::value& answer) {
  const std::string checked = time_of(answer, "checked");
  if (checked.empty()) {
    session.say({"{} has not been checked on the schedule yet.", "{} の定期検査はまだありません。"},
                text_of(answer, "domain"));
    print_not_checked(session, answer);
    return;
  }
  if (text_of(answer, "not_checked").empty()) {
    session.say({"{}: checked {}, next {}", "{}: 前回の検査 {}、次回 {}"},
                text_of(answer, "domain"), checked, time_of(answer, "next"));
  } else {
    session.say({"{}: checked {}", "{}: 前回の検査 {}"}, text_of(answer, "domain"), checked);
  }
  print_not_checked(session, answer);
  if (!truth_of(answer, "determined")) {
    session.say(
        {"  Not everything could be determined then.", "  前回は判定できなかった項目があります。"});
  }
  const auto& faults = list_of(answer, "faults");
  if (faults.empty()) session.say({"  Nothing is wrong.", "  問題はありません。"});
  for (const auto& fault : faults) {
    const bool fails = text_of(fault, "outcome") == "fail";
    session.say({"  [{}] since {}: {}", "  [{}] {} から: {}"},
                fails ? session.words({"fail", "不合格"}) : session.words({"warning", "注意"}),
                time_of(fault, "since"), sentence_of(session, fault));
  }
  const auto& changes = list_of(answer, "changes");
  if (changes.empty()) return;
  session.say({"Changes:", "変化:"});
  for (const auto& change : changes) {
    session.say({"  {}  {}: {}", "  {}  {}: {}"}, time_of(change, "at"),
                change_word(session, change), sentence_of(session, change));
  }
}

}  // namespace

int domain_history(Session& session, const DomainHistoryWish& wish) {
  const auto account = account_for(session, wish.account);
  if (!account) return 1;
  int outcome = 0;
  const operate::Given given =
      operate::Given(calls::kDomainHistory).with("account", *account).with("domain", wish.domain);
  const int status = session.ask_for(given, [&](const boost::json::value& answer) {
    const std::string worst = text_of(answer, "outcome");
    if (worst == "fail") outcome = 1;
    if (worst == "not_determined") outcome = 2;
    if (session.common().json) {
      session.out() << printable_json(boost::json::serialize(answer)) << '\n';
    } else {
      print_history(session, answer);
    }
  });
  return status != 0 ? status : outcome;
}

}  // namespace todoku::cli
