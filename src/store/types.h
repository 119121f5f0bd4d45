// SPDX-License-Identifier: Apache-2.0
// The records of the store in the words of the domain. Times are wall-clock milliseconds in UTC.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "mail/attempt.h"
#include "mail/content.h"
#include "mail/states.h"

namespace todoku::store {

// Internal keys: 64 bits, never shown outside. The public ids below are what the API speaks.
enum class AccountKey : std::int64_t {};
enum class DeliveryKey : std::int64_t {};

// Public ids: per account, increasing, from 1, below 2^31 until that is used up, then up to 2^53.
// One number space each for deliveries, recipients (email_id, which is also maillog_id) and jobs.
using PublicId = std::int64_t;

struct BatchKey {
  DeliveryKey delivery{};
  std::uint32_t batch = 0;
  friend auto operator<=>(const BatchKey&, const BatchKey&) = default;
};

struct RecipientKey {
  DeliveryKey delivery{};
  std::uint32_t batch = 0;
  std::uint32_t seq = 0;  // position within the batch
  friend auto operator<=>(const RecipientKey&, const RecipientKey&) = default;
};

// ---- accounts ----------------------------------------------------------------------------------

struct Account {
  AccountKey key{};
  std::string name;          // the login id of the contract; unique
  std::uint32_t weight = 1;  // share of the engine relative to other accounts, 1..1000
  bool suspended = false;    // no request is accepted, nothing new is started
  Instant created{};
};

struct ApiKey {
  std::int64_t id = 0;
  std::string label;
  Instant created{};
  std::optional<Instant> revoked;
};

// A DKIM key of an account, for From domains equal to `domain` or below it.
struct DkimKey {
  AccountKey account{};
  std::string domain;
  std::string selector;
  std::string algorithm;           // "rsa-sha256" or "ed25519-sha256"
  std::string sealed_private_key;  // encrypted under the master key; the store cannot read it
  std::string dns_record;          // the TXT value to publish
  Instant created{};
};

// ---- deliveries --------------------------------------------------------------------------------

struct NewDelivery {
  AccountKey account{};
  DeliveryType type = DeliveryType::transaction;
  TrafficClass traffic = TrafficClass::transactional;
  Content content;
  bool at_most_once = false;
};

struct NewRecipient {
  std::string address;  // canonical: Address::to_string()
  std::string domain;   // Address::domain
  std::vector<InsertCode> insert_codes;
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
};

// A delivery without the data of its attachments and without its recipients.
struct Delivery {
  DeliveryKey key{};
  AccountKey account{};
  PublicId id = 0;
  DeliveryType type = DeliveryType::transaction;
  TrafficClass traffic = TrafficClass::transactional;
  DeliveryStatus status = DeliveryStatus::edit;
  bool at_most_once = false;
  Content content;  // attachments: empty, see `attachments`
  std::vector<AttachmentRecord> attachments;
  DeliveryCounts counts;
  Instant created{};
  Instant updated{};
  std::optional<Instant> reservation;  // when it is to start
  std::optional<Instant> started;      // delivery_time: Date and the signatures' t= come from it
  std::optional<Instant> finished;
  std::string signing;         // selectors pinned at the start, opaque to the store
  std::string failure_reason;  // for status failed
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
  std::vector<DeliveryStatus> statuses;
  std::vector<DeliveryType> types;
  std::optional<Instant> delivery_start;  // inclusive
  std::optional<Instant> delivery_end;    // inclusive
  std::vector<DeliverySort> sort;         // empty: newest first
  std::int64_t limit = 100;
  std::int64_t offset = 0;
};

// Orders in which the deliveries of an account can be gone through without sorting them.
enum class DeliveryOrder : std::uint8_t { newest_first, start_ascending, start_descending };

// Where going through deliveries goes on. Opaque.
struct DeliveryPlace {
  std::int64_t started_ms = 0;
  std::int64_t number = 0;
};

struct DeliveryMatch {
  DeliveryKey key{};
  PublicId id = 0;
  std::optional<Instant> started;
  Instant updated{};
};

// One short question's share of going through the deliveries of an account.
struct DeliveryStretch {
  std::vector<DeliveryMatch> matches;
  std::optional<DeliveryPlace> next;  // nullopt: there are no more
  std::int64_t effort = 0;            // what it cost, in deliveries looked at
};

// ---- recipients --------------------------------------------------------------------------------

struct Recipient {
  RecipientKey key;
  PublicId id = 0;           // email_id
  PublicId delivery_id = 0;  // public id of its delivery
  DeliveryStatus delivery_status = DeliveryStatus::edit;
  std::string address;
  std::vector<InsertCode> insert_codes;
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

// Everything there is to tell about one recipient.
struct Story {
  std::string account;
  PublicId delivery_id = 0;
  PublicId email_id = 0;
  DeliveryType type = DeliveryType::transaction;
  DeliveryStatus delivery_status = DeliveryStatus::edit;
  std::string subject;
  std::string from;
  std::string address;
  Instant created{};
  std::optional<Instant> reservation;
  std::optional<Instant> started;
  RecipientState state = RecipientState::pending;
  std::optional<Instant> due;  // next attempt, when deferred
  std::vector<Attempt> attempts;
};

// Stories found by one short question.
struct StoryPage {
  std::vector<Story> stories;
  std::optional<std::int64_t> next;  // where to go on; nullopt: there are no more. Opaque
};

// ---- work --------------------------------------------------------------------------------------

// Identifies one run of the engine: leases of an earlier run are void at start-up.
using Holder = std::uint64_t;

struct DueBatch {
  BatchKey key;
  AccountKey account{};
  TrafficClass traffic = TrafficClass::transactional;
  std::string domain;
  std::uint32_t recipients = 0;  // not terminal yet
  Instant due{};
};

// What work is offered from: one bulk delivery, or (nullopt) all transactional ones together.
using Workload = std::optional<DeliveryKey>;

// Of a domain with more batches due than this, due_domains() gives the first ones only.
inline constexpr std::int64_t kDueBatchesGiven = 4;

// A domain of a workload that has recipients due.
struct DueDomain {
  std::string domain;             // empty: batches shared by small domains
  std::vector<DueBatch> batches;  // earliest first
  bool more = false;              // due_batches() may know more
};

// One short question's share of the domains of a workload.
struct DueDomains {
  std::vector<DueDomain> domains;
  std::optional<std::string> next;  // the domain to go on after; nullopt: there are no more
  std::optional<Instant> upcoming;  // when something else becomes due, or loses its lease
};

struct LeasedRecipient {
  std::uint32_t seq = 0;
  std::string address;
  std::vector<InsertCode> insert_codes;
  std::uint16_t attempts = 0;  // made so far
};

struct LeasedBatch {
  BatchKey key;
  AccountKey account{};
  TrafficClass traffic = TrafficClass::transactional;
  std::string domain;
  std::uint64_t token = 0;  // fencing token: grows with every claim of this batch
  Instant lease_until{};
  std::vector<LeasedRecipient> recipients;  // those due at the time of the claim, by seq
};

struct OutcomeRecord {
  RecipientKey key;
  Instant at{};
  Milliseconds duration{};
  Outcome outcome;
  Path path;
  std::optional<Instant> due;  // required for deferred, else empty
};

struct OutcomesRecorded {
  std::int64_t recorded = 0;
  // Facts that came too late to change a terminal state; their attempt is kept in the story.
  std::int64_t superseded = 0;
  std::vector<DeliveryKey> finished;  // deliveries whose last recipient this settled
};

struct BatchReleased {
  bool done = false;            // every recipient of the batch is in a terminal state
  std::optional<Instant> next;  // when the batch is due again
};

// ---- imports -----------------------------------------------------------------------------------

// Stored as these numbers: never renumber.
enum class ImportStatus : std::uint8_t { running = 1, finished = 2, failed = 3, system_error = 4 };

struct ImportJob {
  PublicId id = 0;
  AccountKey account{};
  DeliveryKey delivery{};
  PublicId delivery_id = 0;
  ImportStatus status = ImportStatus::running;
  bool ignore_errors = false;
  bool immediate = false;
  std::int32_t percentage = 0;
  std::int64_t success_count = 0;
  std::int64_t failed_count = 0;
  std::int64_t total_count = 0;
  std::string upload_file;  // relative to the data directory, gone once the job has ended
  std::string error_file;   // relative to the data directory, empty if there were no errors
  Instant created{};
};

struct ImportEnd {
  ImportStatus status = ImportStatus::finished;
  std::int64_t success_count = 0;
  std::int64_t failed_count = 0;
  std::int64_t total_count = 0;
  std::string error_file;
};

// ---- figures -----------------------------------------------------------------------------------

struct QueueFigures {
  TrafficClass traffic = TrafficClass::transactional;
  std::int64_t waiting = 0;       // recipients of started deliveries not yet in a terminal state
  std::optional<Instant> oldest;  // earliest due among batches that nobody works on
};

}  // namespace todoku::store
