// SPDX-License-Identifier: Apache-2.0
// Events: what changed the story of recipients and deliveries, in an order that skips nothing
// (docs/adr/0014). The store writes them in the commits that make them true; here they are read.
// Logs, webhooks and live views are readers of these and parse no reply again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/attached.h"
#include "mail/attempt.h"
#include "mail/labels.h"
#include "mail/states.h"
#include "store/event_sheet.h"
#include "store/keys.h"

namespace todoku::store {

// What the events of one delivery have in common.
struct EventDelivery {
  PublicId id = 0;
  DeliveryType type = DeliveryType::transaction;
  std::string subject;
  Labels labels;
  bool sandbox = false;  // of an account for trials
};

struct EventRecord {
  EventPlace place;
  AccountKey account{};
  SheetEntry entry;
  // The delivery was deleted: of what follows nothing is known any more.
  bool is_gone = false;
  // Never null; shared by the events of a page.
  std::shared_ptr<const EventDelivery> delivery = no_delivery();
  // Of one recipient.
  PublicId log_id = 0;  // email_id, which is maillog_id
  std::string address;
  Attached attached;
  // Of an outcome: the receiver's words, or ours, and where they were said.
  Stage stage = Stage::none;
  std::string reply;
  std::shared_ptr<const Path> path = no_path();  // never null
  bool sender_to_tell = false;                   // Outcome's
  // Of what comes after a receiver's word (a complaint, a mail that came back): the way by which
  // the receiver took it, or else of the last attempt; and whether it had been taken, as `sent`
  // told.
  std::shared_ptr<const Path> taken = no_path();  // never null
  bool was_sent = false;

  [[nodiscard]] static const std::shared_ptr<const EventDelivery>& no_delivery();
  [[nodiscard]] static const std::shared_ptr<const Path>& no_path();
};

// A reader begins after EventPlace{}, which is before everything, or after last_event_place().
struct EventQuestion {
  std::optional<AccountKey> account;  // nullopt: the whole installation, by place and account
  EventPlace after;
  AccountKey after_account{};  // of the whole installation: whose event stands there
  std::int64_t limit = 100;
  std::vector<EventKind> kinds;         // empty: all
  std::optional<DeliveryKey> delivery;  // about this one
  std::string address;                  // canonical; empty: all
  std::string tag;                      // empty: all; else of deliveries that have it
  // Of deliveries of that type alone; of others nothing but that is read.
  std::optional<DeliveryType> type = {};
  bool or_tagged = false;  // with a type: and of deliveries of any type that have tags
};
// Whether the events of such a delivery are asked for, by what is said of deliveries alone.
[[nodiscard]] inline bool asks_for(const EventQuestion& question, const EventDelivery& delivery) {
  return !question.type || delivery.type == *question.type ||
         (question.or_tagged && !delivery.labels.tags.empty());
}

// A page costs no more than its limit, or as much as kEventsLooked events where conditions leave
// some out: it may be short, or empty, and not be the last.
struct EventPage {
  std::vector<EventRecord> events;
  EventPlace next;  // to go on after: if nothing follows, after all that can be read now
  AccountKey next_account{};
  bool more = false;  // something follows already
  // What followed the place asked for may be deleted: retention went past it. The page begins with
  // the first that is kept.
  bool lost = false;
  // Events of kinds that only a later version knows: passed over.
  std::int64_t unknown = 0;
};

inline constexpr std::int64_t kEventsLimitMax = 1'000;
inline constexpr std::int64_t kEventsLooked = 10'000;

class EventReads {
 public:
  virtual ~EventReads() = default;
  [[nodiscard]] virtual Result<EventPage> events(const EventQuestion& question) = 0;
  // After which comes only what is not to be read yet.
  [[nodiscard]] virtual Result<EventPlace> last_event_place() = 0;
  // Whose commits stand behind the commit of `after` and not behind that of `until`, in order, each
  // once, so that of many readers only those are woken. nullopt: there are more than `sheets_max`,
  // and everybody is woken.
  [[nodiscard]] virtual Result<std::optional<std::vector<AccountKey>>> accounts_told(
      const EventPlace& after, const EventPlace& until, std::int64_t sheets_max) = 0;
};

class EventWrites {
 public:
  virtual ~EventWrites() = default;
  // Of what a recipient did that changes no state: complained, unsubscribed. Part of the commit.
  virtual void tell_of_recipient(EventKind kind, AccountKey account, const RecipientKey& key) = 0;
  // Deletes about `sheets` of what was committed before that instant, the oldest first. False when
  // none is left.
  [[nodiscard]] virtual Result<bool> drop_events(Instant before, std::int64_t sheets) = 0;
  // Another history begins: the store was restored, and places of what it has forgotten would be
  // used again.
  [[nodiscard]] virtual Result<void> begin_event_generation() = 0;
};

}  // namespace todoku::store
