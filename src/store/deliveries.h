// SPDX-License-Identifier: Apache-2.0
// Deliveries: what is said, when it starts, what became of it as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/content.h"
#include "mail/labels.h"
#include "mail/pace.h"
#include "mail/states.h"
#include "store/approvals.h"
#include "store/course.h"
#include "store/keys.h"
#include "store/relayed.h"

namespace todoku::store {

struct NewDelivery {
  AccountKey account{};
  DeliveryType type = DeliveryType::transaction;
  TrafficClass traffic = TrafficClass::transactional;
  Content content;
  bool at_most_once = false;
  Labels labels = {};
  // How long it may be on its way once it has started, if that is less than is usual.
  std::optional<Milliseconds> life = {};
  // The data of the content's only attachment, which is empty there: of a relayed message that was
  // written as it came. not_found: not (any more) to be had, or of another size; nothing was made.
  std::optional<RelayedData> relayed_data = {};
  // Whose message it is, of one that came by SMTP with a credential.
  [[nodiscard]] std::optional<std::string_view> credential() const {
    if (!content.relayed || content.relayed->credential.empty()) return std::nullopt;
    return content.relayed->credential;
  }
};

struct DeliveryCounts {
  std::int64_t total = 0;
  std::int64_t delivered = 0;
  std::int64_t bounced = 0;
  std::int64_t dropped = 0;
  std::int64_t expired = 0;
  std::int64_t cancelled = 0;
  std::int64_t unknown = 0;
  std::int64_t deferred = 0;  // now waiting for another attempt
  [[nodiscard]] std::int64_t terminal() const {
    return delivered + bounced + dropped + expired + cancelled + unknown;
  }
};

struct AttachmentRecord {
  PublicId id = 0;  // delivery_attach_id
  std::string file_name;
  std::string mime_type;
  std::int64_t size = 0;
  Instant created{};
  std::string content_id = {};  // of a part that is inline
};

// A delivery without the data of its attachments and without its recipients.
struct Delivery {
  DeliveryKey key{};
  AccountKey account{};
  PublicId id = 0;
  DeliveryType type = DeliveryType::transaction;
  TrafficClass traffic = TrafficClass::transactional;
  DeliveryStatus status = DeliveryStatus::edit;
  Course course = Course::goes;  // once it goes out
  bool at_most_once = false;
  Labels labels;
  Content content;  // attachments: empty, see `attachments`
  std::vector<AttachmentRecord> attachments;
  DeliveryCounts counts;
  Instant created{};
  Instant updated{};
  std::optional<Instant> reservation;  // when it is to start
  std::optional<Instant> started;      // delivery_time: Date and the signatures' t= come from it
  std::optional<Instant> expires;      // nothing of it is sent after; set when it starts
  std::optional<Instant> finished;
  std::string signing;         // selectors pinned at the start, opaque to the store
  std::string failure_reason;  // for status failed
};

// A delivery whose time has come, and by how long that is over.
struct StartingDelivery {
  Delivery delivery;  // its head
  Milliseconds late{};
  // It waited for approval until now (approvals.h): it is not to start, but to fail.
  bool lapsed = false;
};

// What is reserved for later: nothing of it is in QueueFigures yet.
struct ReservedWork {
  std::int64_t deliveries = 0;
  std::int64_t recipients = 0;
  std::optional<Instant> first;  // when the first of them begins
  bool more = false;             // there are more than were looked at
};
inline constexpr std::int64_t kReservedLookedAt = 1'000;

// A bulk delivery that is going out: what it takes to choose between them.
struct SendingDelivery {
  DeliveryKey key{};
  AccountKey account{};
  std::uint32_t weight = 1;   // of its account
  Milliseconds expires_in{};  // of its life, when it was read; may be negative
  // By its sender's word (steering.h): how fast, how long nothing of it may be begun, and until the
  // next quiet hours, of which it must be told when they end as soon as that is over
  // (move_window); negative: it is.
  std::optional<Pace> pace = {};
  Milliseconds waits{};
  std::optional<Milliseconds> open_for = {};
};

// What an update of a draft changes; nullopt leaves a field as it is.
struct DraftChange {
  std::optional<Mailbox> from;
  std::optional<std::optional<Mailbox>> reply_to;
  std::optional<std::string> subject;
  std::optional<std::string> text_part;
  std::optional<std::string> html_part;
  std::optional<std::string> list_unsubscribe_mailto;
  std::optional<std::string> list_unsubscribe_url;
  std::optional<bool> list_unsubscribe_one_click = {};
  std::optional<std::vector<ExtraHeader>> headers;
  std::optional<std::vector<Attachment>> inline_parts = {};  // instead of those that there are
  std::optional<std::vector<std::string>> tags;
  std::optional<std::string> list_id;
  std::optional<Purpose> purpose;
};

// How a list is ordered; ids decide between equal times, in the same direction.
enum class DeliverySort : std::uint8_t {
  newest_first,
  delivery_time_ascending,
  delivery_time_descending,
  updated_time_ascending,
  updated_time_descending,
};

// All conditions must hold; an empty one always does. Texts match as substrings.
struct DeliveryFilter {
  AccountKey account{};
  std::string text_part;
  std::string html_part;
  std::string subject;
  std::string from;
  std::string list_unsubscribe_url;
  std::string list_unsubscribe_mailto;
  std::string tag;  // a whole one
  std::vector<DeliveryStatus> statuses;
  std::vector<DeliveryType> types;
  std::optional<bool> stopped;            // by its owner while it went out; nullopt: or not
  std::optional<Instant> delivery_start;  // inclusive
  std::optional<Instant> delivery_end;    // inclusive
  std::vector<DeliverySort> sort;         // empty: newest first
  std::int64_t limit = 100;
  std::int64_t offset = 0;
};

// Orders in which the deliveries of an account can be gone through without sorting them: by the
// store's time and then by key, because ids of several nodes are not in the order of time.
enum class DeliveryOrder : std::uint8_t { newest_first, start_ascending, start_descending };

// Where going through deliveries goes on. Opaque.
struct DeliveryPlace {
  std::int64_t time_ms = 0;
  std::int64_t number = 0;
};

struct DeliveryMatch {
  DeliveryKey key{};
  PublicId id = 0;
  Instant created{};
  std::optional<Instant> started;
  Instant updated{};
};

// One short question's share of going through the deliveries of an account.
struct DeliveryStretch {
  std::vector<DeliveryMatch> matches;
  std::optional<DeliveryPlace> next;  // nullopt: there are no more
  std::int64_t effort = 0;            // what it cost, in deliveries looked at
};

class DeliveryReads {
 public:
  virtual ~DeliveryReads() = default;
  [[nodiscard]] virtual Result<Delivery> delivery(AccountKey account, PublicId id) = 0;
  [[nodiscard]] virtual Result<Delivery> delivery(DeliveryKey key) = 0;
  // The same without texts, header addresses and attachments: its content says who sends and the
  // subject. Cheap, however large the content is.
  [[nodiscard]] virtual Result<Delivery> delivery_head(AccountKey account, PublicId id) = 0;
  [[nodiscard]] virtual Result<Delivery> delivery_head(DeliveryKey key) = 0;
  // Several heads by one statement, in the order given; those that are not there are left out.
  [[nodiscard]] virtual Result<std::vector<Delivery>> delivery_heads(
      std::span<const DeliveryKey> keys) = 0;
  // Goes through an account's deliveries in `order`, on from `from`, for as long as a question may
  // take or until `wanted` match. Sorting, limit and offset of `filter` are for DeliveryList.
  [[nodiscard]] virtual Result<DeliveryStretch> match_deliveries(const DeliveryFilter& filter,
                                                                 DeliveryOrder order,
                                                                 std::optional<DeliveryPlace> from,
                                                                 std::int64_t wanted) = 0;
  // The content with the data of its attachments, for composing.
  [[nodiscard]] virtual Result<Content> content(DeliveryKey key) = 0;
  // Octets of the data of one attachment, by its place among the delivery's, for content that is
  // too large to be in memory as a whole. Reads these only. invalid_input: it has not so many.
  [[nodiscard]] virtual Result<std::string> attachment_part(DeliveryKey key, std::size_t which,
                                                            std::uint64_t offset,
                                                            std::size_t octets) = 0;
  // Drafts of an account (status edit or importing); stops counting at `most`.
  [[nodiscard]] virtual Result<std::int64_t> count_drafts(AccountKey account, DeliveryType type,
                                                          std::int64_t most) = 0;
  // Heads of deliveries in status reserve whose time has come, or in status wait, of accounts that
  // are not suspended; oldest first.
  // One statement, however many there are.
  [[nodiscard]] virtual Result<std::vector<StartingDelivery>> deliveries_to_start(
      std::int64_t limit) = 0;
  // How long until the next reservation is due, so that nobody has to poll.
  [[nodiscard]] virtual Result<std::optional<Milliseconds>> next_reservation() = 0;
  // Of the first kReservedLookedAt by their time.
  [[nodiscard]] virtual Result<ReservedWork> reserved_work() = 0;
  // Bulk deliveries in status sending, by key; of those that are paused, or of suspended accounts,
  // those alone whose life is over, so that they are given up. One statement.
  [[nodiscard]] virtual Result<std::vector<SendingDelivery>> sending_bulk() = 0;
};

// Of writers at once that change one delivery, its row decides: each change names in its condition
// the status that it relies on, and answers conflict if that is another by then.
class DeliveryWrites {
 public:
  virtual ~DeliveryWrites() = default;

