// SPDX-License-Identifier: Apache-2.0
#include "store/event_sieve.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "base/bytes.h"

namespace todoku::store {
namespace {

constexpr std::int64_t kSheetsLooked = 1'000;

bool asks_for_joined(const EventQuestion& question) {
  return !question.address.empty() || !question.tag.empty() || question.type;
}

// An outcome is known when its attempt ends, to the millisecond, and of two at once the reply tells
// which it was.
bool is_of(const PackedEntry& entry, const SheetEntry& event) {
  return entry.at + entry.duration == event.at && entry.code == event.code &&
         entry.cause == event.cause;
}

}  // namespace

EventSieve::EventSieve(const EventQuestion& question, std::int64_t kept_from)
    : question_(question), limit_(std::clamp<std::int64_t>(question.limit, 1, kEventsLimitMax)) {
  // What is known only when it is joined: more is let through, to be sieved once more.
  if (asks_for_joined(question)) limit_ = kEventsLimitMax;
  page_.events.reserve(static_cast<std::size_t>(std::min<std::int64_t>(limit_, 512)));
  page_.next = question.after;
  page_.next_account = question.after_account;
  const EventPlace last_dropped =
      event_place_of(kept_from, std::numeric_limits<std::uint32_t>::max());
  page_.lost = kept_from > 0 && question.after != EventPlace{} && question.after < last_dropped;
  // Said once: who goes on has what is kept before it, also where nothing of its own is.
  if (page_.lost) {
    page_.next = last_dropped;
    page_.next_account = AccountKey{std::numeric_limits<std::int64_t>::max()};
  }
}

bool EventSieve::full() const {
  return stopped_ || looked_ >= kEventsLooked || sheets_ >= kSheetsLooked ||
         std::ssize(page_.events) >= limit_;
}

bool EventSieve::wanted(const SheetEntry& entry) const {
  if (!is_known(entry.kind)) return false;
  if (question_.delivery && entry.delivery != *question_.delivery) return false;
  if (!question_.address.empty() && is_of_many(entry.kind)) return false;
  return question_.kinds.empty() ||
         std::ranges::find(question_.kinds, entry.kind) != question_.kinds.end();
}

Result<void> EventSieve::take(const Sheet& sheet) {
  auto entries = unpack_sheet(sheet.at, sheet.entries);
  if (!entries) return fail(std::move(entries.error()));
  ++sheets_;
  const auto after = std::tuple(sheet_place(question_.after), question_.after_account,
                                std::int64_t{question_.after.entry});
  // One account's sheet is the only one of its commit.
  const AccountKey owner = question_.account ? question_.after_account : sheet.account;
  for (std::uint32_t i = 0; i < entries->size(); ++i) {
    if (std::tuple(sheet.place, owner, std::int64_t{i}) <= after) continue;
    if (full()) {
      stopped_ = true;
      return {};
    }
    ++looked_;
    page_.next = event_place_of(sheet.place, i);
    page_.next_account = sheet.account;
    if (!is_known((*entries)[i].kind)) ++page_.unknown;
    if (!wanted((*entries)[i])) continue;
    EventRecord& event = page_.events.emplace_back();
    event.place = page_.next;
    event.account = sheet.account;
    event.entry = (*entries)[i];
  }
  return {};
}

EventPage EventSieve::page(bool ended, const EventPlace& readable) {
  page_.more = stopped_ || !ended;
  if (!page_.more && page_.next < readable) {
    page_.next = readable;
    page_.next_account = AccountKey{std::numeric_limits<std::int64_t>::max()};
  }
  return std::move(page_);
}

bool OutcomesTold::is_told(EventKind kind) {
  return has_outcome(kind) || kind == EventKind::complained;
}

Result<void> OutcomesTold::tell(EventRecord& event, std::string_view history) {
  const bool is_outcome = has_outcome(event.entry.kind);
  std::optional<PackedEntry> way;
  bool was_sent = false;
  for (HistoryReader entries(history); !entries.at_end();) {
    const auto entry = entries.next();
    if (!entry) return fail(entry.error());
    if (is_outcome && is_of(*entry, event.entry)) {
      if (auto told = tell_outcome(event, *entry); !told || entry->is_attempt) return told;
      break;  // what came before it says of whom it is
    }
    const bool is_sent = entry->state == RecipientState::delivered;
    if (entry->path_ref != 0 && (is_sent || !was_sent)) way = *entry;
    was_sent = was_sent || is_sent;
  }
  event.was_sent = was_sent;
  if (!way) return {};
  auto its_path = path(*way);
  if (!its_path) return fail(std::move(its_path.error()));
  event.taken = std::move(*its_path);
  return {};
}

Result<void> OutcomesTold::tell_outcome(EventRecord& event, const PackedEntry& entry) {
  event.stage = entry.stage;
  event.sender_to_tell = entry.sender_to_tell;
  const auto reply = reply_of(dictionary_, entry);
  if (!reply) return fail(reply.error());
  event.reply = *reply;
  auto its_path = path(entry);
  if (!its_path) return fail(std::move(its_path.error()));
  event.path = std::move(*its_path);
  return {};
}

Result<std::shared_ptr<const Path>> OutcomesTold::path(const PackedEntry& entry) {
  if (entry.path_ref == 0) return EventRecord::no_path();
  if (entry.path_ref > 1 && entry.path_ref == last_ref_) return last_;
  auto unpacked = path_of(dictionary_, entry);
  if (!unpacked) return fail(std::move(unpacked.error()));
  last_ref_ = entry.path_ref;
  last_ = std::make_shared<const Path>(std::move(*unpacked));
  return last_;
}

const std::shared_ptr<const EventDelivery>& EventRecord::no_delivery() {
  static const auto nothing = std::make_shared<const EventDelivery>();
  return nothing;
}

const std::shared_ptr<const Path>& EventRecord::no_path() {
  static const auto nothing = std::make_shared<const Path>();
  return nothing;
}

std::optional<std::vector<AccountKey>> each_once(std::vector<AccountKey> accounts,
                                                 std::int64_t sheets_max) {
  if (static_cast<std::int64_t>(accounts.size()) > sheets_max) return std::nullopt;
  std::ranges::sort(accounts);
  accounts.erase(std::ranges::unique(accounts).begin(), accounts.end());
  return accounts;
}

void keep_wanted(const EventQuestion& question, EventPage& page) {
  if (!asks_for_joined(question)) return;
  std::erase_if(page.events, [&](const EventRecord& event) {
    if (event.is_gone) return true;
    if (!question.address.empty() && !equals_ignoring_case(event.address, question.address)) {
      return true;
    }
    return !question.tag.empty() && std::ranges::find(event.delivery->labels.tags, question.tag) ==
                                        event.delivery->labels.tags.end();
  });
  const auto limit =
      static_cast<std::size_t>(std::clamp<std::int64_t>(question.limit, 1, kEventsLimitMax));
  if (page.events.size() <= limit) return;
  page.events.resize(limit);
  page.next = page.events.back().place;
  page.next_account = page.events.back().account;
  page.more = true;
}

}  // namespace todoku::store
