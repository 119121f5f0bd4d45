// SPDX-License-Identifier: Apache-2.0
#include "delivery/stop_list.h"

#include <algorithm>
#include <mutex>
#include <vector>

namespace todoku::delivery {
namespace {

// A transaction may commit so long after the instant that its entries tell.
constexpr Milliseconds kCommitLate = std::chrono::seconds(15);

}  // namespace

Task<Result<void>> StopList::look() {
  const Instant now = store_.clock().now();
  const Instant since = seen_ ? *seen_ - kCommitLate : now - kKept;
  const auto limit = static_cast<std::int64_t>(subjects_max_);
  const auto entries = co_await store_.read([since, limit](store::ReadTransaction& reader) {
    return reader.recent_suppressions(since, limit);
  });
  if (!entries) co_return fail(entries.error());
  learn(*entries, now);
  seen_ = now;
  co_return Result<void>{};
}

void StopList::learn(std::span<const store::Suppression> entries, Instant now) {
  if (entries.empty() && size() == 0) return;
  const std::unique_lock lock(mutex_);
  for (const store::Suppression& entry : entries) {
    Instant& at = subjects_[{entry.account, entry.subject}];
    at = std::max(at, entry.updated);
  }
  forget_locked(now);
  size_ = subjects_.size();
}

void StopList::forget_locked(Instant now) {
  std::erase_if(subjects_, [&](const auto& known) { return known.second < now - kKept; });
  if (subjects_.size() <= subjects_max_) return;
  std::vector<Instant> times;
  times.reserve(subjects_.size());
  for (const auto& [key, at] : subjects_) times.push_back(at);
  const auto oldest = times.begin() + static_cast<std::ptrdiff_t>(times.size() - subjects_max_);
  std::ranges::nth_element(times, oldest);
  std::erase_if(subjects_, [&](const auto& known) { return known.second < *oldest; });
}

bool StopList::mentions(const Mail& mail) const {
  if (size() == 0) return false;
  const std::string subject = subject_of_address(mail.recipient().address);
  const std::string_view domain = domain_subject(subject);
  const store::AccountKey account = mail.batch->leased().account;
  const std::shared_lock lock(mutex_);
  for (const store::AccountKey owner : {account, store::kInstallation}) {
    for (const std::string_view its : {std::string_view(subject), domain}) {
      if (subjects_.contains(std::pair(owner, its))) return true;
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
