// SPDX-License-Identifier: Apache-2.0
#include "delivery/scheduler/due_window.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace todoku::delivery::scheduler {

std::optional<std::string> DueWindow::begin_page() {
  if (!walking_) {
    stale_ = false;
    walking_ = true;
    after_.reset();
  }
  return after_;
}

void DueWindow::add(store::DueDomains page, SteadyInstant now) {
  if (page.upcoming) due_at(now + *page.upcoming);
  for (store::DueDomain& due : page.domains) {
    if (Domain* known = find(due.domain)) {
      known->more = true;
      continue;
    }
    Domain& fresh = domains_.emplace_back();
    fresh.name = std::move(due.domain);
    std::ranges::move(due.batches, std::back_inserter(fresh.batches));
    fresh.more = due.more;
  }
  after_ = std::move(page.next);
  walking_ = after_.has_value();
  if (!walking_ && std::exchange(passed_by_, false)) stale_ = true;
}

void DueWindow::pass_by() {
  if (!(walking_ || stale_) || domains_.size() < static_cast<std::size_t>(kDomains)) return;
  domains_.clear();
  passed_by_ = true;
}

DueWindow::Domain* DueWindow::find(std::string_view name) {
  const auto found = std::ranges::find(domains_, name, &Domain::name);
  return found == domains_.end() ? nullptr : &*found;
}

void DueWindow::finish(std::string_view name) {
  const auto found = std::ranges::find(domains_, name, &Domain::name);
  if (found != domains_.end()) domains_.erase(found);
}

}  // namespace todoku::delivery::scheduler
