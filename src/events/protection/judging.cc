// SPDX-License-Identifier: Apache-2.0
#include "events/protection/judging.h"

#include <utility>

#include <fmt/format.h>

#include "store/rate_holds.h"

namespace todoku::events::protection {
namespace {

using delivery::policy::ProtectionLevel;
using delivery::policy::ProtectionLimits;
using delivery::policy::ProtectionVerdict;
using store::RateFound;
using store::RateScope;
using store::RateSubject;

constexpr std::int64_t kStatesMax = 1'000;

class Judging {
 public:
  Judging(store::WriteTransaction& writer, const ProtectionOptions& options, Instant now)
      : writer_(writer), options_(options), now_(now) {}

  Result<void> judge(const Tally& tally, const Heads& heads);
  Result<void> judge_start(const store::Delivery& head);
  std::vector<Consequence> take() { return std::move(done_); }

 private:
  // What an account goes by.
  struct Own {
    ProtectionLimits limits;
    std::optional<delivery::policy::Canary> canary;
  };

  [[nodiscard]] Result<ProtectionLimits> limits_for(const RateSubject& subject, const Tally& tally,
                                                    const Heads& heads);
  [[nodiscard]] bool is_canary(const RateSubject& subject, const Own& own,
                               const Heads& heads) const;
  Result<void> judge_found(const RateFound& found, const ProtectionLimits& limits,
                           const Heads& heads);
  Result<void> put(const RateFound& found, ProtectionLevel level, std::string because);
  // How many deliveries wait now that did not.
  Result<std::int64_t> hold(const RateSubject& subject, const std::string& because);
  // nullopt: it does not go out; false: it waits already.
  Result<std::optional<bool>> pause(store::DeliveryKey key);
  Result<void> hold_there(const RateSubject& delivery_at_receiver, const std::string& because);
  Result<std::vector<store::SendingDelivery>> sending_of(store::AccountKey account);

