// SPDX-License-Identifier: Apache-2.0
// To add one: put it before every more general rule, and add a line to
// tests/corpus/classify/replies.tsv. The order: words that mean more than any code; words about the
// recipient's mailbox, which count only where nobody else is spoken of (party.h); words about
// others and about why; codes that speak of neither; of whom the words speak; the codes of
// mailboxes, which say least of all, since many receivers send them with whatever they refuse.
#include "feedback/classify/rules.h"

#include <array>

namespace todoku::feedback::classify {
namespace {

using enum Cause;

constexpr Codes kTemporary{400, 499};
constexpr Codes kPermanent{500, 599};
// 511, 523, 530, 571: some servers make up their codes from the enhanced one, or from nothing.
constexpr Codes kRefused{510, 579};
constexpr Codes kAny{};
constexpr Stages kRcptOrData = {Stage::rcpt_to, Stage::data};
constexpr Stages kEnvelopeOrData = {Stage::mail_from, Stage::rcpt_to, Stage::data};
constexpr Stages kEnvelope = {Stage::mail_from, Stage::rcpt_to};
constexpr Stages kMail = {Stage::mail_from};
// Matters of security and policy, which are ours or the sender's, whatever else the words name.
constexpr int kSecurity = 7;

constexpr std::string_view kFullMailboxes =
    "mailbox full|mailbox is full|mail box full|over quota|overquota|quota exceeded|"
    "quotaexceeded*|exceeded quota|exceeded the quota|exceeds quota|out of storage|inbox full|"
    "inbox is full|too much mail data|mailbox size limit exceeded|容量オーバー|has no space "
    "left|disk quota|"
    "quota exhausted|mailfolder is full|mail folder is full|exceeded storage allocation|"
    "not enough space|not have enough space|exceeded the local limit|mailbox exceeds allowed "
    "size|メールボックスが一杯|"
    "over its quota|mailbox for is "
    "full|メールボックスがいっぱい|容量がいっぱい|容量を超え|容量超過";
constexpr std::string_view kDisabledMailboxes =
    "account is disabled|account disabled|account has been disabled|mailbox disabled|"
    "mailbox is disabled|account is inactive|mailbox is inactive|account suspended|"
    "account is suspended|user is disabled|user disabled|user suspended|"
    "that you tried to reach is disabled|that you tried to reach is inactive|"
    "account has been suspended|account closed|account has been closed|account is closed|"
    "account terminated|account has been terminated|"
    "mailbox deactivated|mailbox has been deactivated|deactivated mailbox|no longer accepts mail|"
    "mailbox is frozen|disabled recipient address|user account disabled|account is blocked|"
    "account blocked|account has been blocked|account is locked|"
    "mailbox is suspended|mailbox suspended";
constexpr std::string_view kMissingMailboxes =
    "user unknown|unknown user|no such user|recipientnotfound|recipient not found|"
    "unknown recipient|recipient unknown|mailbox not found|no such recipient|"
    "invalid recipient|no mailbox here|no such mailbox|user does not exist|"
    "mailbox does not exist|address does not exist|account does not exist|"
    "that you tried to reach does not exist|user not found|no such address|"
    "user doesn't have|unknown address|invalid mailbox|no such account|unrouteable address|"
    "is no longer valid|recipient does not exist|recipient doesn't exist|user doesn't exist|"
    "mailbox doesn't exist|account doesn't exist|address doesn't exist|unknown mailbox|"
    "unknown account|unknown local part|address unknown|mailbox unknown|account unknown|"
    "invalid user|not a valid user|not a valid mailbox|not a valid recipient|"
    "non-existent user|nonexistent user|no such person|no account by that name|user not known|"
    "is not a known user|not a local address|no mailbox found|mailbox invalid|mailbox not present|"
    "unknown email address|user not active|unknown local-part|user was not found|"
    "recipient was not found|no longer with the company|there is no one at this address|"
    "user not exist|not listed in domino directory|not listed in public name|"
    "ディレクトリのリストにありません|ディレクトリには見つかりません|invalid final delivery "
    "userid|no valid recipients|"
    "no mail box available|指定されたメールアドレスは存在しません|宛先不明|"
    "not existing|account is unknown|メールアドレスは存在しません|ユーザーが存在しません|"
    "ユーザーは存在しません|ユーザが存在しません|アカウントが存在しません|宛先は存在しません|"
    "存在しないメールアドレス|アドレスが見つかりません|ユーザーが見つかりません|"
    "メールアドレスは現在使われておりません|メールアドレスは使用されていません|該当ユーザなし|"
    "ユーザはいません|ユーザ不明|ユーザー不明|メールアドレスが無効|宛先アドレスが間違って";

constexpr std::string_view kOfARecipient =
    "user*|mailbox*|recipient*|account*|address*|inbox*|destination*|alias*";

constexpr std::array kReplyRules = {
    // -- our own note on a refusal ---------------------------------------------------------------
    Rule{tls_switched_off, {Stage::starttls}, kAny, -1, -1, "said without tls: switched off"},
    Rule{tls_required, {Stage::starttls}, kAny, -1, -1, "said without tls"},
    Rule{no_tls_offered, {Stage::starttls}},
    Rule{client_auth, {Stage::auth}},

    // -- words that mean more than any code ------------------------------------------------------
    // Postfix and Exim say it with "User unknown", or with whatever may be the reason, of the
    // sender.
    Rule{.cause = sender_address,
         .phrases = "sender address rejected|sender verify failed|sender verification failed|"
                    "sender verify callout",
         .leaves_the_reason_open = true},
    Rule{sender_address, {}, kAny, -1, -1, "unresolvable rfc.5321 from domain"},
    // au: a filter of the recipient's refuses "550 : User unknown", without the address that it
    // names where nobody is there (deliverability notes of its postmaster pages).
    Rule{.cause = policy,
         .stages = kRcptOrData,
         .codes = kPermanent,
         .phrases = ": user unknown",
         .at_begin = true},
    // cPanel's one sentence for everything.
    Rule{unclear, kRcptOrData, kPermanent, -1, -1, "the account or domain may not exist"},
    // Yandex: the recipient's account is blocked.
    Rule{mailbox_disabled, kRcptOrData, kPermanent, kSecurity, -1,
         "policy rejection on the target address"},
    // Proofpoint, of addresses that only look like the recipient's own.
    Rule{policy, {}, kPermanent, -1, -1, "anti-spoofing policy"},
    // Exchange, of groups that take mail of their own organization only.
    Rule{policy,
         {},
         kPermanent,
         -1,
         -1,
         "resolver.rst.authrequired|resolver.rst.sendernotauthenticated*|"
         "resolver.rst.notauthorized|resolver.rst.restrictedtorecipients*"},
    // Microsoft 365 where the directory is the edge's (directory-based edge blocking): no such
    // recipient.
    Rule{mailbox, kRcptOrData, kPermanent, 4, 1, "recipient address rejected: access denied"},
    // RFC 3463 X.5.3; RFC 5321 section 4.5.3.1.10: older servers say 552. Not a full mailbox. With
    // any other 5xx it is not to be had by asking again.
    Rule{too_many_recipients, kRcptOrData, kTemporary, 5, 3},
    Rule{too_many_recipients, kRcptOrData, {552, 552}, 5, 3},
    Rule{mailbox_full, kRcptOrData, {552, 552}, 2, 2},
    Rule{size, {}, {552, 552}, 2, 3},
    Rule{too_many_recipients,
         {Stage::mail_from, Stage::rcpt_to, Stage::data},
         {552, 552},
         -1,
         -1,
         "too many recipients|too many rcpts|too many rcpt|too many recipient"},
    Rule{too_many_recipients, kRcptOrData, kTemporary, -1, -1,
         "too many recipients|too many rcpts|too many rcpt|too many recipient"},
    Rule{
        greylist,
        {},
        kTemporary,
        -1,
        -1,
        "greylist*|graylist*|grey list*|gray list*|grey-list*|gray-list*|"
        // Mimecast
        "internal resource temporarily unavailable|internal resources are temporarily unavailable"},
    Rule{loop,
         {},
         kAny,
         -1,
         -1,
         "too many hops|mail loop|mail loops|routing loop|hop count|forwarding loop|loops back to"},
    // "Too many" of what is in the mailbox, or in the receiver's machine.
    Rule{mailbox_full, kRcptOrData, kTemporary, 2, 2},
    Rule{sender_address, kMail, kTemporary, 2, 2},
    Rule{receiver_trouble,
         {},
         kTemporary,
         -1,
         -1,
         "too many open files|too many processes|insufficient disk space|"
         "insufficient system storage"},
    Rule{receiver_trouble,
         {},
         kTemporary,
         -1,
         -1,
         "temporary server error|temporary local problem|resources temporarily unavailable|"
         "resources temporarily not available"},
    Rule{mailbox_busy,
         {},
         kAny,
         -1,
         -1,
         "is receiving mail too quickly|is receiving mail at a rate"},
    // Gmail: 4.7.0 and 4.7.28, about the address or the domain that sends.
    Rule{unsolicited, {}, kAny, -1, -1, "unusual rate of unsolicited mail"},
    // Gmail slows down, or blocks, what lacks one of these: 7.27 and 7.30 are other things
    // elsewhere.
    Rule{spf, {}, kAny, 7, -1, "spf authentication didn't pass|didn't pass spf authentication"},
    Rule{dkim, {}, kAny, 7, -1, "dkim authentication didn't pass|didn't pass dkim authentication"},
    Rule{dmarc, {}, kAny, 7, 32},
    Rule{dmarc, {}, kAny, 7, 40},
    Rule{rate,
         {},
         kAny,
         -1,
         -1,
         "frequency limited|frequency of receiving messages is limited"},  // QQ
    Rule{rate,
         {},
         kAny,
         -1,
         -1,
         "quota of messages|message quota|sending quota|messages per hour|messages per day|"
         "too many recipients this hour"},
    Rule{rate,
         {},
         kTemporary,
         -1,
         -1,
         "too many|too much mail|too fast|rate limit*|rate-limit*|ratelimit*|throttl*|"
         "unusual rate|deferred due to user complaints|deferred due to unexpected volume|"
         "excessive volume|max message per connection|maximum number of connections|"
         "maximum number of messages|maximum number of concurrent|exceeded the rate|sending limit|"
         "limits for how many messages|account service is temporarily unavailable|"
         "hl:icc|hl:ifc|mi:dmc|mi:sfq"},               // the last ones of NetEase (163)
    Rule{rate, {}, kTemporary, 7, -1, "server busy"},  // Exchange Online: 4.7.500
    Rule{rate, {}, kAny, 7, 28},
    Rule{rate, {}, kAny, 4, 5},
    // Whatever lists its words name besides: the address is not there.
    Rule{mailbox, {Stage::rcpt_to}, kPermanent, 1, 1, kMissingMailboxes},
    Rule{reputation,
         {},
         kAny,
         -1,
         -1,
         "spamhaus|spamcop|barracudacentral|sorbs|uceprotect*|abuseat|invaluement|senderscore|"
         "blocklist*|block list|blocked list|block listed|blacklist*|black list|black "
         "listed|dnsbl|rbl|banned sending ip|suspected spam ip|ipcheck.proofpoint.com|"
         "reputation|permanently deferred|connections not accepted from|blocked using"},
    Rule{.cause = dmarc, .phrases = "dmarc", .leaves_the_reason_open = true},
    Rule{authentication, {}, kAny, 7, 26},
    Rule{authentication,
         {},
         kAny,
         -1,
         -1,
         "either spf or dkim|both spf and dkim|neither spf nor dkim|sender is unauthenticated|"
         "not have authentication information"},
    Rule{authentication, {}, kAny, 7, 515},  // Outlook: "required authentication level"
    Rule{reverse_dns, {}, kAny, 7, 25},
    Rule{reverse_dns,
         {},
         kAny,
         -1,
         -1,
         "reverse dns|rdns|ptr record|ptr records|ptr resource record|ptr lookup|no ptr|cannot "
         "find your hostname|"
         "cannot find your reverse hostname|client host rejected: cannot find"},
    Rule{dkim,
         {},
         kAny,
         -1,
         -1,
         "no passing dkim*|dkim signature*|dkim verification|dkim check*|dkim fail*|"
         "invalid dkim|dkim validation|dkim sender invalid"},
    Rule{spf,
         {},
         kAny,
         -1,
         -1,
         "spf validation|spf check*|spf fail*|spf record*|fails spf|failed spf|not allowed by spf|"
         "spf hardfail|rejected by spf|spf unauthorized|spf policy|spf sender invalid|sender "
         "policy framework"},
    // Gmail: RFC 5322 allows it, and it does not.
    Rule{form, {}, kAny, -1, -1, "multiple addresses in from"},
    Rule{no_service, {Stage::greeting}, kPermanent},
    Rule{protocol, {Stage::hello}, {500, 504}},
    Rule{hello_name, {Stage::hello}, kPermanent},
    // Shut for what it has sent, rather than for what is in this mail.
    Rule{policy, kRcptOrData, kAny, -1, -1,
         "your account|your sending account|sending account|sender account|sender's account"},
    // At MAIL there is nobody but the sender to speak of.
    Rule{sender_address, kMail, kAny, -1, -1, kFullMailboxes, {}, kSecurity},
    Rule{sender_address, kMail, kAny, -1, -1, kDisabledMailboxes, {}, kSecurity},
    Rule{sender_address, kMail, kRefused, -1, -1, kMissingMailboxes, {}, kSecurity},
    Rule{sender_address, kMail, kRefused, -1, -1, "does not exist", {}, kSecurity},
    Rule{mailbox_full, kRcptOrData, kAny, kSecurity, -1,
         "mailbox full|mailbox is full|mail box full|inbox full|inbox is full"},
    Rule{mailbox_full, kRcptOrData, kAny, -1, -1, kFullMailboxes, {}, kSecurity},
    Rule{mailbox_disabled,
         {Stage::rcpt_to},
         kAny,
         kSecurity,
         -1,
         "mailbox disabled|mailbox is disabled|mailbox is inactive|"
         "that you tried to reach is disabled|that you tried to reach is inactive"},
    Rule{mailbox_disabled, kRcptOrData, kAny, -1, -1, kDisabledMailboxes, {}, kSecurity},
    Rule{mailbox_disabled, kRcptOrData, kPermanent, kSecurity, 13},  // RFC 5248
    // X.7.1 is what Postfix says of every rule that its operator wrote by hand (access(5)), also of
    // those about recipients. Of content it is said of content.
    // Whatever user it was that could not log in is ours.
    Rule{client_auth,
         {},
         kPermanent,
         -1,
         -1,
         "login failed|authentication failed|unauthenticated senders not allowed"},
    Rule{mailbox,
         {Stage::rcpt_to},
         kRefused,
         kSecurity,
         -1,
         "user unknown|unknown user|no such user|recipientnotfound|recipient not found|"
         "unknown recipient|recipient unknown|mailbox not found|no such recipient|"
         "invalid recipient|no mailbox here|no such mailbox|user does not exist|"
         "mailbox does not exist|that you tried to reach does not exist|user doesn't have|"
         "no such account|email address is marked as invalid"},
    Rule{mailbox, kRcptOrData, kRefused, -1, -1, kMissingMailboxes, {}, kSecurity},
    Rule{relay,
         {},
         kAny,
         -1,
         -1,
         "relay access denied|relaying denied|relay denied|relay not permitted|unable to relay|"
         "relay not allowed|not permitted to relay|we do not relay|rcpthosts|relaying not allowed|"
         "relaying is not allowed|no relaying|open relay not allowed|open relay is not allowed"},
    Rule{sender_address,
         {Stage::mail_from, Stage::rcpt_to},
         kAny,
         -1,
         -1,
         "sender address rejected|sender domain does not exist|sender rejected|"
         "domain of sender address*|email address is not verified|sender domain not found|invalid "
         "sender|badmailfrom"},
    Rule{client_auth,
         {},
         kPermanent,
         -1,
         -1,
         "smtp authentication|smtp auth|auth command|login needed|login required|"
         "login is required|log on first|must log on|must log in|must login|must logon|pop before "
         "smtp|pop-before-smtp|"
         "authentication required|authentication is required|must authenticate|auth required|"
         "please authenticate|must be authenticated|log in first|login first|"
         "client was not authenticated|client not authenticated"},
    // A filter that is out of order has judged nothing.
    Rule{size, {}, kTemporary, 3, 4},
    Rule{receiver_trouble, {}, kTemporary, 3},
    Rule{loop, {}, kTemporary, 4, 6},
    Rule{receiver_trouble, {}, kTemporary, 4},
    Rule{receiver_trouble,
         {Stage::data},
         kTemporary,
         -1,
         -1,
         "temporarily unavailable|temporarily not available|timed out|scanner unavailable|"
         "scanner is unavailable|filter unavailable|filter is unavailable|scanner timeout|"
         "filter timeout|scanner error|scanner failed|filter error|filter failed|unable to scan|"
         "cannot be scanned|could not be scanned|scanning failed"},
    Rule{content,
         {Stage::data},
         kAny,
         -1,
         -1,
         "spam|virus|viruses|malware|phishing|unsolicited|unsafe content|dangerous|suspicious|"
         "dt:spm"},
    Rule{content,
         {},
         kPermanent,
         -1,
         -1,
         "spam message|looks like spam|spam content|spam abuse|message content|"
         "because of its content|because its content|mail content denied|content examination|"
         "unsolicited mail|virus|malware|phishing|ウイルスが検出|ウイルスを検出"},
    Rule{content,
         {},
         kPermanent,
         -1,
         -1,
         "message rejected|message refused|advertis*",
         {},
         kSecurity},
    Rule{size,
         {},
         kPermanent,
         -1,
         -1,
         "maximum email size exceeded|message size exceeds|mail size limit "
         "exceeded|サイズが制限を超え"},

    // -- enhanced status codes (RFC 3463, RFC 7372, RFC 7505; IANA registry) ---------------------
    Rule{size, {}, kAny, 2, 3},
    Rule{size, {}, kAny, 3, 4},
    Rule{loop, {}, kAny, 4, 6},
    Rule{no_8bitmime, {}, kPermanent, 6, 3},
    Rule{no_smtputf8, {}, kPermanent, 6, 7},
    Rule{form, {}, kAny, 6},
    Rule{client_auth, {}, kAny, 7, 8},
    Rule{tls_required, {}, kAny, 7, 10},
    Rule{tls_required, {}, kAny, 7, 11},
    Rule{dkim, {}, kAny, 7, 20},
    Rule{dkim, {}, kAny, 7, 21},
    Rule{dkim, {}, kAny, 7, 22},
    Rule{spf, {}, kAny, 7, 23},
    Rule{spf, {}, kAny, 7, 24},
    Rule{sender_address, {}, kAny, 7, 27},
    Rule{relay, {}, kAny, 1, 2},
    Rule{sender_address, {}, kAny, 1, 7},
    Rule{sender_address, {}, kAny, 1, 8},
    Rule{relay, {}, kAny, 1, 9},
    Rule{null_mx, {}, kPermanent, 1, 10},
    // 421 is about the connection.
    Rule{receiver_trouble, kMail, {421, 421}, 2},
    Rule{sender_address, kMail, kAny, 1},
    Rule{sender_address, kMail, kAny, 2},

    // -- of whom the words speak, whatever the code says of mailboxes ----------------------------
    Rule{.cause = sender_address, .stages = kEnvelopeOrData, .party = Party::sender},
    Rule{.cause = policy, .stages = kEnvelopeOrData, .codes = kPermanent, .party = Party::us},
    Rule{.cause = content, .stages = kEnvelopeOrData, .codes = kPermanent, .party = Party::content},
    // For now, though with a code that says for good: not a word against the mailbox.
    Rule{receiver_trouble, kRcptOrData, kPermanent, -1, -1,
         "temporarily|temporary|greylist*|graylist*|service unavailable|server is unavailable|"
         "一時的に|being migrated|connection timed out|refused to talk to me|local configuration "
         "error"},
    Rule{.cause = policy,
         .stages = kEnvelopeOrData,
         .codes = kPermanent,
         .phrases = "policy|policies|violat*|restricted|restriction|restrictions|not allowed to|"
                    "not permitted|not authori*|unauthori*|prohibited|forbidden|access denied|"
                    "denied by|client|ip|network",
         .leaves_the_reason_open = true},
    Rule{mailbox_full, kRcptOrData, kAny, 2, 2},

    // -- enhanced status codes that say little ---------------------------------------------------
    // Cisco's gateways say X.1.0 of recipients that a directory does not have.
    Rule{mailbox, {Stage::rcpt_to}, kPermanent, 1, 0},
    Rule{mailbox, {Stage::rcpt_to}, kAny, 1, 1},
    // Of content a code alone says nothing of the mailbox.
    Rule{mailbox, {Stage::data}, kAny, 1, 1, kOfARecipient},
    Rule{bad_address, {}, kAny, 1, 3},
    Rule{mailbox, {Stage::rcpt_to}, kAny, 1, 4},
    Rule{moved, {}, kAny, 1, 6},
    Rule{mailbox_disabled, {Stage::rcpt_to}, kAny, 2, 1},
    Rule{mailbox_disabled, {Stage::data}, kAny, 2, 1, kOfARecipient},
    Rule{receiver_trouble, {}, kAny, 3},
    Rule{receiver_trouble, {}, kAny, 4},
    // X.5.0 at RCPT is what Outlook says of mailboxes that it does not have, and of others.
    Rule{unclear, {Stage::rcpt_to}, kAny, 5, 0},
    Rule{policy, kRcptOrData, kPermanent, 5, 3},
    Rule{protocol, {}, kAny, 5},
    Rule{policy, {}, kAny, 7},

    // -- where no such code says more -------------------------------------------------------------
    Rule{policy,
         {},
         kAny,
         -1,
         -1,
         "policy reasons|policy violation|policy violations|local policy|security policy|"
         "security policies|administrative prohibition|spoofed message|"
         "rejected by recipients"},

    // -- codes alone (RFC 5321 section 4.2.3, RFC 4954, RFC 7504) --------------------------------
    Rule{receiver_trouble, {}, {421, 421}},
    Rule{receiver_trouble, {}, {452, 452}},
    Rule{protocol, {}, {500, 504}},
    Rule{no_service, {}, {521, 521}},
    Rule{client_auth, kEnvelope, {530, 538}},
    Rule{mailbox_full, {Stage::rcpt_to}, {552, 552}},
    Rule{size, {}, {552, 552}},
    Rule{protocol, {}, {555, 555}},
    Rule{null_mx, {}, {556, 556}},
    Rule{unclear},
};

constexpr std::array kOwnRules = {
    Rule{stopping,
         {},
         kAny,
         -1,
         -1,
         "read: cancelled|write: cancelled|connect: cancelled|handshake: cancelled"},
    Rule{out_of_time, {}, kAny, -1, -1, "the mail's time is over"},
    Rule{out_of_time, {Stage::none}, kAny, 4, 7},

    Rule{too_large, {Stage::none}, kAny, 3, 4},
    Rule{set_aside, {Stage::none}, kAny, 3, 0, "set aside:"},
    Rule{key_missing, {Stage::none}, kAny, 3, 5, "*dkim key|*signing keys:"},
    Rule{cannot_compose, {Stage::none}, kAny, 3, 5},
    Rule{in_doubt, {}, kAny, 3, 0, "an error of ours ended the connection"},
    Rule{engine_failure, {}, kAny, 3, 0, "an error of ours"},

    Rule{resolver_doubted, {Stage::dns}, kAny, 4, 3, "our own resolver cannot be believed"},
    Rule{null_mx, {Stage::dns}, kAny, 1, 10},
    Rule{points_to_ourselves, {Stage::dns}, kAny, 4, 6},
    Rule{ipv6_only, {Stage::dns}, kAny, 4, 4},
    Rule{bad_address, {Stage::dns}, kAny, 1, 3, "", true},
    Rule{no_such_domain, {Stage::dns}, kAny, -1, -1, "", true},
    Rule{dns_failed, {Stage::dns}},

    Rule{over_size_limit, {Stage::mail_from}, kAny, 3, 4},
    Rule{no_smtputf8, {Stage::mail_from}, kAny, 6, 7},
    Rule{no_8bitmime, {Stage::mail_from}, kAny, 6, 3},

    Rule{unreachable, {Stage::connect}},
    Rule{no_tls_offered, {Stage::starttls}, kAny, -1, -1, "the receiver does not offer starttls"},
    Rule{tls_failed, {Stage::starttls}},
    Rule{garbled, {}, kAny, -1, -1, "the receiver answered|the receiver sent|the receiver said"},
    Rule{silence, {}, kAny, -1, -1, "no answer to|could not send"},
    Rule{unclear, {Stage::none}},
    Rule{connection_lost},
};

}  // namespace

std::span<const Rule> reply_rules() {
  return kReplyRules;
}

std::span<const Rule> own_rules() {
  return kOwnRules;
}

}  // namespace todoku::feedback::classify
