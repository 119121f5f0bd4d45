// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/notify_policy.h"

#include <algorithm>

#include "base/bytes.h"

namespace todoku::delivery::policy {
namespace {

// Without the blanks and comments that it begins with (RFC 5322 section 3.2.2), which may nest and
// quote; a comment without an end is all there is.
std::string_view without_comments_before(std::string_view value) {
  std::size_t depth = 0;
  for (std::size_t at = 0; at < value.size(); ++at) {
    const char c = value[at];
    if (depth > 0 && c == '\\') {
      ++at;
    } else if (c == '(') {
      ++depth;
    } else if (depth > 0) {
      if (c == ')') --depth;
    } else if (!std::string_view(" \t\r\n").contains(c)) {
      return value.substr(at);
    }
  }
  return {};
}

// The first word of a structured field (RFC 3834 section 5, RFC 2045 section 5.1): behind comments,
// up to a parameter, a comment or white space.
std::string_view keyword_of(std::string_view value) {
  value = without_comments_before(value);
  return value.substr(0, std::min(value.find_first_of("; \t\r\n("), value.size()));
}

bool wants_delay(const RecipientFacts& recipient, const NotifyOptions& options) {
  return recipient.notify.is_specified() ? recipient.notify.on_delay() : options.delay_by_default;
}

}  // namespace

std::string_view to_string(Untold reason) {
  switch (reason) {
    case Untold::told:
      return "told";
    case Untold::null_sender:
      return "null_sender";
    case Untold::is_report:
      return "is_report";
    case Untold::foreign_sender:
      return "foreign_sender";
    case Untold::switched_off:
      return "switched_off";
  }
  return "told";
}

Untold untold_because(const MailFacts& mail) {
  if (mail.mail_from.empty()) return Untold::null_sender;
  if (mail.is_report) return Untold::is_report;
  if (!mail.sender_domain_is_accounts) return Untold::foreign_sender;
  return mail.reports_wanted ? Untold::told : Untold::switched_off;
}

bool is_report_mail(std::string_view auto_submitted, std::string_view content_type) {
  return equals_ignoring_case(keyword_of(auto_submitted), "auto-replied") ||
         equals_ignoring_case(keyword_of(content_type), "multipart/report");
}

Notice notice_for(const RecipientFacts& recipient, const NotifyOptions& options) {
  switch (recipient.state) {
    case RecipientState::bounced:
    case RecipientState::dropped:
    case RecipientState::expired:
    case RecipientState::unknown:  // nobody else will ever say so
      return recipient.notify.on_failure() ? Notice::failed : Notice::none;
    case RecipientState::delivered:
      return recipient.notify.on_success() && !recipient.receiver_reports ? Notice::relayed
                                                                          : Notice::none;
    case RecipientState::deferred:
      return delay_notice_in(recipient, options) == Milliseconds(0) ? Notice::delayed
                                                                    : Notice::none;
    case RecipientState::pending:
    case RecipientState::cancelled:  // by the sender itself
      break;
  }
  return Notice::none;
}

Milliseconds delay_notice_in(const RecipientFacts& recipient, const NotifyOptions& options) {
  if (recipient.delay_was_told || !wants_delay(recipient, options)) return Milliseconds(-1);
  return std::max(options.delay_after - recipient.age, Milliseconds(0));
}

}  // namespace todoku::delivery::policy