  store::WriteTransaction& writer_;
  const ProtectionOptions& options_;
  const Instant now_;
  std::map<store::AccountKey, Own> own_;
  std::vector<Consequence> done_;
};

Result<delivery::policy::ProtectionOverrides> overrides_of(store::ReadTransaction& reader,
                                                           store::AccountKey account) {
  const auto kept = reader.setting(store::rate_limits_setting(account));
  if (!kept) return fail(kept.error());
  return delivery::policy::unpack_overrides(kept->value_or(std::string()));
}

bool is_of_delivery(const RateSubject& subject) {
  return subject.scope >= RateScope::delivery;
}

Result<void> Judging::judge(const Tally& tally, const Heads& heads) {
  const store::RateHour now = store::rate_hour(now_);
  std::vector<RateSubject> lasting;
  std::vector<RateSubject> of_deliveries;
  for (RateSubject& subject : tally.subjects()) {
    (is_of_delivery(subject) ? of_deliveries : lasting).push_back(std::move(subject));
  }
  for (const auto& [subjects, from] : {std::pair(&lasting, now - options_.window_hours + 1),
                                       std::pair(&of_deliveries, store::RateHour{0})}) {
    const auto found = writer_.read().rates(*subjects, from, now);
    if (!found) return fail(found.error());
    for (const RateFound& each : *found) {
      const auto limits = limits_for(each.subject, tally, heads);
      if (!limits) return fail(limits.error());
      auto done = judge_found(each, *limits, heads);
      if (!done) return done;
    }
  }
  return {};
}

bool Judging::is_canary(const RateSubject& subject, const Own& own, const Heads& heads) const {
  if (!own.canary || subject.scope != RateScope::delivery) return false;
  const auto head = heads.find(subject.delivery);
  if (head == heads.end() || !head->second.started) return false;
  return now_ < *head->second.started + own.canary->lasts;
}

Result<ProtectionLimits> Judging::limits_for(const RateSubject& subject, const Tally& tally,
                                             const Heads& heads) {
  auto known = own_.find(subject.account);
  if (known == own_.end()) {
    const auto overrides = overrides_of(writer_.read(), subject.account);
    if (!overrides) return fail(overrides.error());
    known = own_.emplace(subject.account, Own{.limits = with(options_.limits, *overrides),
                                              .canary = canary_of(*overrides)})
                .first;
  }
  ProtectionLimits limits = known->second.limits;
  limits.unknown_users.warn = 0;
  limits.unknown_users.pause = 0;
  if (is_canary(subject, known->second, heads)) return in_canary(limits);
  if (subject.scope == RateScope::receiver && subject.name == Receiver::kOthers) {
    // Nobody could be held back there: its owner is told, and the account has the same limits.
    limits.complaints.pause = 0;
    limits.hard_bounces.pause = 0;
  }
  if (subject.scope != RateScope::delivery_at_receiver) return limits;
  // There the account's and the delivery's own rates count, too; it is the receiver's patience with
  // addresses that do not exist which is the delivery's alone.
  limits.complaints = {};
  limits.hard_bounces = {};
  limits.unknown_users.pause = tally.receiver(subject.name).unknown_users_limit;
  return limits;
}

Result<void> Judging::judge_found(const RateFound& found, const ProtectionLimits& limits,
                                  const Heads& heads) {
  const auto before =
      found.state ? static_cast<ProtectionLevel>(found.state->level) : ProtectionLevel::calm;
  const ProtectionVerdict verdict = delivery::policy::judge(found.counts, before, limits);
  if (verdict.level == before) return {};
  if (verdict.level == ProtectionLevel::calm) return put(found, ProtectionLevel::calm, {});
  const std::string because = sentence_of(verdict);
  ProtectionLevel level = verdict.level;
  std::int64_t held = 0;
  if (level == ProtectionLevel::paused) {
    const auto paused = hold(found.subject, because);
    if (!paused) return fail(paused.error());
    held = *paused;
    // It is over already: there is nothing to hold back.
    const bool in_vain = found.subject.scope == RateScope::delivery && held == 0;
    if (in_vain) level = ProtectionLevel::warned;
    if (level == before) return {};
  }
  auto done = put(found, level, because);
  if (!done) return done;
  const auto head = heads.find(found.subject.delivery);
  const std::string words =
      store::words_of(found.subject, head == heads.end() ? 0 : head->second.id);
  writer_.tell_of_rate(level == ProtectionLevel::paused ? store::EventKind::protection_paused
                                                        : store::EventKind::protection_warned,
                       found.subject.account, words, because);
  done_.push_back({found.subject.account, words, because, level, held});
  return {};
}

Result<void> Judging::put(const RateFound& found, ProtectionLevel level, std::string because) {
  store::RateState state = found.state.value_or(store::RateState{.subject = found.subject});
  state.level = static_cast<std::uint8_t>(level);
  state.since = now_;
  state.because = std::move(because);
  return writer_.put_rate_state(state);
}

Result<std::vector<store::SendingDelivery>> Judging::sending_of(store::AccountKey account) {
  auto sending = writer_.read().sending_bulk();
  if (!sending) return sending;
  std::erase_if(*sending,
                [&](const store::SendingDelivery& each) { return each.account != account; });
  return sending;
}

Result<std::int64_t> Judging::hold(const RateSubject& subject, const std::string& because) {
  if (subject.scope == RateScope::delivery_at_receiver) return 1;  // its state says it
  if (subject.scope == RateScope::delivery) {
    const auto paused = pause(subject.delivery);
    if (!paused) return fail(paused.error());
    return *paused ? 1 : 0;  // also where it waits already
  }
  const auto sending = sending_of(subject.account);
  if (!sending) return fail(sending.error());
  std::int64_t held = 0;
  for (const store::SendingDelivery& each : *sending) {
    if (subject.scope == RateScope::receiver) {
      RateSubject there = subject;
      there.scope = RateScope::delivery_at_receiver;
      there.delivery = each.key;
      if (auto done = hold_there(there, because); !done) return fail(std::move(done.error()));
      ++held;
      continue;
    }
    if (subject.scope == RateScope::sender_domain) {
      const auto head = writer_.read().delivery_head(each.key);
      if (!head) continue;  // deleted meanwhile
      if (store::sender_domain_of(*head) != subject.name) continue;
    }
    const auto paused = pause(each.key);
    if (!paused) return fail(paused.error());
    if (paused->value_or(false)) ++held;
  }
  return held;
}

Result<std::optional<bool>> Judging::pause(store::DeliveryKey key) {
  const auto paused = writer_.steer_delivery(key, store::Course::paused);
  if (paused) return *paused;
  const ErrorKind kind = paused.error().kind;
  if (kind == ErrorKind::conflict || kind == ErrorKind::not_found) return std::nullopt;
  return fail(paused.error());
}

Result<void> Judging::hold_there(const RateSubject& there, const std::string& because) {
  const store::RateHour now = store::rate_hour(now_);
  const auto found = writer_.read().rates(std::span(&there, 1), now, now);
  if (!found) return fail(found.error());
  const auto& state = found->front().state;
  if (state && state->level == store::kRatePaused) return {};
  return put(found->front(), ProtectionLevel::paused, because);
}

Result<void> Judging::judge_start(const store::Delivery& head) {
  const store::RateHour now = store::rate_hour(now_);
  const auto subjects = writer_.read().rate_subjects(
      {.account = head.account, .delivery = std::nullopt, .from = now + 1, .limit = kStatesMax});
  if (!subjects) return fail(subjects.error());
  if (subjects->empty()) return {};
  const auto found = writer_.read().rates(*subjects, now, now);
  if (!found) return fail(found.error());
  const std::string sender = store::sender_domain_of(head);
  for (const RateFound& each : *found) {
    if (!each.state || each.state->level != store::kRatePaused) continue;
    const RateSubject& subject = each.subject;
    if (subject.scope == RateScope::sender_domain && subject.name != sender) continue;
    if (subject.scope == RateScope::receiver) {
      auto done = hold_there({.account = head.account,
                              .scope = RateScope::delivery_at_receiver,
                              .delivery = head.key,
                              .name = subject.name},
                             each.state->because);
      if (!done) return done;
      continue;
    }
    const auto paused = pause(head.key);
    if (!paused) return fail(paused.error());
    if (!paused->value_or(false)) continue;
    const std::string words =
        fmt::format("delivery {} of {}", head.id, store::words_of(subject, head.id));
    writer_.tell_of_rate(store::EventKind::protection_paused, head.account, words,
                         each.state->because);
    done_.push_back({head.account, words, each.state->because, ProtectionLevel::paused, 1});
  }
  return {};
}

}  // namespace

Result<std::vector<Consequence>> judge_rates(store::WriteTransaction& writer, const Tally& tally,
                                             const Heads& heads, const ProtectionOptions& options,
                                             Instant now) {
  if (!options.enabled || tally.empty()) return std::vector<Consequence>{};
  Judging judging(writer, options, now);
  auto done = judging.judge(tally, heads);
  if (!done) return fail(std::move(done.error()));
  return judging.take();
}

Result<std::vector<Consequence>> judge_start(store::WriteTransaction& writer,
                                             const store::Delivery& head,
                                             const ProtectionOptions& options, Instant now) {
  if (!options.enabled) return std::vector<Consequence>{};
  Judging judging(writer, options, now);
  auto done = judging.judge_start(head);
  if (!done) return fail(std::move(done.error()));
  return judging.take();
}

}  // namespace todoku::events::protection
