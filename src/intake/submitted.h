// SPDX-License-Identifier: Apache-2.0
// A message that was submitted whole (RFC 6409), after its reader has gone through it and while its
// octets are on their way into the store.
#pragma once

#include <optional>
#include <vector>

#include "intake/submission/reader.h"
#include "mail/labels.h"
#include "mail/states.h"
#include "store/deliveries.h"
#include "store/recipients.h"
#include "store/smtp_credentials.h"

namespace todoku::intake {

struct SubmittedMail {
  submission::Submitted submitted;
  store::RelayedContent relayed;
  // As the client named them; at least one. Doubles are one recipient: the first.
  std::vector<store::NewRecipient> recipients;
  std::optional<TrafficClass> traffic;  // nullopt: as the message looks
  std::optional<Purpose> purpose;       // likewise
  store::SmtpCredentialKey credential{};
};

}  // namespace todoku::intake
