// SPDX-License-Identifier: Apache-2.0
#include "inbound/complaint.h"

#include "feedback/parse/mail_parts.h"
#include "inbound/addressee.h"

namespace todoku::inbound {

std::optional<RecipientToken> mail_complained_of(std::string_view octets,
                                                 const InboundOptions& options,
                                                 std::string_view secret) {
  const auto mail = feedback::parse::read_mail(octets);
  if (!mail) return std::nullopt;
  for (const feedback::parse::MailPart& part : mail->parts) {
    const bool is_report = part.type == "message/feedback-report";
    const auto fields = is_report ? feedback::parse::read_fields(part.text) : part.fields;
    const auto token = return_path_in(
        fields.first(is_report ? "original-mail-from" : "return-path"), options, secret);
    if (token) return token;
  }
  return std::nullopt;
}

}  // namespace todoku::inbound
