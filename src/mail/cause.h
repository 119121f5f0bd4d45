// SPDX-License-Identifier: Apache-2.0
// Why an attempt ended as it did: the class of a receiver's answer, or of a decision of our own.
// Decided once, where the outcome is made (feedback/classify), stored with it, and read by retry,
// suppression, metrics and the story, none of which guesses it again from words.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace todoku {

// Stored as these numbers: never renumber. The tens say who was asked last.
enum class Cause : std::uint8_t {
  none = 0,  // it went well, or nothing is known (outcomes of older versions)

  // What the receiver's answer means.
  unclear = 1,               // an answer that says nothing more than its code
  mailbox = 2,               // no such address (RFC 3463 X.1.1)
  mailbox_full = 3,          // over quota (X.2.2)
  mailbox_disabled = 4,      // exists, takes no mail (X.2.1)
  policy = 5,                // the receiver's rules, without saying which
  authentication = 6,        // SPF, DKIM, DMARC or reverse DNS of the sender
  reputation = 7,            // a blocklist or the name of our address or domain
  content = 8,               // what the message says or holds
  size = 9,                  // larger than the receiver takes
  rate = 10,                 // too much at a time
  greylist = 11,             // come again later, on purpose (RFC 6647)
  too_many_recipients = 12,  // in this transaction (RFC 5321 section 4.5.3.1.10)
  relay = 13,                // the host does not take mail for this domain
  client_auth = 14,          // the host wants its clients to log in (RFC 4954)
  receiver_trouble = 15,     // the receiver's own: local error, full disk, maintenance
  no_service = 16,           // refused at the greeting (RFC 5321 section 3.1)
  protocol = 17,             // a command or parameter that it does not know
  sender_address = 18,       // MAIL FROM was refused
  tls_required = 19,         // it wants TLS, and there was none
  dmarc = 20,                // the policy of the From domain (RFC 7489)
  spf = 21,                  // (RFC 7208)
  dkim = 22,                 // (RFC 6376)
  reverse_dns = 23,          // of our address
  hello_name = 24,           // the name that we say in EHLO
  bad_address = 25,          // it cannot read the address (X.1.3)
  moved = 26,                // no forwarding address (X.1.6)
  loop = 27,                 // the mail goes in a circle there (X.4.6)
  form = 28,                 // of the content, which it cannot handle (X.6)
  mailbox_busy = 29,         // too much mail at a time for this one mailbox
  unsolicited = 30,          // more mail from us than its trust in us bears
  // Taken for the address, and then passed on from there to another, which is at fault. Known by
  // the mail that came back alone.
  forwarding = 31,

  // What the network did.
  unreachable = 40,       // no connection
  silence = 41,           // a reply that did not come in time
  connection_lost = 42,   // closed or reset in mid-dialogue
  tls_failed = 43,        // handshake or certificate
  in_doubt = 44,          // the content was written, its answer did not come
  garbled = 45,           // an answer that is no SMTP, or that has no place where it came
  garbled_in_doubt = 46,  // the same, with the content written
  dane_failed = 47,       // not the TLS that the receiver's TLSA records name (RFC 7672)

  // What the DNS said.
  no_such_domain = 50,
  null_mx = 51,              // RFC 7505
  dns_failed = 52,           // SERVFAIL, a timeout, an answer that cannot be used
  points_to_ourselves = 53,  // the MX is this installation
  resolver_doubted = 54,     // our own resolver denies names that exist, or is dead
  unusable_mx = 55,          // its records lead to nobody whom we may connect to
  tlsa_not_answered = 56,    // whether it has TLSA records, and which, nobody could say

  // What the receiver cannot do, found before the mail was handed over.
  over_size_limit = 60,   // the SIZE it told (RFC 1870)
  no_smtputf8 = 61,       // an address needs RFC 6531
  no_8bitmime = 62,       // raw 8-bit content, RFC 6152
  ipv6_only = 63,         // no address of the receiver can be reached from ours
  no_tls_offered = 64,    // our rules ask for TLS
  tls_switched_off = 65,  // it wants TLS, and our rules forbid it
  long_lines = 66,        // over 998 octets (RFC 5321 section 4.5.3.1.6), and not to be encoded
  mta_sts = 68,           // what the recipient's domain asks for by MTA-STS (RFC 8461)

  // Ours.
  key_missing = 80,         // a signing key of the delivery
  content_unreadable = 81,  // of the delivery
  cannot_compose = 82,      // another reason why there is no letter
  too_large = 83,           // over limits.message_bytes_max, once its values are put in
  no_route = 84,            // no source or route of ours to go by
  own_shortage = 85,        // files, memory, ports
  engine_failure = 86,      // an error in the engine itself
  set_aside = 87,           // holders died with it alone in hand
  stopping = 88,            // the engine was stopped in mid-dialogue
  put_back = 89,            // waiting that we chose ourselves
  smarthost = 92,           // ours cannot be used as it is configured: its login, TLS, name

  // The end without an attempt.
  suppressed = 100,
  cancelled = 101,
  out_of_time = 102,  // its life time
};

// Every one of them, in the order of their numbers.
inline constexpr std::array kCauses = {
    Cause::none,
    Cause::unclear,
    Cause::mailbox,
    Cause::mailbox_full,
    Cause::mailbox_disabled,
    Cause::policy,
    Cause::authentication,
    Cause::reputation,
    Cause::content,
    Cause::size,
    Cause::rate,
    Cause::greylist,
    Cause::too_many_recipients,
    Cause::relay,
    Cause::client_auth,
    Cause::receiver_trouble,
    Cause::no_service,
    Cause::protocol,
    Cause::sender_address,
    Cause::tls_required,
    Cause::dmarc,
    Cause::spf,
    Cause::dkim,
    Cause::reverse_dns,
    Cause::hello_name,
    Cause::bad_address,
    Cause::moved,
    Cause::loop,
    Cause::form,
    Cause::mailbox_busy,
    Cause::unsolicited,
    Cause::forwarding,
    Cause::unreachable,
    Cause::silence,
    Cause::connection_lost,
    Cause::tls_failed,
    Cause::in_doubt,
    Cause::garbled,
    Cause::garbled_in_doubt,
    Cause::dane_failed,
    Cause::no_such_domain,
    Cause::null_mx,
    Cause::dns_failed,
    Cause::points_to_ourselves,
    Cause::resolver_doubted,
    Cause::unusable_mx,
    Cause::tlsa_not_answered,
    Cause::over_size_limit,
    Cause::no_smtputf8,
    Cause::no_8bitmime,
    Cause::ipv6_only,
    Cause::no_tls_offered,
    Cause::tls_switched_off,
    Cause::long_lines,
    Cause::mta_sts,
    Cause::key_missing,
    Cause::content_unreadable,
    Cause::cannot_compose,
    Cause::too_large,
    Cause::no_route,
    Cause::own_shortage,
    Cause::engine_failure,
    Cause::set_aside,
    Cause::stopping,
    Cause::put_back,
    Cause::smarthost,
    Cause::suppressed,
    Cause::cancelled,
    Cause::out_of_time,
};

// As it is spelled above; "unknown" for a number of a newer version.
[[nodiscard]] std::string_view to_string(Cause cause);

}  // namespace todoku
