// SPDX-License-Identifier: Apache-2.0
// What is kept of one address: told to whom it belongs, or erased (docs/personal-data.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mail/content.h"
#include "mail/labels.h"
#include "store/store.h"

namespace todoku::operate {

// Who asks, from where: for the audit.
struct Asker {
  std::string actor = "operator";
  std::string origin = "admin socket";
};

struct PersonalRequest {
  std::string address;
  std::string account;  // empty: of all
  std::string after;    // PersonalPage::next of the page before; empty: the beginning
  bool with_insert_codes = true;
  Asker asker = {};
};

// A mail to the address. Its content is not among it: of bulk it is everybody's, and whoever may
// see content asks for it as such.
struct PersonalMail {
  store::Story story;
  std::vector<InsertCode> insert_codes;
  Labels labels;
  std::string credential;  // of the relay's user by whom it came; empty: by the API
  std::optional<store::OpenRecord> opens;
};

struct PersonalStop {
  std::string account;  // empty: of the installation's list
  store::Suppression entry;
};

struct PersonalRemoval {
  std::string account;  // likewise
  store::SuppressionChange change;
};

// A page: mails first, newest first, then what lists say, account by account. It may be empty and
// not be the last.
struct PersonalPage {
  std::string address;
  std::vector<PersonalMail> mails;
  std::vector<PersonalStop> stops;
  std::vector<PersonalRemoval> removals;
  std::string next;  // where to go on; empty: that was all
};

struct ErasureRequest {
  std::string address;
  std::string account;  // empty: of all
  std::string after;    // Erasure::next of the part before; empty: the beginning
  bool stop = false;    // what has not gone out is cancelled first
  Asker asker = {};
};

// A mail that could not be erased.
struct MailOnItsWay {
  std::string account;
  store::PublicId delivery_id = 0;
  store::PublicId email_id = 0;
  RecipientState state = RecipientState::pending;
  // It is over, but mail to others whose header names it is not.
  bool others_wait = false;
};

// A part: mails first, newest first, then lists. Each is one short commit; whoever is interrupted
// begins again, and what is erased already is not found any more.
struct Erasure {
  std::string address;
  std::int64_t erased = 0;           // mails
  std::int64_t stopped = 0;          // of these, that were cancelled for it
  std::int64_t contents_erased = 0;  // deliveries in which nobody else was
  std::int64_t contents_kept = 0;    // that others got, too, and that may name the address
  std::vector<MailOnItsWay> on_their_way;
  store::ErasedStops stops;
  std::int64_t exports = 0;  // whose files are removed
  std::string next;          // where to go on; empty: that was all
};

struct AuditRequest {
  std::string since;    // "2026-04-01T09:00:00+09:00"; empty: since ever
  std::string address;  // of whom it was about; empty: of anybody
  std::int64_t after = 0;
  std::int64_t limit = 100;
  std::optional<store::AccountKey> account = {};  // nullopt: of all; not with an address
  bool newest_first = false;
};

struct AuditLine {
  std::string account;  // its name; empty: none, or it is gone
  store::AuditEntry entry;
};

struct AuditPage {
  std::vector<AuditLine> lines;
  std::int64_t next = 0;  // 0: that was all
};

}  // namespace todoku::operate
