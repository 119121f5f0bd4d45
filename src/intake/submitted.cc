// SPDX-License-Identifier: Apache-2.0
#include "intake/submitted.h"

#include <set>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/digest.h"
#include "intake/changes.h"
#include "intake/check.h"
#include "intake/intake.h"
#include "mail/address.h"
#include "mail/attached.h"

namespace todoku::intake {
namespace {

// One recipient for each address, under the form that is stored.
std::vector<store::NewRecipient> distinct(std::vector<store::NewRecipient> named,
                                          Problems& problems) {
  std::vector<store::NewRecipient> recipients;
  std::set<std::string> seen;
  for (store::NewRecipient& recipient : named) {
    const auto address = parse_address(recipient.address);
    if (!address) {
      problems.add({"RCPT"}, texts::invalid_email(address.error().detail));
      continue;
    }
    recipient.address = address->to_string();
    recipient.domain = address->domain;
    if (!seen.insert(to_ascii_lower(recipient.address)).second) continue;
    recipients.push_back(std::move(recipient));
  }
  return recipients;
}

// Clients of SMTP that try again write a new Message-ID and Date: who gets the mail is what makes
// it the same, and the content is not compared.
Repeatable repeatable_of(const store::Account& account, const SubmittedMail& mail) {
  const auto& name = mail.submitted.options.idempotency_key;
  if (!name) return std::nullopt;
  std::set<std::string> recipients;
  for (const auto& recipient : mail.recipients)
    recipients.insert(to_ascii_lower(recipient.address));
  std::string all;
  for (const std::string& address : recipients) all += address + '\n';
  all += mail.same;
  const std::string scoped = mail.credential + '\n' + *name;
  return store::IdempotencyRecord{
      .key = {account.key, store::KeyedRoute::submission, sha256(scoped)},
      .fingerprint = sha256(all)};
}

LabelsRequest labels_of(const SubmittedMail& mail, const submission::MailClass& klass) {
  const submission::SubmissionOptions& said = mail.submitted.options;
  LabelsRequest labels;
  if (!said.tags.empty()) labels.tags = said.tags;
  labels.list_id = said.list_id;
  if (said.purpose) {
    labels.purpose = std::string(to_string(*said.purpose));
  } else if (mail.purpose != Purpose::by_type) {
    labels.purpose = std::string(to_string(mail.purpose));
  } else if (klass.purpose != Purpose::by_type) {
    labels.purpose = std::string(to_string(klass.purpose));
  }
  return labels;
}

}  // namespace

void note_octets(const submission::Submitted& submitted, RelayedEnvelope& envelope) {
  envelope.head_octets = submitted.head_octets;
  envelope.has_leading_dot = submitted.has_leading_dot;
  envelope.is_eight_bit = submitted.is_eight_bit;
  envelope.has_long_line = submitted.has_long_line;
}

// Whether a repeat would still be taken is not asked: what it repeats was (docs/adr/0019).
Task<Answer<Made>> Intake::accept_submitted(store::Account account, SubmittedMail mail) {
  if (auto suspended = refuse_if_suspended(account)) co_return refuse(std::move(*suspended));
  const Repeatable repeatable = repeatable_of(account, mail);
  const auto make = [&](Repeatable its) { return make_submitted(account, std::move(mail), its); };
  co_return co_await repeats_.once(repeatable, make);
}

Task<Answer<Made>> Intake::make_submitted(store::Account account, SubmittedMail mail,
                                          Repeatable repeatable) {
  Problems problems;
  std::vector<store::NewRecipient> recipients = distinct(std::move(mail.recipients), problems);
  for (const store::NewRecipient& recipient : recipients) {
    check_allowed(account.allowed_recipients, recipient.address, {"RCPT"}, problems);
  }
  const submission::Submitted& message = mail.submitted;
  check_sender(message.from, account.key, senders_, problems);
  if (message.sender) {
    auto fault = fault_of_sender(*message.sender, account.key, senders_);
    if (fault) problems.add({"Sender"}, std::move(*fault));
  }
  const submission::MailClass klass =
      submission::classify(message, mail.traffic, recipients.size());
  Labels labels = check_labels(labels_of(mail, klass), problems);
  const Milliseconds life_time = handover_.life_time();
  const auto send_at = message.options.send_at;
  if (send_at) check_start(*send_at, clock_.now(), {"X-Todoku-Send-At"}, limits_, problems);
  if (message.options.expires_in) {
    check_life(*message.options.expires_in, life_time, {"X-Todoku-Expires-In"}, problems);
  }
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});
  auto sent = co_await refuse_if_sent_by_others(store_, account.sandbox);
  if (sent) co_return refuse(std::move(*sent));

  const Attached attached{.reference = message.options.reference.value_or(""),
                          .message_id = message.message_id};
  for (store::NewRecipient& recipient : recipients) attach(attached, recipient.insert_codes);
  const auto mails = static_cast<std::int64_t>(recipients.size());
  const bool urgent = klass.traffic == TrafficClass::transactional;
  if (auto reached = co_await admit(account, mails, urgent)) co_return refuse(std::move(*reached));
  store::NewDelivery delivery{.account = account.key,
                              .type = DeliveryType::smtp,
                              .traffic = klass.traffic,
                              .labels = std::move(labels),
                              .life = message.options.expires_in};
  delivery.content.from = message.from;
  delivery.content.subject = message.subject;
  delivery.content.relayed = std::move(mail.envelope);
  delivery.content.attachments.push_back({"", "message/rfc822", std::move(mail.octets)});
  delivery.relayed_data = mail.pieces;
  Answer<Made> made;
  if (send_at || !urgent) {
    made = co_await keep_waiting(std::move(delivery), std::move(recipients), send_at, repeatable);
  } else {
    made = co_await accept_now(std::move(delivery), std::move(recipients), repeatable,
                               account.sandbox);
  }
  if (!made) give_back(account, mails);
  co_return made;
}

}  // namespace todoku::intake
