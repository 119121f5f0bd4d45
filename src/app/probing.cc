// SPDX-License-Identifier: Apache-2.0
#include "app/probing.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "app/module_options.h"
#include "app/password_file.h"
#include "app/refusal_sentence.h"
#include "base/bytes.h"
#include "delivery/options.h"
#include "mail/address.h"

namespace todoku::app {
namespace {

using config::Config;

probe::MailboxTls tls_of(const std::string& word) {
  if (word == "starttls") return probe::MailboxTls::starttls;
  return word == "none" ? probe::MailboxTls::none : probe::MailboxTls::implicit;
}

Result<std::string> secret_of(const Config::ProbeMailbox& mailbox) {
  if (!mailbox.password_file.empty()) {
    return read_password_file(mailbox.password_file, "probe.mailbox.password_file");
  }
  const config::Environment environment = config::process_environment();
  const auto found = environment.find(mailbox.password_variable);
  if (found != environment.end()) {
    return as_password(found->second, "the variable " + mailbox.password_variable);
  }
  return fail(ErrorKind::unavailable,
              fmt::format("there is no variable {}, which probe.mailbox.password_variable names",
                          mailbox.password_variable));
}

Result<probe::MailboxAccess> access_of(const Config::ProbeMailbox& mailbox) {
  auto secret = secret_of(mailbox);
  if (!secret) return fail("mailbox " + mailbox.name, std::move(secret.error()));
  return probe::MailboxAccess{.host = mailbox.host,
                              .port = static_cast<std::uint16_t>(mailbox.port),
                              .tls = tls_of(mailbox.tls),
                              .ca_file = mailbox.ca_file,
                              .user = mailbox.user,
                              .secret = std::move(*secret),
                              .bearer = mailbox.login == "bearer"};
}

std::string provider_of(const Config::ProbeMailbox& mailbox) {
  if (!mailbox.provider.empty()) return mailbox.provider;
  const auto address = parse_address(mailbox.address);
  return address ? address->domain : mailbox.address;
}

probe::ProbeOptions probe_options(const Config& config) {
  probe::ProbeOptions options{.senders = config.probe.from,
                              .subject = config.probe.subject,
                              .text = config.probe.text,
                              .every = std::chrono::minutes(config.probe.every_minutes),
                              .most = std::chrono::seconds(config.probe.limit_seconds),
                              .remove = config.probe.remove,
                              .keep = std::chrono::days(config.probe.keep_days)};
  for (const Config::ProbeMailbox& mailbox : config.probe_mailboxes) {
    options.mailboxes.push_back({.name = mailbox.name,
                                 .provider = provider_of(mailbox),
                                 .address = mailbox.address,
                                 .authserv_id = mailbox.authserv_id,
                                 .access = [mailbox] { return access_of(mailbox); }});
  }
  return options;
}

}  // namespace

operate::ProbePlan probe_plan(const Config& config) {
  operate::ProbePlan plan{.senders = config.probe.from,
                          .every_minutes = config.probe.every_minutes};
  for (const Config::ProbeMailbox& mailbox : config.probe_mailboxes) {
    plan.mailboxes.push_back({.name = mailbox.name,
                              .provider = provider_of(mailbox),
                              .address = mailbox.address,
                              .host = mailbox.host});
  }
  return plan;
}

Probing::Probing(const roles::Ground& ground, const intake::Senders& senders,
                 std::function<void()> wake_scheduler)
    : ground_(ground),
      passing_on_({.keys = ground.keys,
                   .clock = ground.clock,
                   .metrics = ground.metrics,
                   .life_time =
                       delivery_options(ground.config, ground.secret).retry_transactional.life_time,
                   .work_arrived = std::move(wake_scheduler)},
                  ground.runtime.executor(0)),
      intake_(ground.store, ground.clock, intake_limits(ground.config), passing_on_,
              ground.metrics),
      prober_(world(), probe_options(ground.config), ground.runtime.executor(0)) {
  intake_.set_senders(senders);
}

probe::Prober::World Probing::world() {
  return {.store = ground_.store,
          .clock = ground_.clock,
          .metrics = ground_.metrics,
          .holds = [&node = ground_.node] { return node.holds(); },
          .hand_over = [this](probe::ProbeMail mail) { return hand_over(std::move(mail)); },
          .secret = std::string(as_text(ground_.secret))};
}

Task<Result<store::DeliveryKey>> Probing::hand_over(probe::ProbeMail mail) {
  const std::string& name = ground_.config.probe.account;
  const auto account = co_await ground_.store.read(
      [name](store::ReadTransaction& reader) { return reader.account_by_name(name); });
  if (!account) co_return fail("probe.account", account.error());
  if (account->suspended) {
    co_return fail(ErrorKind::conflict, "probe.account: the account is suspended");
  }
  intake::TransactionRequest request;
  request.content.from.address = std::move(mail.from);
  request.content.subject = std::move(mail.subject);
  request.content.text_part = std::move(mail.text);
  request.to = std::move(mail.to);
  request.expires_in = mail.expires_in;
  request.open_tracking = false;
  const auto made = co_await intake_.accept_transaction(*account, std::move(request));
  if (!made) co_return fail(made.error().kind, sentence_of(made.error()));
  if (!made->delivery) co_return fail(ErrorKind::io, "the engine does not say what it accepted");
  co_return *made->delivery;
}

}  // namespace todoku::app