  // A delivery in status edit, without recipients. What is returned has no content: it is the
  // caller's. limit_exceeded if the account has `drafts_max` drafts of this type already (counted
  // under the lock of the account's row, so that writers at once do not both find room); nullopt:
  // it does not stay a draft, and none is counted.
  [[nodiscard]] virtual Result<Delivery> create_draft(const NewDelivery& delivery,
                                                      std::optional<std::int64_t> drafts_max) = 0;
  [[nodiscard]] virtual Result<void> change_draft(DeliveryKey key, const DraftChange& change) = 0;

  // edit -> reserve (with a time) or wait (without). A bulk of an account whose rules say so waits
  // for approval (approvals.h); others go, whoever has asked.
  [[nodiscard]] virtual Result<void> commit_draft(DeliveryKey key,
                                                  std::optional<Instant> reservation,
                                                  const AskedBy& by) = 0;
  // reserve -> edit; of what waits for approval also from wait.
  [[nodiscard]] virtual Result<void> cancel_reservation(DeliveryKey key) = 0;
  // Of one in status reserve: another time, which voids an approval.
  [[nodiscard]] virtual Result<void> move_reservation(DeliveryKey key, Instant reservation,
                                                      const AskedBy& by) = 0;
  // reserve | wait -> sending: makes its batches due now, pins `signing`, and sets the end of its
  // life to `life_time` from now, or to NewDelivery::life if that is less. A delivery without
  // recipients goes to sent at once. conflict, too, while its account is suspended, where it was
  // moved to a later time, and where nobody has approved what has to be.
  [[nodiscard]] virtual Result<void> start_delivery(DeliveryKey key, std::string_view signing,
                                                    Milliseconds life_time) = 0;
  // reserve | wait -> failed; its recipients become cancelled.
  [[nodiscard]] virtual Result<void> fail_delivery(DeliveryKey key, std::string_view reason) = 0;
  // Takes the delivery out of every look-up at once; its rows go away by purge_deleted().
  [[nodiscard]] virtual Result<void> delete_delivery(DeliveryKey key) = 0;
  // Removes at most `rows` rows of deleted deliveries, discarded imports and expired suppressions,
  // and as many answers that are not to be kept any more (idempotency.h). False when none is left.
  [[nodiscard]] virtual Result<bool> purge_deleted(std::int64_t rows) = 0;
};

}  // namespace todoku::store
