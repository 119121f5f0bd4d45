// SPDX-License-Identifier: Apache-2.0
// todoku deliveries preflight ID
#include <string>

#include <fmt/format.h>

#include "cli/api_session.h"
#include "cli/judgement.h"
#include "cli/sender_commands.h"

namespace todoku::cli {
namespace {

void print_report(ApiSession& api, const boost::json::value& report) {
  Session& session = api.session();
  print_judgement(session, report);
  const auto* object = report.if_object();
  const auto* coverage = object == nullptr ? nullptr : object->if_contains("coverage");
  if (coverage == nullptr) return;
  session.say({"{} of {} domains answered; {} recipients looked at, {} mails composed",
               "ドメイン {1} 個中 {0} 個を確認、宛先 {2} 件を調査、メール {3} 通を作成"},
              number_of(*coverage, "domains_answered"), number_of(*coverage, "domains_asked"),
              number_of(*coverage, "sampled"), number_of(*coverage, "composed"));
}

}  // namespace

int preflight_delivery(Session& session, std::int64_t delivery) {
  ApiSession api(session);
  const auto read = api.ask({.method = "POST",
                             .target = fmt::format("/deliveries/{}/preflight", delivery),
                             .answered_with = "delivery_id"});
  if (read == nullptr) return api.status();
  if (api.json()) {
    api.print_json(*read);
  } else {
    print_report(api, read->value);
  }
  return status_of_judgement(read->value);
}

}  // namespace todoku::cli
