// SPDX-License-Identifier: Apache-2.0
#include "relay/credential_watch.h"

#include <algorithm>
#include <utility>

#include "async/timer.h"
#include "base/log.h"
#include "net/client_counts.h"
#include "store/account_name.h"
#include "store/credential_holds.h"
#include "store/last_use.h"

namespace todoku::relay {
namespace {

// What is damaged is begun anew: it says nothing that somebody was promised.
Habits habits_in(const Result<std::string>& packed, std::string_view name) {
  auto habits = packed ? unpack_habits(*packed) : Result<Habits>(fail(packed.error()));
  if (habits) return std::move(*habits);
  log::warning("the habits of an SMTP credential are not known",
               {{"credential", name}, {"reason", habits.error().detail}});
  return {};
}

}  // namespace

CredentialWatch::CredentialWatch(World world, const AnomalyLimits& limits)
    : world_(std::move(world)), limits_(limits) {}

CredentialWatch::Watched* CredentialWatch::find_locked(std::string_view name) {
  const auto found = watched_.find(std::string(name));
  if (found != watched_.end()) return &found->second;
  if (watched_.size() >= kNamesMax) {
    std::erase_if(watched_, [](const auto& entry) { return entry.second.unwritten.empty(); });
  }
  if (watched_.size() >= kNamesMax) return nullptr;
  return &watched_[std::string(name)];
}

bool CredentialWatch::is_odd(const Watched& watched, Instant now) const {
  return !watched.held && watched.habits && judge(*watched.habits, limits_, now).has_value();
}

Task<void> CredentialWatch::read(std::string name) {
  const auto packed = co_await world_.store.read(
      [name](store::ReadTransaction& reader) { return reader.smtp_habits(name); });
  if (!packed) co_return;
  Habits habits = habits_in(packed, name);
  const std::lock_guard lock(mutex_);
  Watched* const watched = find_locked(name);
  if (watched == nullptr || watched->habits) co_return;
  absorb(habits, watched->unwritten, limits_, world_.clock.now());
  watched->habits = std::move(habits);
}

Task<std::optional<store::SmtpCredential>> CredentialWatch::used(store::SmtpCredential credential,
                                                                 net::IpAddress client,
                                                                 std::int64_t recipients) {
  bool is_known = false;
  {
    const std::lock_guard lock(mutex_);
    Watched* const watched = find_locked(credential.name);
    if (watched == nullptr) co_return std::nullopt;
    is_known = watched->habits.has_value();
  }
  if (!is_known) co_await read(credential.name);
  const Instant now = world_.clock.now();
  {
    const std::lock_guard lock(mutex_);
    Watched* const watched = find_locked(credential.name);
    if (watched == nullptr) co_return std::nullopt;
    CredentialUse use;
    use.add(net::client_of(client), recipients);
    watched->unwritten.add(use);
    watched->held = credential.held.has_value();
    if (!watched->habits) co_return std::nullopt;
    if (credential.released) forgive(*watched->habits, *credential.released);
    absorb(*watched->habits, use, limits_, now);
    if (!is_odd(*watched, now)) co_return std::nullopt;
  }
  co_return co_await write(credential.name);
}

void CredentialWatch::ended(std::string_view credential, bool unknown) {
  const std::lock_guard lock(mutex_);
  Watched* const watched = find_locked(credential);
  if (watched == nullptr) return;
  const CredentialUse use{.recipients = {}, .ended = 1, .unknown = unknown ? 1 : 0};
  watched->unwritten.add(use);
  if (watched->habits) absorb(*watched->habits, use, limits_, world_.clock.now());
}

Task<std::optional<store::SmtpCredential>> CredentialWatch::write(std::string name) {
  CredentialUse use;
  {
    const std::lock_guard lock(mutex_);
    if (Watched* const watched = find_locked(name)) {
      use = std::exchange(watched->unwritten, {});
      watched->written = world_.clock.steady_now();
    }
  }
  const auto written = co_await world_.store.write(
      store::WritePriority::accept,
      [name, use, limits = limits_,
       now = world_.clock.now()](store::WriteTransaction& writer) -> Result<Written> {
        auto credential = writer.hold_smtp_credential(name);
        if (!credential) return fail(std::move(credential.error()));
        Written made{habits_in(writer.read().smtp_habits(name), name), std::move(*credential), {}};
        if (made.credential.released) forgive(made.habits, *made.credential.released);
        absorb(made.habits, use, limits, now);
        auto kept = writer.keep_smtp_habits(name, pack_habits(made.habits));
        if (!kept) return fail(std::move(kept.error()));
        if (!use.recipients.empty() && store::is_new_use(made.credential.used, now)) {
          auto told = writer.use_smtp_credential(name);
          if (!told) return fail(std::move(told.error()));
        }
        if (made.credential.held) return made;
        made.anomaly = judge(made.habits, limits, now);
        if (!made.anomaly) return made;
        auto held = store::hold_credential(writer, made.credential, made.anomaly->because, now);
        if (!held) return fail(std::move(held.error()));
        made.account = store::account_name(writer.read(), made.credential.account);
        return made;
      });
  {
    const std::lock_guard lock(mutex_);
    Watched* const watched = find_locked(name);
    if (watched != nullptr && written) {
      watched->habits = written->habits;
      absorb(*watched->habits, watched->unwritten, limits_, world_.clock.now());
      watched->held = written->credential.held.has_value();
    } else if (watched != nullptr && written.error().kind != ErrorKind::not_found) {
      watched->unwritten.add(use);
    }
  }
  if (!written) {
    log::debug("the habits of an SMTP credential were not written",
               {{"credential", name}, {"reason", written.error().detail}});
    co_return std::nullopt;
  }
  if (written->anomaly) {
    tell_held(*written);
    if (world_.changed) co_await world_.changed();
  }
  if (!written->credential.held) co_return std::nullopt;
  co_return written->credential;
}

void CredentialWatch::tell_held(const Written& written) {
  world_.metrics
      .counter("todoku_smtp_in_holds_total",
               "Credentials of the SMTP relay that this process has held, by what was odd.",
               {{"kind", to_string(written.anomaly->kind)}})
      .add();
  log::warning("SMTP credential held", {{"credential", written.credential.name},
                                        {"account", written.account},
                                        {"because", written.anomaly->because}});
}

std::vector<std::string> CredentialWatch::due(bool all) {
  const SteadyInstant now = world_.clock.steady_now();
  const Instant wall = world_.clock.now();
  std::vector<std::string> names;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, watched] : watched_) {
    if (watched.unwritten.empty()) continue;
    if (all || !watched.habits || now - watched.written >= kWrittenEvery || is_odd(watched, wall)) {
      names.push_back(name);
    }
  }
  return names;
}

Task<void> CredentialWatch::keep_watch() {
  for (;;) {
    const bool waited = co_await async::sleep_for(kLooksEvery);
    if (!waited) co_return;
    for (const std::string& name : due(false)) {
      const auto held = co_await write(name);
      (void)held;
    }
  }
}

Task<bool> CredentialWatch::write_all(SteadyInstant deadline) {
  for (const std::string& name : due(true)) {
    if (world_.clock.steady_now() >= deadline) co_return false;
    const auto held = co_await write(name);
    (void)held;
  }
  co_return due(true).empty();
}

}  // namespace todoku::relay
