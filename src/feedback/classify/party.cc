// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/party.h"

#include "feedback/classify/words.h"

namespace todoku::feedback::classify {
namespace {

constexpr std::string_view kSender =
    "送信元|送信者|originating domain|originator*|return path*|return-path*|return address*|"
    "reverse path*|reverse-path*|bounce address*|bounces|test bounce*|reply address*|reply-to|"
    "from:|from line|from field|"
    "from address*|from header*|from domain*|mailfrom|badmailfrom|envelope from|envelope-from|"
    "your address|your email address|your e-mail address|your mail address|your mailbox*|"
    "your account*|your quota|your sending|your own|sending account*|sending address*|"
    "sending domain*|sending mailbox*|sending user*";
constexpr std::string_view kReturned =
    "return to sender|returned to sender|return to the sender|returned to the sender";
// Asking the sender's server for the sender's mailbox. Exim (src/verify.c) tells what it did, which
// it does of senders alone: "Called: ... Sent: ... Response: ...".
constexpr std::string_view kVerified =
    "callout*|callback*|call back*|call-back*|called:|verification*|verify failed|verifying|"
    "not verify|cannot verify|can't verify|couldn't verify|unable to verify|failed to verify|"
    "not verified|be verified|verifiable";
// "Callout verification failed:" Exim says of recipients alone.
constexpr std::string_view kRecipientVerified =
    "callout verification failed:|recipient verif*|recipient address verif*|verify recipient*|"
    "verify the recipient*|verifying recipient*|verifying the recipient*|"
    "recipient cannot be verif*|unverified address: address verification*|"
    "undeliverable address: address verification*";

constexpr std::string_view kHost =
    "ipv6|messages from|connection from|dynamic address|dynamic ip*|client host*|client address*|"
    "client ip*|connecting host*|connecting ip*|connecting server*|sending host*|"
    "sending ip*|sending server*|sending mta*|ip address*|this ip|from ip|your ip*|"
    "your host*|your server*|your mail server*|your email server*|your smtp*|your mta*|"
    "your network*|your domain*|your organi*|your company*|your system*|your client*|your isp*|"
    "your provider*|your connection*|your machine*|your reputation|mail from|from you|you send|"
    "you sent|country|countries|helo|ehlo|spf|dkim|you are not|you're not|you have been|"
    "you may not|you do not have permission";
constexpr std::string_view kWhoIsLetIn =
    "受信を拒否|受信拒否|指定受信|whitelist*|white list*|white-list*|allowlist*|allow list*|"
    "allow-list*|allowed list*|safelist*|"
    "safe list*|list of|must register|external*|outside|outsiders|strangers|may send|can send|"
    "allowed to send|permitted to send|internal use*|internal mail*|internal email*|internal only|"
    "internally|from the internet|members only|members-only|subscribers only";
// How much was sent, and to how many that are not there.
constexpr std::string_view kHowMuch =
    "rate|rates|ratio|excessive*|attempts|percentage|proportion|high number|large number|harvest*|"
    "dictionary attack*|unknown users|invalid users|bad users|nonexistent users|"
    "non-existent users|unknown recipients|invalid recipients|bad recipients|"
    "nonexistent recipients|non-existent recipients";
constexpr std::string_view kMany = "too many";
// "Mailbox full: too many messages".
constexpr std::string_view kManyInMailbox = "full|quota|overquota|messages in";
constexpr std::string_view kBlocked = "blocked|blocking|blacklisted|blocklisted|banned";
constexpr std::string_view kBlockedMailbox =
    "mailbox blocked|mailbox is blocked|mailbox has been blocked|mailbox was blocked|"
    "account blocked|account is blocked|account has been blocked|account was blocked|"
    "user is blocked|user has been blocked|blocked mailbox|blocked account|"
    "blocked due to inactivity";

constexpr std::string_view kContent =
    "迷惑メール|spam|spammer*|spammy|spamming|virus*|malware|phish*|content|contents|attachment*|"
    "user agent|user-agent|header|headers|unsolicited|x-mailer|message-id|subject line|suspicious*|"
    "newsletter*|advertis*|bulk|mass mail*";

bool speaks_of_sender(std::string_view words) {
  if (has_phrase(words, "sender*") && !has_phrase(words, kReturned)) return true;
  return has_phrase(words, kSender) ||
         (has_phrase(words, kVerified) && !has_phrase(words, kRecipientVerified));
}

bool speaks_of_us(std::string_view words) {
  return has_phrase(words, kHost) || has_phrase(words, kWhoIsLetIn) ||
         has_phrase(words, kHowMuch) ||
         (has_phrase(words, kMany) && !has_phrase(words, kManyInMailbox)) ||
         (has_phrase(words, kBlocked) && !has_phrase(words, kBlockedMailbox));
}

}  // namespace

Party party_of(std::string_view words) {
  if (speaks_of_sender(words)) return Party::sender;
  if (speaks_of_us(words)) return Party::us;
  return has_phrase(words, kContent) ? Party::content : Party::recipient;
}

}  // namespace todoku::feedback::classify
