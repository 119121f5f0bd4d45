// SPDX-License-Identifier: Apache-2.0
#include "store/log_search.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/bytes.h"

namespace todoku::store {
namespace {

// What one search may look at: batches, entries, stories. Some tenths of a second when nothing of
// it is in memory.
constexpr std::int64_t kLogEffortMax = 50'000;
// What one step may, so that no snapshot lasts.
constexpr std::int64_t kHitsPerStep = 1'000;
constexpr std::int64_t kLooksPerStep = 50;
// A story is half a dozen rows in as many places: of these only so many, lest a snapshot lasts
// while they are read from a slow disk.
constexpr std::int64_t kStoriesPerStep = 50;
constexpr std::int64_t kEntriesPerLook = 250;
// Recipients with an address that one step looks at, each somewhere else on the disk: first as many
// as are wanted; more where those were another account's, or none that the filter takes.
constexpr std::int64_t kAddressedLeast = 10;
constexpr std::int64_t kAddressedMost = 200;
constexpr std::int64_t kLateStartsMax = 200;
// Several nodes give out ids at once, so that what was registered in one moment lies not quite
// together (postgres/ids.h).
constexpr Milliseconds kSlack = std::chrono::minutes(1);
constexpr PublicId kNoBound = std::numeric_limits<PublicId>::max();

constexpr RecipientState kNotSentStates[] = {RecipientState::deferred,  RecipientState::bounced,
                                             RecipientState::dropped,   RecipientState::expired,
                                             RecipientState::cancelled, RecipientState::unknown};

std::unexpected<Error> too_much() {
  return fail(ErrorKind::limit_exceeded,
              "too many mails would have to be looked at; narrow the search by email, by "
              "delivery_id, by delivery_start and delivery_end, or by a status other than SENT");
}

template <class T>
bool holds(const std::vector<T>& wanted, const T& value) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

// An answer to the mail itself that was no refusal (RFC 5321 section 4.2.1).
bool is_positive(int code) {
  return code >= 200 && code < 300;
}

}  // namespace

int log_code(const Outcome& outcome) {
  constexpr int kSuppressed = 554;
  return outcome.cause == Cause::suppressed ? kSuppressed : outcome.reply.code;
}

const Attempt* deciding_attempt(const Story& story) {
  for (auto it = story.attempts.rbegin(); it != story.attempts.rend(); ++it) {
    if (it->outcome.state == story.state) return &*it;
  }
  return nullptr;
}

bool is_logged(const Story& story) {
  return story.started && deciding_attempt(story) != nullptr &&
         (story.delivery_status == DeliveryStatus::sending ||
          story.delivery_status == DeliveryStatus::sent);
}

bool LogSearch::in_span(Instant started) const {
  return (!filter_.start_from || started >= *filter_.start_from) &&
         (!filter_.start_to || started <= *filter_.start_to);
}

// Only a positive answer makes it sent.
bool LogSearch::may_be_sent() const {
  return holds(filter_.states, RecipientState::delivered) &&
         (filter_.codes.empty() || std::ranges::any_of(filter_.codes, is_positive));
}

std::vector<LogKey> LogSearch::keys() const {
  std::vector<LogKey> keys;
  if (!filter_.codes.empty()) {
    for (const int code : filter_.codes) keys.push_back({LogKey::By::code, code});
    return keys;
  }
  for (const RecipientState state : kNotSentStates) {
    if (holds(filter_.states, state)) {
      keys.push_back({LogKey::By::state, static_cast<std::int64_t>(state)});
    }
  }
  return keys;
}

bool LogSearch::takes(const LogHit& hit) const {
  return holds(filter_.states, hit.state) && holds(filter_.codes, hit.code);
}

bool LogSearch::takes(const LogBatch& batch) const {
  return batch.started && in_span(*batch.started) && holds(filter_.types, batch.type);
}

bool LogSearch::takes(const Story& story) const {
  if (!is_logged(story) || !in_span(*story.started)) return false;
  if (!holds(filter_.types, story.type) || !holds(filter_.states, story.state)) return false;
  if (filter_.delivery && story.delivery_id != *filter_.delivery) return false;
  if (!filter_.codes.empty()) {
    const Attempt* const last = deciding_attempt(story);
    if (!holds(filter_.codes, log_code(last->outcome))) return false;
  }
  if (filter_.mark && !has_mark(story.attached, *filter_.mark)) return false;
  return filter_.address.empty() || equals_ignoring_case(story.address, filter_.address);
}

std::int64_t LogSearch::wanted() const {
  return filter_.limit - static_cast<std::int64_t>(stories_.size());
}

bool LogSearch::in_ranges(PublicId id) const {
  const auto range = std::ranges::upper_bound(ranges_, id, {}, &LogRange::first);
  return range != ranges_.begin() && id < std::prev(range)->end;
}

void LogSearch::looked_down_to(PublicId id) {
  while (!ranges_.empty() && ranges_.back().first >= id) ranges_.pop_back();
  if (!ranges_.empty()) ranges_.back().end = std::min(ranges_.back().end, id);
}

Result<bool> LogSearch::step(ReadTransaction& transaction) {
  Result<void> done;
  switch (stage_) {
    case Stage::begin:
      done = begin(transaction);
      break;
    case Stage::late_starts:
      done = add_late_start(transaction);
      break;
    case Stage::order:
      put_in_order();
      stage_ = Stage::go;
      break;
    case Stage::go:
      done = go(transaction);
      break;
  }
  if (!done) return fail(std::move(done.error()));
  if (stage_ != Stage::go) return false;
  if (wanted() <= 0 || (ranges_.empty() && found_.empty())) return true;
  if (effort_ > kLogEffortMax) return too_much();
  return false;
}

Result<void> LogSearch::begin(ReadTransaction& transaction) {
  stage_ = Stage::order;
  if (filter_.delivery) return begin_with_delivery(transaction);
  if (filter_.start_from || filter_.start_to) return begin_with_span(transaction);
  ranges_.push_back({1, kNoBound});
  return {};
}

Result<void> LogSearch::begin_with_delivery(ReadTransaction& transaction) {
  const auto head = transaction.delivery_head(filter_.account, *filter_.delivery);
  if (!head) {
    if (head.error().kind == ErrorKind::not_found) return {};
    return fail(head.error());
  }
  if (!head->started || !in_span(*head->started) || !holds(filter_.types, head->type)) return {};
  auto ranges = transaction.log_ranges(head->key);
  if (!ranges) return fail(std::move(ranges.error()));
  ranges_ = std::move(*ranges);
  return {};
}

// Whoever starts soon after the registration has ids of that time; the others are asked for.
Result<void> LogSearch::begin_with_span(ReadTransaction& transaction) {
  LogRange range{1, kNoBound};
  if (filter_.start_from) {
    const auto first =
        transaction.log_id_since(filter_.account, *filter_.start_from - kLogLateStart - kSlack);
    if (!first) return fail(first.error());
    range.first = std::max<PublicId>(*first, 1);
  }
  if (filter_.start_to) {
    const auto end = transaction.log_id_since(filter_.account, *filter_.start_to + kSlack);
    if (!end) return fail(end.error());
    range.end = *end;
  }
  if (!range.empty()) ranges_.push_back(range);
  if (!filter_.start_from) return {};  // whatever started before is registered before
  auto late = transaction.late_starts(filter_.account, *filter_.start_from,
                                      filter_.start_to.value_or(from_epoch_ms(kNoBound)),
                                      kLateStartsMax + 1);
  if (!late) return fail(std::move(late.error()));
  if (static_cast<std::int64_t>(late->size()) > kLateStartsMax) return too_much();
  late_ = std::move(*late);
  if (!late_.empty()) stage_ = Stage::late_starts;
  return {};
}

Result<void> LogSearch::add_late_start(ReadTransaction& transaction) {
  auto ranges = transaction.log_ranges(late_.back());
  if (!ranges) return fail(std::move(ranges.error()));
  late_.pop_back();
  std::ranges::move(*ranges, std::back_inserter(ranges_));
  if (late_.empty()) stage_ = Stage::order;
  return {};
}

// Disjoint, newest last, nothing at or above the anchor.
void LogSearch::put_in_order() {
  const PublicId below = filter_.below.value_or(kNoBound);
  std::ranges::sort(ranges_, {}, &LogRange::first);
  std::vector<LogRange> ordered;
  for (LogRange range : ranges_) {
    range.end = std::min(range.end, below);
    if (range.empty()) continue;
    if (!ordered.empty() && range.first <= ordered.back().end) {
      ordered.back().end = std::max(ordered.back().end, range.end);
    } else {
      ordered.push_back(range);
    }
  }
  ranges_ = std::move(ordered);
}

// Finds whom it may be about, and then reads what there is to tell of them.
Result<void> LogSearch::go(ReadTransaction& transaction) {
  if (wanted() <= 0) return {};
  if (!found_.empty()) return tell(transaction);
  if (ranges_.empty()) return {};
  auto done = filter_.mark || !filter_.address.empty() ? find_by_address(transaction)
              : may_be_sent()                          ? find_by_batch(transaction)
                                                       : find_not_sent(transaction);
  std::ranges::sort(found_);
  return done;
}

Result<void> LogSearch::find_by_address(ReadTransaction& transaction) {
  addressed_most_ =
      std::clamp(std::max(wanted(), 2 * addressed_most_), kAddressedLeast, kAddressedMost);
  auto addressed = transaction.log_ids_of({.account = filter_.account,
                                           .address = filter_.address,
                                           .mark = filter_.mark ? &*filter_.mark : nullptr,
                                           .below = ranges_.back().end,
                                           .from = addressed_from_,
                                           .most = addressed_most_});
  if (!addressed) return fail(std::move(addressed.error()));
  effort_ += addressed->effort;
  addressed_from_ = addressed->next;
  found_ = std::move(addressed->ids);
  const bool below_all = !found_.empty() && found_.back() < ranges_.front().first;
  std::erase_if(found_, [&](PublicId id) { return !in_ranges(id); });
  if (!addressed_from_ || below_all) ranges_.clear();
  return {};
}

// Of each key the newest entries; what lies below the last of a key that has more is not known yet.
Result<void> LogSearch::find_not_sent(ReadTransaction& transaction) {
  for (std::int64_t looks = 0; looks < kLooksPerStep && !ranges_.empty() && found_.empty();) {
    const LogRange range = ranges_.back();
    PublicId down_to = range.first;
    for (const LogKey& key : keys()) {
      const auto hits = transaction.not_sent(filter_.account, key, range, kEntriesPerLook);
      if (!hits) return fail(hits.error());
      ++looks;
      effort_ += 1 + static_cast<std::int64_t>(hits->size());
      if (static_cast<std::int64_t>(hits->size()) >= kEntriesPerLook) {
        down_to = std::max(down_to, hits->back().id);
      }
      for (const LogHit& hit : *hits) {
        if (takes(hit)) found_.push_back(hit.id);
      }
    }
    std::erase_if(found_, [&](PublicId id) { return id < down_to; });
    looked_down_to(down_to);
  }
  return {};
}

// Of a delivery that has just begun nearly nobody has a row: batches are cheap to pass by.
Result<void> LogSearch::find_by_batch(ReadTransaction& transaction) {
  constexpr std::int64_t kBatchesMost = 500;
  constexpr std::int64_t kBatchesLeast = 50;
  constexpr std::int64_t kRecipientsPerStep = 20'000;
  const LogRange range = ranges_.back();
  const std::int64_t most = std::clamp(2 * wanted(), kBatchesLeast, kBatchesMost);
  const auto batches = transaction.log_batches(filter_.account, range, most);
  if (!batches) return fail(batches.error());
  std::vector<LogBatch> asked;
  std::int64_t recipients = 0;
  PublicId down_to = range.first;
  if (static_cast<std::int64_t>(batches->size()) >= most) {
    down_to = std::max(down_to, batches->back().first);
  }
  for (const LogBatch& batch : *batches) {
    ++effort_;
    if (!takes(batch)) continue;
    asked.push_back(batch);
    recipients += batch.size;
    if (recipients < kRecipientsPerStep) continue;
    down_to = std::max(down_to, batch.first);
    break;
  }
  if (!asked.empty()) {
    const auto hits = transaction.log_hits(asked, kHitsPerStep);
    if (!hits) return fail(hits.error());
    effort_ += static_cast<std::int64_t>(hits->size());
    if (static_cast<std::int64_t>(hits->size()) >= kHitsPerStep) {
      down_to = std::max(down_to, hits->back().id);
    }
    for (const LogHit& hit : *hits) {
      const bool within = hit.id >= range.first && hit.id < range.end;
      if (within && holds(filter_.states, hit.state)) found_.push_back(hit.id);
    }
  }
  looked_down_to(down_to);
  return {};
}

Result<void> LogSearch::tell(ReadTransaction& transaction) {
  std::vector<PublicId> ids;
  while (!found_.empty() &&
         static_cast<std::int64_t>(ids.size()) < std::min(wanted(), kStoriesPerStep)) {
    ids.push_back(found_.back());
    found_.pop_back();
  }
  effort_ += static_cast<std::int64_t>(ids.size());
  auto stories = transaction.log_stories(filter_.account, ids);
  if (!stories) return fail(std::move(stories.error()));
  std::erase_if(*stories, [this](const Story& story) { return !takes(story); });
  auto opens = add_opens(transaction, filter_.account, *stories);
  if (!opens) return opens;
  std::ranges::move(*stories, std::back_inserter(stories_));
  return {};
}

}  // namespace todoku::store
