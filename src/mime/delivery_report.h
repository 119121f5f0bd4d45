// SPDX-License-Identifier: Apache-2.0
// Composes a delivery status notification: what became of a mail, told to who sent it (RFC 3464 in
// the multipart/report of RFC 6522; what belongs into it is in RFC 3461 section 6). One part for
// people, in their language, one for machines, and the mail itself or its header section.
//
// Whom to tell what is decided elsewhere (delivery/policy/notify_policy.h). The envelope around the
// report has the null sender (RFC 3461 section 6.1), whatever its From says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/clock.h"
#include "base/result.h"
#include "mail/dsn.h"
#include "mail/reply.h"

namespace todoku::mime {

// RFC 3464 section 2.3.3, as it stands there.
enum class ReportAction : std::uint8_t {
  failed,
  delayed,
  relayed,    // to a server that tells nobody of its deliveries
  delivered,  // into a mailbox, which no relay can claim
};
[[nodiscard]] std::string_view to_string(ReportAction action);

struct ReportedRecipient {
  std::string address;  // as on the wire; may hold UTF-8
  std::optional<OriginalRecipient> original;
  ReportAction action = ReportAction::failed;
  EnhancedStatus status;   // none, or not of the action's class: that class and .0.0
  std::string remote_mta;  // host name; empty: none was talked to
  // What the remote said, any octets. A code of 0: it said nothing, and the text is ours.
  Reply reply;
  std::string explanation;  // in the language of the report; may be empty
  std::optional<Instant> last_attempt;
  std::optional<Instant> retry_until;  // said of what is delayed only
};

struct DeliveryReport {
  Language language = Language::english;
  std::string host;        // who reports; From is MAILER-DAEMON at it
  std::string to;          // the address to tell
  std::string message_id;  // of the report, in angle brackets
  Instant date;
  int date_offset_minutes = 0;  // east of UTC

  // Of the mail that is reported on. What is missing or cannot be said is left out.
  std::string envelope_id;  // without xtext
  std::optional<Instant> arrival;
  std::string message_id_of_mail;   // in angle brackets
  std::string subject_of_mail;      // decoded; any octets
  std::int64_t number_of_mail = 0;  // as the reply that took it said; 0: it said none
  DsnReturn returned = DsnReturn::unspecified;
  // From its first octet on: all of it, or at least its header section. Lives as long as the call.
  std::string_view mail;
  bool mail_is_whole = false;

  std::vector<ReportedRecipient> recipients;
};

inline constexpr std::size_t kReportedRecipientsMax = 100;  // who comes behind is only counted
inline constexpr std::size_t kReportedTextOctetsMax = 600;  // of a reply, or of an explanation
// A larger mail comes back as its header section, and of that not more than this.
inline constexpr std::size_t kReturnedMailOctetsMax = 50'000;
inline constexpr std::size_t kReturnedHeadOctetsMax = 20'000;

inline constexpr std::size_t kDeliveryReportOctetsMax = 1'000'000;

// The whole message: 7 bits, lines of at most 990 octets that end with CRLF; the same octets for
// the same report. No octet of a reply, of an address or of the mail can change its structure.
// The mail comes back whole if something failed and it fits, unless only its header section is
// asked for (RFC 3461 section 4.3). Of one that is 8-bit, or has longer lines, the parts that are
// so come encoded (seven_bit.h); one whose header section is UTF-8 comes by RFC 6532; of one with
// which neither can be done, only the header section does. Errors: invalid_input if there is no
// recipient, `to` is no address, or `host` or `message_id` cannot stand in a field.
[[nodiscard]] Result<std::string> compose_delivery_report(const DeliveryReport& report);

}  // namespace todoku::mime
