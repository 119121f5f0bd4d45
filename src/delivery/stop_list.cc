// SPDX-License-Identifier: Apache-2.0
#include "delivery/stop_list.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "store/personal_data.h"

namespace todoku::delivery {
namespace {

// A transaction may commit so long after the instant that its entries tell; most are there within a
// second, and the others are looked for now and then.
constexpr Milliseconds kCommitLate = std::chrono::seconds(15);
constexpr Milliseconds kCommitUsual = std::chrono::seconds(1);
constexpr std::uint64_t kLooksBetweenWide = 10;
// Where the disk is so slow that such a question is given up (SqliteStore::Options::question_max).
constexpr std::int64_t kPageLeast = 32;
constexpr std::int64_t kPageMost = 64'000;
constexpr int kPagesALook = 50;
// What transactions that were accepted before are not asked by the claim that takes them up
// (store::kAskedAgainAfter).
constexpr Milliseconds kBeforeTheStart = store::kAskedAgainAfter + kCommitLate;

struct Recent {
  std::vector<store::RecentStop> stops;
  store::AddressHash hash;
};

}  // namespace

// From the place where the look before ended: what one question cannot tell the next one does, so
// that a list of any size that is imported holds up nobody's own entry for long.
Task<Result<bool>> StopList::look() {
  const Instant now = store_.clock().now();
  const bool wide = looks_++ % kLooksBetweenWide == 0;
  Instant from = seen_ ? *seen_ - (wide ? kCommitLate : kCommitUsual) : now - kBeforeTheStart;
  std::int64_t limit = page_;
  for (int pages = 0; pages < kPagesALook; ++pages) {
    const auto entries =
        co_await store_.read([from, limit](store::ReadTransaction& reader) -> Result<Recent> {
          auto recent = reader.recent_suppressions(from, limit);
          if (!recent) return fail(std::move(recent.error()));
          return Recent{std::move(*recent), reader.subject_hash()};
        });
    if (!entries) {
      page_ = std::max(page_ / 4, kPageLeast);
      co_return fail(entries.error());
    }
    page_ = std::min(page_ * 2, kPage);
    learn(entries->stops, entries->hash, now);
    const bool is_last = std::ssize(entries->stops) < limit;
    const Instant last = is_last ? now : entries->stops.back().updated;
    seen_ = seen_ ? std::max(*seen_, last) : last;
    if (is_last) co_return true;
    if (last > from) {
      from = last;
      limit = page_;
    } else if (limit < kPageMost) {
      limit *= 2;
    } else {
      from = last + Milliseconds(1);
    }
  }
  co_return false;
}

void StopList::learn(std::span<const store::RecentStop> entries, const store::AddressHash& hash,
                     Instant now) {
  if (entries.empty() && size() == 0) return;
  const std::unique_lock lock(mutex_);
  hash_ = hash;
  for (const store::RecentStop& entry : entries) {
    const auto [known, is_new] =
        subjects_.try_emplace({entry.account, store::stop_hash(hash, entry.subject)});
    known->second = std::max(known->second, entry.updated);
    if (is_new) ++of_account_[entry.account];
  }
  forget_locked(now);
  size_ = subjects_.size();
}

void StopList::forget_if_locked(const auto& condition) {
  std::erase_if(subjects_, [&](const auto& known) {
    if (!condition(known)) return false;
    const auto count = of_account_.find(known.first.first);
    if (--count->second == 0) of_account_.erase(count);
    return true;
  });
}

// Who brings a list of many pushes out his own.
void StopList::forget_locked(Instant now) {
  if (subjects_.size() > subjects_max_ || now - forgotten_ >= kForgetEvery) {
    forgotten_ = now;
    forget_if_locked([&](const auto& known) { return known.second < now - kKept; });
  }
  while (subjects_.size() > subjects_max_) {
    const store::AccountKey largest =
        std::ranges::max_element(of_account_, {}, [](const auto& each) {
          return each.second;
        })->first;
    std::vector<Instant> times;
    for (const auto& [key, at] : subjects_) {
      if (key.first == largest) times.push_back(at);
    }
    // A tenth besides, so that this is not done again at once.
    const std::size_t gone =
        std::min(times.size(), subjects_.size() - subjects_max_ + subjects_max_ / 10);
    const auto oldest = times.begin() + static_cast<std::ptrdiff_t>(gone - 1);
    std::ranges::nth_element(times, oldest);
    forget_if_locked(
        [&](const auto& known) { return known.first.first == largest && known.second <= *oldest; });
  }
}

bool StopList::mentions(const Mail& mail) const {
  if (size() == 0) return false;
  const std::string subject = subject_of_address(mail.recipient().address);
  const std::string domain(domain_subject(subject));
  const store::AccountKey account = mail.batch->leased().account;
  const std::shared_lock lock(mutex_);
  if (!hash_) return false;
  for (const std::uint64_t its : {(*hash_)(subject), (*hash_)(domain)}) {
    for (const store::AccountKey owner : {account, store::kInstallation}) {
      if (subjects_.contains({owner, its})) return true;
    }
  }
  return false;
}

Task<Result<std::optional<StopReason>>> StopList::ask(const Mail& mail) const {
  using Answer = Result<std::optional<StopReason>>;
  const Letter& letter = mail.batch->letter();
  const store::AccountKey account = letter.account;
  const std::vector<std::string> subjects{subject_of_address(mail.recipient().address)};
  const auto stops_found =
      co_await store_.read([account, subjects](store::ReadTransaction& reader) {
        return reader.stops_of(account, subjects);
      });
  if (!stops_found) co_return Answer(std::unexpect, stops_found.error());
  std::optional<StopReason> reason;
  for (const store::StoppedSubject& found : *stops_found) {
    store::take_reason(reason, found.entry, letter.purpose, letter.list_id);
  }
  co_return Answer(reason);
}

}  // namespace todoku::delivery
