// SPDX-License-Identifier: Apache-2.0
#include "relay/refusals.h"

#include <cstdint>
#include <optional>

#include "base/log.h"

namespace todoku::relay {

Refusals::Refusals(Metrics& metrics, const Clock& clock)
    : clock_(clock),
      refused_(metrics.counter("todoku_smtp_in_refused_total",
                               "Negative replies (4xx and 5xx) of the SMTP relay.")),
      unheard_(metrics.counter("todoku_smtp_in_options_unheard_total",
                               "Messages taken whose X-Todoku fields are unknown or not allowed.")),
      lines_(kLines, kWindow) {}

void Refusals::tell(const Whom& whom, const Said& said, LineBudget* of_connection,
                    const Login* login, const Mail* mail) {
  refused_.add();
  const SteadyInstant now = clock_.steady_now();
  std::uint64_t unsaid = 0;
  if (of_connection != nullptr) {
    const auto room = of_connection->take(now);
    if (!room) return;
    unsaid = *room;
  }
  const auto room = lines_.take(now);
  if (!room) return;
  if (login != nullptr) {
    log::info("login refused at the SMTP relay", {{"client", whom.client},
                                                  {"listener", whom.listener},
                                                  {"claimed", login->claimed},
                                                  {"mechanism", login->mechanism},
                                                  {"because", login->because},
                                                  {"code", said.code},
                                                  {"reply", said.text},
                                                  {"unsaid", unsaid},
                                                  {"unsaid_of_all", *room}});
  } else if (mail != nullptr) {
    log::info("mail refused at the SMTP relay", {{"client", whom.client},
                                                 {"listener", whom.listener},
                                                 {"credential", whom.credential},
                                                 {"sender", mail->sender},
                                                 {"from", mail->from},
                                                 {"recipient", mail->recipient},
                                                 {"recipients_taken", mail->recipients},
                                                 {"code", said.code},
                                                 {"reply", said.text},
                                                 {"unsaid", unsaid},
                                                 {"unsaid_of_all", *room}});
  } else {
    log::info("refused at the SMTP relay", {{"client", whom.client},
                                            {"listener", whom.listener},
                                            {"credential", whom.credential},
                                            {"code", said.code},
                                            {"reply", said.text},
                                            {"unsaid", unsaid},
                                            {"unsaid_of_all", *room}});
  }
}

void Refusals::tell_unheard(const Whom& whom, const Mail& mail, std::string_view what,
                            LineBudget& of_connection) {
  unheard_.add();
  const SteadyInstant now = clock_.steady_now();
  const auto unsaid = of_connection.take(now);
  if (!unsaid || !lines_.take(now)) return;
  log::info("options of a mail were not listened to", {{"client", whom.client},
                                                       {"listener", whom.listener},
                                                       {"credential", whom.credential},
                                                       {"from", mail.from},
                                                       {"recipient", mail.recipient},
                                                       {"why", what},
                                                       {"unsaid", *unsaid}});
}

void Refusals::tell_unproven(const Whom& whom, const Mail& mail) {
  if (!unproven_lines_.take(clock_.steady_now())) return;
  log::warning(
      "a From domain is not proven to be its account's: mail is taken while there is no "
      "other account (todoku domain add)",
      {{"credential", whom.credential}, {"from", mail.from}});
}

void Refusals::tell_no_handshake(const Whom& whom, std::string_view reason) {
  const auto room = lines_.take(clock_.steady_now());
  if (!room) return;
  log::info(
      "no TLS handshake at the SMTP relay, where TLS comes first (tls = \"implicit\"): a "
      "client that begins in clear wants the port of STARTTLS",
      {{"client", whom.client},
       {"listener", whom.listener},
       {"reason", reason},
       {"unsaid_of_all", *room}});
}

}  // namespace todoku::relay
