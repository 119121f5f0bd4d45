// SPDX-License-Identifier: Apache-2.0
// What callers ask for, after their wire format has been read and before it has been checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "mail/attached.h"
#include "mail/content.h"
#include "store/keys.h"
#include "store/steering.h"
#include "store/templates.h"

namespace todoku::intake {

struct RecipientRequest {
  std::string email;
  std::vector<InsertCode> insert_codes;
  Attached attached = {};
};

// What is said of a delivery besides its content; nullopt: nothing.
struct LabelsRequest {
  std::optional<std::vector<std::string>> tags;
  std::optional<std::string> list_id;
  std::optional<std::string> purpose;  // a word of mail/labels.h
};

// The stored content that a delivery begins with. Intake puts it into the request's content, where
// the request says nothing of its own of it (from_template.h).
struct TemplateRequest {
  store::TemplateChoice choice;
  std::optional<Escape> escape;  // nullopt: as the template has it
};

struct BulkRequest {
  Content content;
  bool at_most_once = false;  // store/deliveries.h
  LabelsRequest labels;
  std::optional<bool> open_tracking;  // nullopt: as the account has it
  std::optional<TemplateRequest> from_template = {};
  store::SteeringChange steering = {};
};

struct TransactionRequest {
  Content content;                 // header_to and header_cc are filled by check_transaction()
  bool at_most_once = false;       // store/deliveries.h
  std::optional<Instant> send_at;  // nullopt: at once
  std::optional<Milliseconds> expires_in;  // how long it may be on its way, from its start
  std::string to;
  std::vector<std::string> more_to;  // beside it, of a door that takes several
  std::vector<std::string> cc;
  std::vector<std::string> bcc;
  std::vector<InsertCode> insert_codes;
  LabelsRequest labels;
  std::optional<bool> open_tracking;  // as above
  std::optional<TemplateRequest> from_template = {};
  std::optional<store::PublicId> resend_of =
      {};                  // the mail that this says once more (Intake::resend)
  Attached attached = {};  // to each of its recipients
};

// nullopt: the field was not given and stays as it is.
struct UpdateRequest {
  std::optional<Mailbox> from;
  std::optional<Mailbox> reply_to;
  std::optional<std::string> subject;
  std::optional<std::string> text_part;
  std::optional<std::string> html_part;
  std::optional<std::string> list_unsubscribe_mailto;
  std::optional<std::string> list_unsubscribe_url;
  std::optional<bool> list_unsubscribe_one_click;
  std::optional<std::vector<ExtraHeader>> headers;      // instead of those that there are
  std::optional<std::vector<Attachment>> inline_parts;  // likewise
  std::optional<std::vector<RecipientRequest>> to;
  std::optional<bool> at_most_once;  // what begin said of it stays: else a refusal
  LabelsRequest labels;
  store::SteeringChange steering = {};
  bool keep_duplicates = false;  // of `to`; else an address gets one mail, that of its first entry
};

}  // namespace todoku::intake
