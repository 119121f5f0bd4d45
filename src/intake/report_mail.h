// SPDX-License-Identifier: Apache-2.0
// A report on mail of an account (RFC 3464), which the engine itself hands in.
#pragma once

#include <string>

#include "base/result.h"
#include "store/store.h"

namespace todoku::intake {

struct ReportMail {
  store::AccountKey account{};
  std::string from;     // address in the header; the envelope has the null sender
  std::string to;       // the one recipient
  std::string subject;  // UTF-8, as logs show it
  std::string octets;   // the whole message, of 7 bits (mime/delivery_report.h)
};

// Registers it as a transactional delivery of type SMTP that begins at once, from the null sender,
// and of which nobody is told anything (RFC 3461 section 6.1: NOTIFY=NEVER). No limit of the
// account is asked. Part of the caller's transaction. Errors: invalid_input (`to` is no address),
// of the store.
[[nodiscard]] Result<store::Delivery> keep_report(store::WriteTransaction& transaction,
                                                  const ReportMail& report);

}  // namespace todoku::intake
