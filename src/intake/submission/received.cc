// SPDX-License-Identifier: Apache-2.0
// What a relay says of a message itself: where it got it, and what kind of mail it is.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/bytes.h"
#include "intake/submission/reader.h"
#include "mime/date.h"

namespace todoku::intake::submission {

std::string received_field(const ReceivedFacts& facts) {
  // RFC 3848: ESMTP with S for TLS and A for AUTH; RFC 6531 section 4.3: UTF8SMTP. SMTP is SMTP.
  std::string with = facts.smtputf8 ? "UTF8SMTP" : (facts.esmtp ? "ESMTP" : "SMTP");
  if (facts.by_request) with = "HTTP";
  const bool is_extended = !facts.by_request && with != "SMTP";
  if (is_extended && !facts.tls.empty()) with += 'S';
  if (is_extended && facts.authenticated) with += 'A';
  std::string from = facts.hello.empty() ? "unknown" : facts.hello.substr(0, 255);
  std::ranges::replace_if(
      from, [](char c) { return c <= ' ' || c > '~' || c == '(' || c == ')' || c == ';'; }, '?');
  std::string field = "Received: from " + from;
  if (!facts.client.empty()) {
    const bool is_v6 = facts.client.contains(':');
    field += fmt::format("\r\n ([{}{}])", is_v6 ? "IPv6:" : "", facts.client);
  }
  if (facts.user) field += fmt::format("\r\n (uid {})", *facts.user);
  field += fmt::format("\r\n by {} with {}", facts.hostname, with);
  if (!facts.tls.empty()) field += fmt::format("\r\n (using {})", facts.tls);
  if (!facts.recipient.empty() && is_ascii(facts.recipient)) {
    field += fmt::format("\r\n for <{}>", facts.recipient);
  }
  field += ";\r\n ";
  mime::append_date(field, facts.now, 0);
  return field += "\r\n";
}

MailClass classify(const Submitted& message, std::optional<TrafficClass> said,
                   std::size_t recipients) {
  const bool for_many = message.looks_like_list || recipients > kRecipientsOfOneMax;
  const TrafficClass traffic =
      said.value_or(for_many ? TrafficClass::bulk : TrafficClass::transactional);
  const bool is_mailing = said ? traffic == TrafficClass::bulk : for_many;
  return {traffic, is_mailing ? Purpose::advertisement : Purpose::by_type};
}

}  // namespace todoku::intake::submission
