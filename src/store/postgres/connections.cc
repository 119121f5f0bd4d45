// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/connections.h"

#include <utility>

#include "base/log.h"

namespace todoku::store::postgres {

void Closing::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  closed_.notify_all();
}

bool Closing::wait(Milliseconds time) {
  std::unique_lock lock(mutex_);
  closed_.wait_for(lock, time, [this] { return closing_; });
  return !closing_;
}

Result<Link*> OwnConnection::get() {
  const SteadyInstant now = SystemClock().steady_now();
  if (link_ != nullptr && link_->usable() && link_->in_transaction()) link_.reset();
  if (connected() && now < ends_ && link_->ready()) return link_.get();
  if (now < next_try_) return fail(last_);
  link_.reset();
  auto dialed = dialer_.dial();
  if (!dialed) {
    if (failures_ == 0) {
      log::warning("the database cannot be reached", {{"error", dialed.error().detail}});
    }
    next_try_ = SystemClock().steady_now() + wait_before_dialing(failures_++, random_.unit());
    last_ = std::move(dialed.error());
    return fail(last_);
  }
  if (failures_ > 0) log::info("the database is reached again", {{"failures", failures_}});
  failures_ = 0;
  link_ = std::move(*dialed);
  // Between nine and eleven tenths of it.
  constexpr double kLeast = 0.9;
  constexpr double kSpread = 0.2;
  const double share = kLeast + kSpread * random_.unit();
  ends_ = now + Milliseconds(static_cast<std::int64_t>(static_cast<double>(life_.count()) * share));
  return link_.get();
}

}  // namespace todoku::store::postgres
