// SPDX-License-Identifier: Apache-2.0
// todoku stuck [release]
#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "cli/commands.h"

namespace todoku::cli {

int stuck_list(Session& session, std::int64_t limit) {
  return session.call(
      {.target = fmt::format("/stuck?limit={}", limit)}, [&](const boost::json::value& answer) {
        std::ostream& out = session.out();
        const auto& mails = list_of(answer, "mails");
        if (mails.empty()) {
          out << "No mail is set aside.\n";
          return;
        }
        std::vector<std::vector<std::string>> rows = {
            {"SINCE", "ACCOUNT", "DELIVERY", "EMAIL", "ADDRESS"}};
        for (const auto& mail : mails) {
          rows.push_back({text_of(mail, "since"), text_of(mail, "account"),
                          fmt::format("{}", number_of(mail, "delivery_id")),
                          fmt::format("{}", number_of(mail, "email_id")),
                          text_of(mail, "address")});
        }
        print_table(out, rows);
        if (truth_of(answer, "more")) out << "There are more: see --limit.\n";
        fmt::print(out,
                   "\n"
                   "Processes died with these mails in hand. Each waits until it is released or "
                   "its time is up.\n"
                   "Once the cause is mended: todoku stuck release {} {}\n"
                   "or all of them:           todoku stuck release --all\n",
                   text_of(mails.front(), "account"), number_of(mails.front(), "email_id"));
      });
}

int stuck_release(Session& session, const StuckRelease& which) {
  if (which.all) {
    return session.call(
        {.method = "POST", .target = "/stuck/release"}, [&](const boost::json::value& answer) {
          fmt::print(session.out(), "Released: {}.\n", number_of(answer, "released"));
        });
  }
  return session.call(
      {.method = "POST",
       .target = fmt::format("/stuck/{}/{}/release", encoded(which.account), which.email_id)},
      [&](const boost::json::value&) {
        fmt::print(session.out(), "Mail {} of account {} will be tried again.\n", which.email_id,
                   which.account);
      });
}

}  // namespace todoku::cli
