// SPDX-License-Identifier: Apache-2.0
// What a report says (mime/delivery_report.h) of a mail and of its recipients, made of what the
// store knows of them, and whether its sender is told at all.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/result.h"
#include "delivery/policy/notify_policy.h"
#include "events/reports/reader_state.h"
#include "mail/attempt.h"
#include "mime/delivery_report.h"
#include "store/store.h"

namespace todoku::events::reports {

// What an outcome means, for people.
using Meaning = std::function<std::string(const Outcome& outcome, Language language)>;
// Whether an address at this domain is the account's to be told at. `from_domain`: of the mail's
// From, which was accepted as the account's.
using IsAccounts = std::function<bool(store::AccountKey account, std::string_view domain,
                                      std::string_view from_domain)>;

struct ReportedMail {
  store::Delivery delivery;
  std::string account;    // its name
  std::string octets;     // all of them, or the header section
  bool is_whole = false;  // they are all
  bool reports_wanted = true;
  // Of its header section, unfolded and decoded.
  std::vector<std::string> auto_submitted;  // of each such field
  std::string content_type;
  std::string message_id;

  [[nodiscard]] const RelayedEnvelope& envelope() const { return *delivery.content.relayed; }
  // From when waiting counts.
  [[nodiscard]] Instant start() const { return delivery.started.value_or(delivery.created); }
};

// As much of the mail as may come back. Errors: not_found (it was deleted), corrupt (it is not
// relayed), of the store.
[[nodiscard]] Result<ReportedMail> read_mail(store::ReadTransaction& transaction,
                                             store::DeliveryKey key);

struct ReportedStory {
  store::Story story;
  std::vector<InsertCode> wishes;  // NOTIFY, ORCPT
};

// Errors: not_found, of the store.
[[nodiscard]] Result<ReportedStory> read_story(store::ReadTransaction& transaction,
                                               const store::RecipientKey& key);

[[nodiscard]] delivery::policy::Untold untold_because(const ReportedMail& mail,
                                                      const IsAccounts& is_accounts);

// Japanese where its subject or its sender's name is, or its charset; else English.
[[nodiscard]] Language language_of(const ReportedMail& mail);

// nullopt: nothing is to be told (any more).
[[nodiscard]] std::optional<mime::ReportedRecipient> reported_recipient(
    const ReportedMail& mail, const ReportedStory& recipient, const Concerned& what,
    const delivery::policy::NotifyOptions& options, const Meaning& meaning);

}  // namespace todoku::events::reports
