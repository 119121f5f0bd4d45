// SPDX-License-Identifier: Apache-2.0
// Recipients of drafts, and the story of each from its acceptance to its end.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/attached.h"
#include "mail/attempt.h"
#include "mail/content.h"
#include "mail/labels.h"
#include "mail/states.h"
#include "store/keys.h"
#include "store/marks.h"

namespace todoku::store {

struct NewRecipient {
  std::string address;                   // canonical: Address::to_string()
  std::string domain;                    // Address::domain
  std::vector<InsertCode> insert_codes;  // with what is attached (mail/attached.h)
};

struct Recipient {
  RecipientKey key;
  PublicId id = 0;           // email_id
  PublicId delivery_id = 0;  // public id of its delivery
  DeliveryType delivery_type = DeliveryType::bulk;
  DeliveryStatus delivery_status = DeliveryStatus::edit;
  std::string address;
  std::vector<InsertCode> insert_codes;  // without what is attached
  Attached attached;
  Instant created{};
  Instant updated{};
};

struct Attempt {
  std::uint16_t number = 0;  // from 1
  Instant at{};
  Milliseconds duration{};
  Outcome outcome;
  Path path;
};

// That a mail which had been taken still waits further on, as a returned mail says (RFC 3464
// section 2.3.3, `delayed`): recorded with OutcomeRecord::if_taken, it changes nothing.
[[nodiscard]] constexpr bool is_told_delay(const Outcome& outcome) {
  return outcome.state == RecipientState::deferred && outcome.stage == Stage::accepted &&
         !outcome.is_attempt;
}
// Of one recipient so many are kept.
inline constexpr std::size_t kToldDelaysMax = 3;

// Everything there is to tell about one recipient.
struct Story {
  std::string account;
  PublicId delivery_id = 0;
  PublicId email_id = 0;
  DeliveryType type = DeliveryType::transaction;
  DeliveryStatus delivery_status = DeliveryStatus::edit;
  std::string failure_reason;  // as in Delivery
  std::string subject;
  bool from_template = false;  // codes in braces are codes in its subject
  std::string from;
  Purpose purpose = Purpose::transactional;  // purpose_of()
  std::string address;
  Attached attached;
  Instant created{};
  std::optional<Instant> reservation;
  std::optional<Instant> started;
  std::optional<Instant> expires;
  RecipientState state = RecipientState::pending;
  std::optional<Instant> due;  // next attempt, when deferred
  bool set_aside = false;      // work.h: it waits for an operator
  std::vector<Attempt> attempts;
  // What servers behind told of its waiting there (is_told_delay()), earliest first.
  std::vector<Attempt> delays = {};
  RecipientKey key{};
  std::string signing;   // as in Delivery: empty if nothing signs it
  bool in_hand = false;  // a node holds its batch
  // Otherwise nobody takes its batch up before.
  std::optional<Instant> not_before;
  bool account_suspended = false;  // nobody takes it in hand
  bool delivery_paused = false;    // nor this one (course.h)
  std::string credential_held;     // nor any of this one, which is held; empty: it is not
  bool at_most_once = false;       // as in Delivery
  bool on_its_way = false;         // WorkWrites::mark_on_its_way
  // Where that was asked for (add_opens()).
  std::optional<Instant> opened;      // first by a reader
  std::optional<Instant> complained;  // of as spam, as the reader's provider told
};

// Stories found by one short question.
struct StoryPage {
  std::vector<Story> stories;
  std::optional<std::int64_t> next;  // where to go on; nullopt: there are no more. Opaque
};

class RecipientReads {
 public:
  virtual ~RecipientReads() = default;
  [[nodiscard]] virtual Result<Recipient> recipient(AccountKey account, PublicId email_id) = 0;
  // Stories of recipients with this canonical address, newest first, at most `limit`; of one
  // account if given; on from `from`. Look-up is by a hash of the address; a page may hold fewer
  // than `limit`, or none, and not be the last (StorySearch in walks.h).
  [[nodiscard]] virtual Result<StoryPage> stories(std::string_view address,
                                                  std::optional<AccountKey> account,
                                                  std::int64_t limit,
                                                  std::optional<std::int64_t> from) = 0;
  // The same of recipients that have a mark; of a reference those of the account that it names.
  [[nodiscard]] virtual Result<StoryPage> marked_stories(const Mark& mark,
                                                         std::optional<AccountKey> account,
                                                         std::int64_t limit,
                                                         std::optional<std::int64_t> from) = 0;
  [[nodiscard]] virtual Result<Story> story(const RecipientKey& key) = 0;
};

// Of drafts only: conflict in any other status, held by the delivery's row as in DeliveryWrites.
class RecipientWrites {
 public:
  virtual ~RecipientWrites() = default;
  // Adds recipients to a draft, sorted into batches by domain; returns their email ids in the order
  // given. Batches have 500 recipients at most; a domain with 50 or more recipients in one call
  // gets batches of its own, others share (and later small calls fill open batches).
  [[nodiscard]] virtual Result<std::vector<PublicId>> append_recipients(
      DeliveryKey key, std::span<const NewRecipient> recipients) = 0;
  [[nodiscard]] virtual Result<void> clear_recipients(DeliveryKey key) = 0;
  [[nodiscard]] virtual Result<void> change_recipient(const RecipientKey& key,
                                                      const NewRecipient& recipient) = 0;
  [[nodiscard]] virtual Result<void> remove_recipient(const RecipientKey& key) = 0;
  // As remove_recipient(), and also of a bulk that is to start (status reserve or wait), which goes
  // on as it was, whenever its owner moves it to. conflict: it has begun, is importing, or is a
  // transaction that is reserved, each recipient of which was told of already. Whoever is told of
  // an error undoes the transaction.
  [[nodiscard]] virtual Result<void> withdraw_recipient(const RecipientKey& key) = 0;
};

}  // namespace todoku::store
