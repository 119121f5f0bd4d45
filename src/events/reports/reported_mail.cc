// SPDX-License-Identifier: Apache-2.0
#include "events/reports/reported_mail.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "mail/address.h"
#include "mailauth/dkim/message.h"
#include "mime/encoded_words.h"
#include "store/account_name.h"

namespace todoku::events::reports {
namespace {

using delivery::policy::Notice;

// RFC 3463 section 3.5: delivery time expired.
constexpr EnhancedStatus kTimeExpired{5, 4, 7};

std::string value_of(const HeaderField& field) {
  return mime::unfolded(field.raw.substr(field.raw.find(':', field.name.size()) + 1));
}

void read_fields(ReportedMail& mail) {
  for (const HeaderField& field : mailauth::dkim::split_message(mail.octets).fields) {
    for (const auto& [name, to] : {std::pair(std::string_view("Content-Type"), &mail.content_type),
                                   std::pair(std::string_view("Message-ID"), &mail.message_id)}) {
      if (to->empty() && equals_ignoring_case(field.name, name)) *to = trim(value_of(field));
    }
    if (equals_ignoring_case(field.name, "Auto-Submitted")) {
      mail.auto_submitted.emplace_back(trim(value_of(field)));
    }
  }
}

// Whichever field says it: one may have been added to what a program wrote.
bool is_report(const ReportedMail& mail) {
  using delivery::policy::is_report_mail;
  return is_report_mail({}, mail.content_type) ||
         std::ranges::any_of(mail.auto_submitted,
                             [](const std::string& value) { return is_report_mail(value, {}); });
}

Result<bool> wants_reports(store::ReadTransaction& transaction, std::string_view credential) {
  const auto found = transaction.smtp_credential(credential);
  if (found) return found->settings.bounces;
  if (found.error().kind == ErrorKind::not_found) return true;
  return fail(found.error());
}

// U+3000 to U+9FFF: kana, ideographs and their punctuation.
bool has_japanese(std::string_view utf8) {
  return std::ranges::any_of(utf8, [](char c) {
    const auto octet = static_cast<std::uint8_t>(c);
    return octet >= 0xE3 && octet <= 0xE9;
  });
}

Instant known_at(const store::Attempt& attempt) {
  return attempt.at + attempt.duration;
}

// Of waiting that is told of but once: the try after which it is.
bool is_first_late(const ReportedMail& mail, const store::Story& story, Instant delayed,
                   Milliseconds delay_after) {
  const auto first = std::ranges::find_if(story.attempts, [&](const store::Attempt& attempt) {
    return attempt.outcome.state == RecipientState::deferred &&
           known_at(attempt) - mail.start() >= delay_after;
  });
  return first != story.attempts.end() && known_at(*first) == delayed;
}

// The last thing that a receiver said, or else that we did.
const store::Attempt* telling(const store::Story& story) {
  if (story.attempts.empty()) return nullptr;
  const bool gave_up = story.state == RecipientState::expired;
  const auto said = std::find_if(
      story.attempts.rbegin(), story.attempts.rend(),
      [&](const store::Attempt& each) { return !gave_up || each.outcome.reply.code != 0; });
  return said == story.attempts.rend() ? &story.attempts.back() : &*said;
}

mime::ReportAction action_of(Notice notice) {
  if (notice == Notice::relayed) return mime::ReportAction::relayed;
  return notice == Notice::delayed ? mime::ReportAction::delayed : mime::ReportAction::failed;
}

}  // namespace

Result<ReportedMail> read_mail(store::ReadTransaction& transaction, store::DeliveryKey key) {
  auto delivery = transaction.delivery(key);
  if (!delivery) return fail(std::move(delivery.error()));
  if (!delivery->content.relayed) {
    return fail(ErrorKind::not_found, "what was said in it is erased");
  }
  if (delivery->attachments.size() != 1) {
    return fail(ErrorKind::corrupt, "a relayed message without its octets");
  }
  ReportedMail mail{.delivery = std::move(*delivery), .account = {}, .octets = {}};
  mail.account = store::account_name(transaction, mail.delivery.account);
  const auto size = static_cast<std::size_t>(mail.delivery.attachments.front().size);
  const auto head = std::min(static_cast<std::size_t>(mail.envelope().head_octets), size);
  mail.is_whole = size <= mime::kReturnedMailOctetsMax;
  auto octets = transaction.attachment_part(key, 0, 0, mail.is_whole ? size : head);
  if (!octets) return fail(std::move(octets.error()));
  mail.octets = std::move(*octets);
  const auto wanted = wants_reports(transaction, mail.envelope().credential);
  if (!wanted) return fail(wanted.error());
  mail.reports_wanted = *wanted;
  read_fields(mail);
  return mail;
}

Result<ReportedStory> read_story(store::ReadTransaction& transaction,
                                 const store::RecipientKey& key) {
  auto story = transaction.story(key);
  if (!story) return fail(std::move(story.error()));
  const auto head = transaction.delivery_head(key.delivery);
  if (!head) return fail(head.error());
  auto recipient = transaction.recipient(head->account, story->email_id);
  if (!recipient) return fail(std::move(recipient.error()));
  return ReportedStory{std::move(*story), std::move(recipient->insert_codes)};
}

delivery::policy::Untold untold_because(const ReportedMail& mail, const IsAccounts& is_accounts) {
  const auto domain_of = [](std::string_view address) {
    const auto parsed = parse_address(address);
    return parsed ? parsed->domain : std::string();
  };
  const std::string& mail_from = mail.envelope().mail_from;
  const std::string domain = domain_of(mail_from);
  return delivery::policy::untold_because(
      {.mail_from = mail_from,
       .is_report = is_report(mail),
       .sender_domain_is_accounts =
           !domain.empty() && is_accounts(mail.delivery.account, domain,
                                          domain_of(mail.delivery.content.from.address)),
       .reports_wanted = mail.reports_wanted});
}

Language language_of(const ReportedMail& mail) {
  constexpr std::array<std::string_view, 3> kCharsets{"iso-2022-jp", "shift_jis", "euc-jp"};
  const std::string type = to_ascii_lower(mail.content_type);
  const Content& content = mail.delivery.content;
  const bool is_japanese =
      has_japanese(content.subject) || has_japanese(content.from.name) ||
      std::ranges::any_of(kCharsets, [&](std::string_view name) { return type.contains(name); });
  return is_japanese ? Language::japanese : Language::english;
}

std::optional<mime::ReportedRecipient> reported_recipient(
    const ReportedMail& mail, const ReportedStory& recipient, const Concerned& what,
    const delivery::policy::NotifyOptions& options, const Meaning& meaning) {
  const store::Story& story = recipient.story;
  mime::ReportedRecipient told{.address = story.address};
  delivery::policy::RecipientFacts facts{.state = story.state};
  for (const InsertCode& wish : recipient.wishes) {
    if (wish.key == kNotifyParameter)
      facts.notify = DsnNotify::parse(wish.value).value_or(DsnNotify());
    if (wish.key == kOrcptParameter) told.original = parse_orcpt(wish.value, true);
  }
  // Of what has changed meanwhile the end is told by itself.
  if (what.delayed.has_value() != (story.state == RecipientState::deferred)) return std::nullopt;
  if (what.delayed) {
    facts.delay_was_told = !is_first_late(mail, story, *what.delayed, options.delay_after);
    facts.age = *what.delayed - mail.start();
    told.retry_until = story.expires;
  }
  const store::Attempt* const last = telling(story);
  facts.receiver_reports = last == nullptr || !last->outcome.sender_to_tell;
  const Notice notice = notice_for(facts, options);
  if (notice == Notice::none) return std::nullopt;
  told.action = action_of(notice);
  if (last != nullptr) {
    const Outcome& outcome = last->outcome;
    told.status = outcome.reply.enhanced().value_or(EnhancedStatus());
    told.reply = outcome.reply;
    if (outcome.reply.code != 0) told.remote_mta = last->path.mx_host;
    if (outcome.is_attempt) told.last_attempt = last->at;
  }
  if (story.state == RecipientState::expired) told.status = kTimeExpired;
  if (notice == Notice::failed && !story.attempts.empty()) {
    told.explanation = meaning(story.attempts.back().outcome, language_of(mail));
  }
  return told;
}

}  // namespace todoku::events::reports
