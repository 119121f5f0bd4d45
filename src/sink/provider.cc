// SPDX-License-Identifier: Apache-2.0
#include "sink/provider.h"

#include <array>
#include <charconv>
#include <string>

#include "base/check.h"

namespace todoku::sink {
namespace {

struct Saying {
  Provider provider;
  Excuse excuse;
  int code;
  // {a} is the recipient, {i} the client's IP address, {h} the receiver's host name.
  std::string_view text;
};

using enum Provider;
using enum Excuse;

// Several lines for one (provider, excuse): the first is used.
constexpr std::array kSayings = {
    Saying{postfix, unknown_user, 550,
           "5.1.1 <{a}>: Recipient address rejected: User unknown in virtual mailbox table"},
    Saying{postfix, mailbox_full, 452, "4.2.2 <{a}>: Recipient address rejected: Mailbox full"},
    Saying{postfix, blocked, 554,
           "5.7.1 Service unavailable; Client host [{i}] blocked using bl.example.com"},
    Saying{postfix, unauthenticated, 550, "5.7.1 Email rejected per DMARC policy"},
    Saying{postfix, spam, 550, "5.7.1 Message contains spam or virus"},
    Saying{postfix, too_fast, 450, "4.7.1 Error: too much mail from {i}"},
    Saying{postfix, too_many_connections, 421, "4.7.0 {h} Error: too many connections from {i}"},
    Saying{postfix, too_many_messages, 421, "4.7.0 {h} Error: too many messages in this session"},
    Saying{postfix, greylisted, 450,
           "4.2.0 <{a}>: Recipient address rejected: Greylisted, try again later"},
    Saying{postfix, busy, 451, "4.3.0 Temporary lookup failure"},

    Saying{gmail, unknown_user, 550,
           "5.1.1 The email account that you tried to reach does not exist.\n"
           "5.1.1 Please check the address for typos: {a} - gsmtp"},
    Saying{gmail, mailbox_full, 452,
           "4.2.2 The recipient's inbox is out of storage space. - gsmtp"},
    Saying{gmail, blocked, 421,
           "4.7.0 [{i}] Our system has detected an unusual rate of unsolicited mail. - gsmtp"},
    Saying{gmail, unauthenticated, 550,
           "5.7.26 This mail has been blocked because the sender is unauthenticated. - gsmtp"},
    Saying{gmail, spam, 550,
           "5.7.1 [{i}] This message is likely unsolicited mail and has been blocked. - gsmtp"},
    Saying{gmail, too_fast, 421,
           "4.7.28 [{i}] Our system has detected an unusual rate of mail from your IP. - gsmtp"},
    Saying{gmail, too_many_connections, 421,
           "4.7.0 Too many concurrent SMTP connections, try again later. - gsmtp"},
    Saying{gmail, greylisted, 450,
           "4.2.1 The user you are trying to contact is receiving mail too quickly. - gsmtp"},
    Saying{gmail, busy, 421, "4.3.0 Temporary System Problem. Try again later. - gsmtp"},

    Saying{yahoo, unknown_user, 552, "1 Requested mail action aborted, mailbox not found ({a})"},
    Saying{yahoo, mailbox_full, 552, "1 Requested mail action aborted, mailbox full"},
    Saying{yahoo, blocked, 553, "5.7.1 [BL21] Connections not accepted from {i}"},
    Saying{yahoo, unauthenticated, 554, "5.7.9 Message not accepted for policy reasons (DMARC)"},
    Saying{yahoo, spam, 554, "Message not allowed - [PH01] Email not accepted for policy reasons"},
    Saying{yahoo, too_fast, 421,
           "4.7.0 [TSS04] Messages from {i} temporarily deferred due to unexpected volume or user "
           "complaints"},
    Saying{yahoo, too_many_messages, 421,
           "Max message per connection reached, closing transmission channel"},
    Saying{yahoo, too_many_connections, 421, "4.7.0 [TSS09] Too many connections from {i}"},
    Saying{yahoo, greylisted, 450, "User is receiving mail too quickly"},
    Saying{yahoo, busy, 451, "Resources temporarily unavailable. Please try again later [#4.16.1]"},

    Saying{outlook, unknown_user, 550,
           "5.5.0 Requested action not taken: mailbox unavailable (S2017062302)."},
    Saying{outlook, mailbox_full, 552, "5.2.2 Mailbox full ({a})"},
    Saying{outlook, blocked, 550,
           "5.7.1 Unfortunately, messages from [{i}] weren't sent: part of their network is on our "
           "block list (S3150)."},
    Saying{
        outlook, unauthenticated, 550,
        "5.7.515 Access denied, sending domain does not meet the required authentication level."},
    Saying{outlook, spam, 550, "5.7.1 Message rejected because of its content (SC-001)."},
    Saying{outlook, too_fast, 451,
           "4.7.650 The mail server [{i}] has been temporarily rate limited due to IP reputation."},
    Saying{outlook, too_many_connections, 421, "4.3.2 Service busy: too many connections from {i}"},
    Saying{outlook, busy, 451, "4.7.500 Server busy. Please try again later from [{i}]."},

    Saying{office365, unknown_user, 550,
           "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {a} not found by SMTP address lookup"},
    Saying{office365, mailbox_full, 554,
           "5.2.2 STOREDRV.Deliver.Exception:QuotaExceededException; mailbox full"},
    Saying{office365, blocked, 550, "5.7.606 Access denied, banned sending IP [{i}]."},
    Saying{office365, unauthenticated, 550,
           "5.7.509 Access denied, sending domain does not pass DMARC verification."},
    Saying{office365, spam, 550, "5.7.501 Access denied, spam abuse detected."},
    Saying{office365, too_fast, 451, "4.7.500 Server busy. Please try again later from [{i}]."},
    Saying{office365, too_many_connections, 421, "4.3.2 The maximum number of connections is used"},
    Saying{office365, greylisted, 451, "4.7.550 Access denied, please try again later"},
    Saying{office365, busy, 451, "4.3.2 Temporary server error. Please try again later"},

    Saying{icloud, unknown_user, 550, "5.1.1 <{a}>: user does not exist"},
    Saying{icloud, mailbox_full, 450, "4.2.2 <{a}>: user is overquota"},
    Saying{icloud, blocked, 550, "5.7.0 Blocked - IP {i} is on a dynamic reputation list"},
    Saying{icloud, unauthenticated, 550, "5.7.1 Your message was rejected due to DMARC policy."},
    Saying{icloud, spam, 550, "5.7.1 [CS01] Message rejected due to local policy."},
    Saying{icloud, too_fast, 421, "4.7.1 Messages to {a} deferred due to excessive volume."},
    Saying{icloud, busy, 451, "4.7.1 Service unavailable - try again later"},

    // Also what docomo says when the user's own filter refuses.
    Saying{docomo, unknown_user, 550, "Unknown user {a}"},
    Saying{docomo, mailbox_full, 552, "Too much mail data {a}"},
    Saying{docomo, blocked, 421, "{h} Service not available, closing transmission channel"},
    Saying{docomo, spam, 550, "Unknown user {a}"},
    Saying{docomo, busy, 451, "Requested action aborted: error in processing"},

    Saying{au, unknown_user, 550, "<{a}>: User unknown"},
    Saying{au, mailbox_full, 452, "<{a}>: Mailbox full"},
    Saying{au, blocked, 421, "{h} Service not available, closing transmission channel"},
    Saying{au, spam, 550, "<{a}>: User unknown"},
    Saying{au, too_fast, 450, "<{a}>: Recipient address rejected: please try again later"},

    Saying{softbank, unknown_user, 550, "Invalid recipient: <{a}>"},
    Saying{softbank, mailbox_full, 552, "<{a}> mailbox full"},
    Saying{softbank, unauthenticated, 553, "sender domain does not exist"},
    Saying{softbank, too_many_messages, 421, "#4.x.2 Too many messages for this session"},
    Saying{softbank, blocked, 554, "Transaction failed: {i}"},

    Saying{yahoo_japan, unknown_user, 554,
           "delivery error: dd This user doesn't have a yahoo.co.jp account ({a}) [-5]"},
    Saying{yahoo_japan, mailbox_full, 554,
           "delivery error: dd Sorry, your message to {a} cannot be delivered: over quota"},
    Saying{yahoo_japan, blocked, 421, "4.7.0 [{i}] Messages temporarily deferred"},
    Saying{yahoo_japan, too_many_connections, 421, "Too many concurrent connections from {i}"},
    Saying{yahoo_japan, too_fast, 451, "Too many messages from {i}, please try again later"},
};

const Saying& find(Provider provider, Excuse excuse) {
  for (const Provider who : {provider, postfix}) {
    for (const Saying& saying : kSayings) {
      if (saying.provider == who && saying.excuse == excuse) return saying;
    }
  }
  check(false, "Postfix has words for every excuse");
  return kSayings.front();
}

std::string fill_in(std::string_view text, const Mentioned& mentioned) {
  std::string out;
  while (!text.empty()) {
    const std::size_t brace = text.find('{');
    out += text.substr(0, brace);
    if (brace == std::string_view::npos) break;
    const char what = text[brace + 1];
    out += what == 'a' ? mentioned.address : what == 'i' ? mentioned.client : mentioned.hostname;
    text.remove_prefix(brace + 3);
  }
  return out;
}

// What stands for a wish of any kind. A temporary excuse may be worded permanently by one provider
// and the other way round, so it is looked for among all; 421 would end the connection for the
// other recipients too, so it only comes when it is asked for.
Excuse choose(Provider provider, Excuse wish, std::uint64_t draw) {
  static constexpr std::array kConcrete = {
      unknown_user, mailbox_full,         blocked,           unauthenticated, spam,
      too_fast,     too_many_connections, too_many_messages, greylisted,      busy};
  const int klass = wish == any_temporary ? 4 : 5;
  std::array<Excuse, kConcrete.size()> fitting{};
  std::size_t count = 0;
  for (const Excuse excuse : kConcrete) {
    const int code = find(provider, excuse).code;
    if (code / 100 == klass && code != 421) fitting[count++] = excuse;
  }
  check(count > 0, "every provider has temporary and permanent words");
  return fitting[draw % count];
}

}  // namespace

Reply provider_reply(Provider provider, Excuse excuse, const Mentioned& mentioned,
                     std::uint64_t draw) {
  if (excuse == any_temporary || excuse == any_permanent) excuse = choose(provider, excuse, draw);
  const Saying& saying = find(provider, excuse);
  return {saying.code, fill_in(saying.text, mentioned)};
}

Reply provider_reply_with_code(Provider provider, int code, const Mentioned& mentioned) {
  Excuse excuse = code < 500 ? busy : unknown_user;
  if (code == 421) excuse = too_fast;
  if (code == 450) excuse = greylisted;
  if (code == 452 || code == 552) excuse = mailbox_full;
  if (code == 553) excuse = blocked;
  // Of this mail, and not of who sends it: a sender would send nothing more here.
  if (code == 554) excuse = spam;
  Reply reply = provider_reply(provider, excuse, mentioned);
  if (reply.code / 100 != code / 100) reply = provider_reply(postfix, excuse, mentioned);
  if (reply.code / 100 != code / 100) {
    // Nobody words it in this class: our own sentence.
    const char klass = static_cast<char>('0' + code / 100);
    reply.text = std::string(1, klass) + ".0.0 Refused";
  }
  reply.code = code;
  return reply;
}

}  // namespace todoku::sink
