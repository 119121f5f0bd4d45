// SPDX-License-Identifier: Apache-2.0
#include "feedback/parse/bounce.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "feedback/parse/delivery_status.h"
#include "feedback/parse/free_text.h"
#include "feedback/parse/mail_parts.h"
#include "feedback/parse/quoted_reply.h"

namespace todoku::feedback::parse {
namespace {

using Action = ReturnedRecipient::Action;

bool contains_one(std::string_view text, std::span<const char* const> words) {
  return std::ranges::any_of(words, [text](const char* word) { return text.contains(word); });
}

const MailPart* part_of(const Mail& mail, std::string_view type, std::string_view or_type) {
  const auto found = std::ranges::find_if(
      mail.parts, [&](const MailPart& part) { return part.type == type || part.type == or_type; });
  return found == mail.parts.end() ? nullptr : &*found;
}

// The message that comes back, or its header section: its fields.
const MailFields* original_of(const Mail& mail) {
  for (const MailPart& part : mail.parts) {
    if (!part.fields.all.empty()) return &part.fields;
  }
  return nullptr;
}

std::vector<std::string> addresses_in(std::string_view value) {
  std::vector<std::string> addresses;
  while (!value.empty() && addresses.size() < kRecipientsMax) {
    const std::size_t comma = std::min(value.find(','), value.size());
    std::string address = typed_address(value.substr(0, comma));
    if (!address.empty()) addresses.push_back(std::move(address));
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return addresses;
}

// What people read of it, of all texts.
std::string text_of(const Mail& mail) {
  std::string text;
  const bool has_plain = part_of(mail, "text/plain", "text/plain") != nullptr;
  for (const MailPart& part : mail.parts) {
    const bool shows = part.type == "text/plain" || (!has_plain && part.type == "text/html");
    if (shows && text.size() < kPartOctetsMax) text.append(part.text).append("\n");
  }
  return text;
}

std::vector<std::string> whom_it_was_sent_to(const Mail& mail) {
  std::vector<std::string> others;
  for (const char* name : {"to", "delivered-to", "x-original-to", "return-path", "from"}) {
    for (const std::string& address : addresses_in(mail.fields.first(name))) {
      others.push_back(to_ascii_lower(address));
    }
  }
  return others;
}

bool is_from_a_system(const Mail& mail) {
  constexpr std::array kNames{"mailer-daemon", "postmaster", "mail delivery", "mail-daemon",
                              "mailerdaemon",  "daemon@",    "post_master"};
  return contains_one(to_ascii_lower(mail.fields.first("from")), kNames);
}

bool subject_says(const Mail& mail, std::span<const char* const> words) {
  return contains_one(to_ascii_lower(mail.fields.first("subject")), words);
}

bool is_returned_mail(const Mail& mail) {
  constexpr std::array kSubjects{"undeliver",
                                 "delivery status",
                                 "delivery fail",
                                 "failure notice",
                                 "returned mail",
                                 "mail delivery",
                                 "delivery report",
                                 "delivery notification",
                                 "non-delivery",
                                 "nondeliverable",
                                 "not deliver",
                                 "could not be delivered",
                                 "mail system error",
                                 "message could not",
                                 "delivery problem",
                                 "unable to deliver",
                                 "mail failure",
                                 "delivery error",
                                 "failure report",
                                 "warning: could not send",
                                 "delayed",
                                 "bounce",
                                 "mail error",
                                 "rejected",
                                 "failed mail",
                                 "unknown user",
                                 "配信できません",
                                 "送信できません",
                                 "配信不能",
                                 "エラー",
                                 "不達",
                                 "未配信"};
  return mail.report_type.starts_with("delivery-status") || subject_says(mail, kSubjects) ||
         !mail.fields.first("x-failed-recipients").empty() || is_from_a_system(mail) ||
         // An answer to nobody (RFC 5321 section 4.5.5).
         mail.fields.first("return-path") == "<>";
}

bool is_auto_reply(const Mail& mail) {
  constexpr std::array kSubjects{"out of office", "autoreply",    "auto-reply",
                                 "auto reply",    "auto:",        "automatic reply",
                                 "auto response", "autoresponse", "vacation",
                                 "away from",     "on holiday",   "自動応答",
                                 "自動返信",      "不在",         "休暇"};
  const std::string submitted = to_ascii_lower(mail.fields.first("auto-submitted"));
  if (submitted.starts_with("auto-replied")) return true;
  const std::string precedence = to_ascii_lower(mail.fields.first("precedence"));
  for (const char* name :
       {"x-autoreply", "x-autorespond", "x-auto-reply-from", "x-autogenerated"}) {
    if (!mail.fields.first(name).empty()) return true;
  }
  return precedence == "auto_reply" || subject_says(mail, kSubjects);
}

// ---- complaints --------------------------------------------------------------------------------

Bounce read_complaint(const Mail& mail, const MailPart& part) {
  Bounce bounce{.kind = Bounce::Kind::complaint, .recipients = {}};
  const MailFields fields = read_fields(part.text);
  const std::string type = to_ascii_lower(fields.first("feedback-type"));
  if (type == "not-spam") bounce.kind = Bounce::Kind::no_spam;
  if (type == "auth-failure") bounce.kind = Bounce::Kind::auth_failure;
  std::vector<std::string> whom;
  for (const char* name : {"original-rcpt-to", "removal-recipient"}) {
    for (std::string& address : addresses_in(fields.first(name)))
      whom.push_back(std::move(address));
    if (!whom.empty()) break;
  }
  if (const MailFields* original = original_of(mail); whom.empty() && original != nullptr) {
    for (const char* name : {"delivered-to", "x-original-to", "to"}) {
      whom = addresses_in(original->first(name));
      if (!whom.empty()) break;
    }
  }
  for (std::string& address : whom) {
    ReturnedRecipient recipient;
    recipient.address = std::move(address);
    recipient.action = Action::delivered;
    recipient.reply.text = "feedback-type " + type;
    bounce.recipients.push_back(std::move(recipient));
  }
  if (bounce.recipients.empty()) bounce.recipients.emplace_back();
  return bounce;
}

// ---- reports -----------------------------------------------------------------------------------

bool says_delayed(const Mail& mail, std::string_view text) {
  constexpr std::array kSubjects{"delayed", "delay ", "warning: could not send",
                                 "still being retried"};
  constexpr std::array kWords{"will be retried",
                              "will continue to",
                              "still trying",
                              "do not need to resend",
                              "do not need to re-send",
                              "no action is required",
                              "this is a warning message only",
                              "will keep trying",
                              "has not yet been delivered"};
  return subject_says(mail, kSubjects) || contains_one(to_ascii_lower(text), kWords);
}

// A report of the standard may say less than the text beside it, which quotes the receiver.
void complete(std::vector<ReturnedRecipient>& recipients, std::string_view text,
              const std::vector<std::string>& others) {
  const bool all_said = std::ranges::all_of(
      recipients, [](const ReturnedRecipient& each) { return each.reply.code != 0; });
  if (all_said) return;
  const auto told = read_free_text(text, others);
  for (ReturnedRecipient& each : recipients) {
    if (each.reply.code != 0) continue;
    const std::string address = to_ascii_lower(each.address);
    const auto same = std::ranges::find_if(told, [&address](const ReturnedRecipient& other) {
      return to_ascii_lower(other.address) == address;
    });
    if (same != told.end() && same->reply.code != 0) {
      each.reply = same->reply;
      each.stage = same->stage;
    } else if (each.reply.text.empty()) {
      each.reply = words_as_reply(text);
    }
  }
}

std::vector<ReturnedRecipient> named_by(const std::vector<std::string>& addresses,
                                        std::string_view text) {
  std::vector<ReturnedRecipient> recipients;
  for (const std::string& address : addresses) {
    ReturnedRecipient recipient;
    recipient.address = address;
    auto reply = quoted_reply(text);
    recipient.reply = reply ? std::move(*reply) : words_as_reply(text);
    recipient.status = quoted_status(text);
    recipient.stage = quoted_stage(text);
    recipients.push_back(std::move(recipient));
  }
  return recipients;
}

std::vector<ReturnedRecipient> recipients_of(const Mail& mail) {
  const std::string all = text_of(mail);
  const std::string_view text = before_original(all);
  const std::vector<std::string> others = whom_it_was_sent_to(mail);
  if (const MailPart* status =
          part_of(mail, "message/delivery-status", "message/global-delivery-status")) {
    auto recipients = read_delivery_status(status->text);
    if (!recipients.empty()) {
      complete(recipients, text, others);
      return recipients;
    }
  }
  auto recipients = read_free_text(text, others);
  const auto named = addresses_in(mail.fields.first("x-failed-recipients"));
  if (!named.empty()) {
    std::erase_if(recipients, [&named](const ReturnedRecipient& each) {
      return std::ranges::none_of(named, [&each](const std::string& address) {
        return equals_ignoring_case(address, each.address);
      });
    });
    if (recipients.empty()) recipients = named_by(named, text);
  }
  if (!recipients.empty()) return recipients;
  // The returned message's own fields, in a part or behind the text.
  MailFields behind;
  const MailFields* original = original_of(mail);
  if (original == nullptr) {
    std::string_view rest = std::string_view(all).substr(text.size());
    const std::size_t begin = rest.find("\n\n");
    behind = read_fields(
        rest.starts_with('-') && begin != std::string_view::npos ? rest.substr(begin + 2) : rest);
    original = &behind;
  }
  for (const char* name : {"x-original-to", "delivered-to", "to"}) {
    const auto addresses = addresses_in(original->first(name));
    if (!addresses.empty()) return named_by(addresses, text);
  }
  return named_by({""}, text);
}

Bounce read_report(const Mail& mail) {
  Bounce bounce{.kind = Bounce::Kind::report, .recipients = recipients_of(mail)};
  const bool is_standard =
      part_of(mail, "message/delivery-status", "message/global-delivery-status") != nullptr;
  if (!is_standard && says_delayed(mail, before_original(text_of(mail)))) {
    for (ReturnedRecipient& each : bounce.recipients) each.action = Action::delayed;
  }
  return bounce;
}

}  // namespace

Result<Bounce> read_bounce(std::string_view octets) {
  const auto mail = read_mail(octets);
  if (!mail) return fail(mail.error());
  if (const MailPart* feedback =
          part_of(*mail, "message/feedback-report", "message/feedback-report")) {
    return read_complaint(*mail, *feedback);
  }
  const bool is_standard =
      part_of(*mail, "message/delivery-status", "message/global-delivery-status") != nullptr;
  constexpr std::array kOfMicrosoft{"complaint about message from"};
  // Exim calls its reports automatic answers, too.
  const bool is_report =
      is_standard || is_from_a_system(*mail) || !mail->fields.first("x-failed-recipients").empty();
  if (!is_report && is_auto_reply(*mail))
    return Bounce{.kind = Bounce::Kind::auto_reply, .recipients = {}};
  // Microsoft's complaints are the mail itself, attached.
  if (subject_says(*mail, kOfMicrosoft)) return read_complaint(*mail, MailPart{});
  if (is_standard || is_returned_mail(*mail)) return read_report(*mail);
  return Bounce{};
}

}  // namespace todoku::feedback::parse
