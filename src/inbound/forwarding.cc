// SPDX-License-Identifier: Apache-2.0
#include "inbound/forwarding.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "mime/date.h"

namespace todoku::inbound {

Forwarded forwarded_mail(std::string_view octets, std::string_view client, std::string_view id,
                         Instant now, const InboundOptions& options) {
  const std::string& domain = options.domains.front();
  Forwarded mail{.from = "postmaster@" + domain,
                 .subject = fmt::format("Mail to abuse or postmaster at {}", domain),
                 .octets = {}};
  const std::string boundary = fmt::format("todoku-{}", id);
  std::string date;
  mime::append_date(date, now, 0);
  // RFC 3834 section 5: whoever answers by itself does not answer this.
  mail.octets = fmt::format(
      "From: <{0}>\r\nTo: <{1}>\r\nSubject: {2}\r\nDate: {3}\r\nMessage-ID: <{4}@{5}>\r\n"
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/mixed; boundary=\"{6}\"\r\n\r\n"
      "--{6}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
      "The enclosed mail came to an address of {5} that people write to about abuse and "
      "trouble.\r\n"
      "It was handed in by {7}.\r\n\r\n"
      "--{6}\r\nContent-Type: application/octet-stream; name=\"mail.eml\"\r\n"
      "Content-Disposition: attachment; filename=\"mail.eml\"\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n",
      mail.from, options.forward_to, mail.subject, date, id, domain, boundary, client);
  append_base64_lines(mail.octets, octets);
  mail.octets += fmt::format("--{}--\r\n", boundary);
  return mail;
}

}  // namespace todoku::inbound
