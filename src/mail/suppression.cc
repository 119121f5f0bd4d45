// SPDX-License-Identifier: Apache-2.0
#include "mail/suppression.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "mail/address.h"
#include "mail/invisible.h"

namespace todoku {

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::hard_error:
      return "hard_error";
    case StopReason::complaint:
      return "complaint";
    case StopReason::unsubscribe:
      return "unsubscribe";
    case StopReason::manual:
      return "manual";
    case StopReason::imported:
      return "imported";
  }
  return "";
}

std::string_view to_string(StopScope scope) {
  switch (scope) {
    case StopScope::all:
      return "all";
    case StopScope::advertisements:
      return "advertisements";
    case StopScope::list:
      return "list";
  }
  return "";
}

std::optional<StopReason> parse_stop_reason(std::string_view word) {
  for (const StopReason reason :
       {StopReason::hard_error, StopReason::complaint, StopReason::unsubscribe, StopReason::manual,
        StopReason::imported}) {
    if (word == to_string(reason)) return reason;
  }
  return std::nullopt;
}

std::optional<StopScope> parse_stop_scope(std::string_view word) {
  for (const StopScope scope : {StopScope::all, StopScope::advertisements, StopScope::list}) {
    if (word == to_string(scope)) return scope;
  }
  return std::nullopt;
}

std::string subject_of_address(std::string_view canonical) {
  return to_ascii_lower(canonical);
}

Result<std::string> stop_subject(std::string_view text) {
  text = trim_invisible(text);
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || at == 0) {
    auto domain = to_ascii_domain(at == 0 ? text.substr(1) : text);
    if (!domain) return fail(std::move(domain.error()));
    if (!domain->contains('.')) {
      return fail(ErrorKind::invalid_input, "is neither an address nor a domain");
    }
    return "@" + *domain;
  }
  const auto address = parse_address(text);
  if (!address) return fail(address.error());
  return subject_of_address(address->to_string());
}

std::string_view domain_subject(std::string_view subject) {
  const auto at = subject.rfind('@');
  return at == std::string_view::npos ? std::string_view() : subject.substr(at);
}

Outcome dropped_for(StopReason reason) {
  std::string_view why;
  switch (reason) {
    case StopReason::hard_error:
      why = "mail to this address has failed for good before, so that it is stopped";
      break;
    case StopReason::complaint:
      why = "its reader has complained about mail of this kind";
      break;
    case StopReason::unsubscribe:
      why = "its reader has unsubscribed from mail of this kind";
      break;
    case StopReason::manual:
      why = "it was put on the suppression list by hand";
      break;
    case StopReason::imported:
      why = "it came onto the suppression list by an import";
      break;
  }
  return {.state = RecipientState::dropped,
          .stage = Stage::none,
          .reply = {kSuppressedCode, fmt::format("(errors) not sent: {}", why)},
          .is_attempt = false,
          .cause = Cause::suppressed};
}

}  // namespace todoku
