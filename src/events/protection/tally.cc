// SPDX-License-Identifier: Apache-2.0
#include "events/protection/tally.h"

#include <array>

#include "feedback/classify/meaning.h"
#include "mail/sandbox.h"

namespace todoku::events::protection {
namespace {

using store::EventKind;
using store::RateScope;

std::string_view domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view{} : address.substr(at + 1);
}

std::array<store::RateSubject, 5> subjects_of(const store::EventRecord& event,
                                              std::string_view sender_domain,
                                              const std::string& site) {
  const store::AccountKey account = event.account;
  const store::DeliveryKey delivery = event.entry.delivery;
  return {
      store::RateSubject{.account = account},
      {.account = account, .scope = RateScope::sender_domain, .name = std::string(sender_domain)},
      {.account = account, .scope = RateScope::receiver, .name = site},
      {.account = account, .scope = RateScope::delivery, .delivery = delivery},
      {.account = account,
       .scope = RateScope::delivery_at_receiver,
       .delivery = delivery,
       .name = site}};
}

}  // namespace

std::vector<EventKind> kinds_counted() {
  return {EventKind::sent, EventKind::hard_error, EventKind::complained,
          EventKind::delivery_started};
}

OutcomeCounts counts_of(const store::EventRecord& event, bool reports_complaints) {
  const store::SheetEntry& entry = event.entry;
  if (entry.kind == EventKind::sent) {
    return {.answered = 1, .delivered = 1, .reporting = reports_complaints ? 1 : 0};
  }
  if (entry.kind == EventKind::hard_error) {
    const bool against = feedback::classify::speaks_against_address(entry.cause);
    return {.answered = event.was_sent ? 0 : 1,
            .hard = against ? 1 : 0,
            .unknown_users = entry.cause == Cause::mailbox ? 1 : 0};
  }
  if (entry.kind == EventKind::complained) return {.complained = 1};
  return {};
}

std::optional<Receiver> whose_word(const store::EventRecord& event, const Receivers& receivers) {
  if (event.is_gone || store::is_of_many(event.entry.kind)) return std::nullopt;
  // Who complains, or sends a mail back, is who took it.
  const std::string& own_host = event.path->mx_host;
  const std::string& host = own_host.empty() ? event.taken->mx_host : own_host;
  if (host == kSandboxHost) return std::nullopt;
  return receivers(domain_of(event.address), host);
}

void Tally::add(const store::EventRecord& event, std::string_view sender_domain) {
  auto receiver = whose_word(event, receivers_);
  if (!receiver) return;
  const OutcomeCounts counts = counts_of(event, receiver->reports_complaints);
  if (counts == OutcomeCounts{}) return;
  const store::RateHour hour = store::rate_hour(event.entry.at);
  for (store::RateSubject& subject : subjects_of(event, sender_domain, receiver->site)) {
    counts_[{std::move(subject), hour}] += counts;
  }
  seen_.insert_or_assign(receiver->site, std::move(*receiver));
}

std::vector<store::RateIncrement> Tally::increments() const {
  std::vector<store::RateIncrement> increments;
  increments.reserve(counts_.size());
  for (const auto& [key, counts] : counts_) increments.push_back({key.first, key.second, counts});
  return increments;
}

std::vector<store::RateSubject> Tally::subjects() const {
  std::vector<store::RateSubject> subjects;
  for (const auto& [key, counts] : counts_) {
    if (subjects.empty() || subjects.back() != key.first) subjects.push_back(key.first);
  }
  return subjects;
}

const Receiver& Tally::receiver(std::string_view site) const {
  static const Receiver kNone;
  const auto found = seen_.find(site);
  return found == seen_.end() ? kNone : found->second;
}

}  // namespace todoku::events::protection
