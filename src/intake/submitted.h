// SPDX-License-Identifier: Apache-2.0
// A message that was submitted whole (RFC 6409), after its reader has gone through it and while its
// octets are on their way into the store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "intake/submission/reader.h"
#include "mail/content.h"
#include "mail/labels.h"
#include "mail/states.h"
#include "store/recipients.h"
#include "store/relayed.h"

namespace todoku::intake {

struct SubmittedMail {
  submission::Submitted submitted;
  RelayedEnvelope envelope;
  std::string octets;  // of the message as it goes on, unless it is in pieces
  std::optional<store::RelayedData> pieces = {};
  // As the client named them; at least one. Doubles are one recipient: the first.
  std::vector<store::NewRecipient> recipients;
  std::optional<TrafficClass> traffic;  // nullopt: as the message looks
  Purpose purpose = Purpose::by_type;   // by_type: likewise
  std::string credential;               // its user name
  // What has to be the same in a repeat besides the recipients. Empty of a session of SMTP, whose
  // clients write another Message-ID and Date when they try again; a request is repeated as it was.
  std::string same = {};
};

// What the reader has found of the octets, for those who send them.
void note_octets(const submission::Submitted& submitted, RelayedEnvelope& envelope);

}  // namespace todoku::intake
