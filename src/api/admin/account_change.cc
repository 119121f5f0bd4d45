// SPDX-License-Identifier: Apache-2.0
#include "api/admin/account_change.h"

namespace todoku::api::admin {

operate::AccountChange account_change(const operate::Given& given) {
  operate::AccountChange change{.weight = given.number("weight"),
                                .suspended = given.truth("suspended"),
                                .text_from_html = given.truth("text_from_html"),
                                .open_tracking = given.truth("open_tracking"),
                                .requests_per_minute = given.number("requests_per_minute"),
                                .mails_per_minute = given.number("mails_per_minute"),
                                .mails_per_day = given.number("mails_per_day"),
                                .mails_per_month = given.number("mails_per_month")};
  if (given.find("preflight") != nullptr) change.preflight = given.text("preflight");
  if (given.find("allowed_recipients") != nullptr) {
    change.allowed_recipients = given.text("allowed_recipients");
  }
  return change;
}

}  // namespace todoku::api::admin
