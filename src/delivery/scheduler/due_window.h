// SPDX-License-Identifier: Apache-2.0
// What the scheduler knows of one workload's due batches: a window on the domains that have some.
// The store is read in pages; the window is small, so that a delivery to a hundred thousand domains
// needs no more memory than one to ten. Pure.
//
//   stale() ─> wants_page() ─> add(page) ... ─> next(): domains by turns ─> finish() or keep
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/work.h"

namespace todoku::delivery::scheduler {

class DueWindow {
 public:
  struct Domain {
    std::string name;
    std::deque<store::DueBatch> batches;
    bool more = false;     // the store may know more than `batches`
    bool blocked = false;  // all that is known of it waits for its lanes; until unblock()
  };
  // Domains that are kept in sight; also how many are read at once.
  static constexpr std::int64_t kDomains = 256;

  // Something may have become due: the store is to be read anew, from its first domain on.
  void stale() { stale_ = true; }
  // Whether more can be known by reading a page now.
  [[nodiscard]] bool wants_page() const {
    return (stale_ || walking_) && domains_.size() < static_cast<std::size_t>(kDomains);
  }
  // Where the page that is wanted begins. Counts as read from now on.
  [[nodiscard]] std::optional<std::string> begin_page();
  // The page asked for, read at `now`. Domains in sight stay as they are.
  void add(store::DueDomains page, SteadyInstant now);
  // None of the domains in sight can be served. If the window is full it goes on without them; they
  // are read again afterwards.
  void pass_by();

  // The next domain in turn for which `serviceable(domain)` holds, or nullptr. Valid until the
  // window changes.
  template <class Serviceable>
  [[nodiscard]] Domain* next(const Serviceable& serviceable) {
    for (std::size_t tried = 0; tried < domains_.size(); ++tried) {
      domains_.push_back(std::move(domains_.front()));
      domains_.pop_front();
      if (!domains_.back().blocked && serviceable(domains_.back())) return &domains_.back();
    }
    return nullptr;
  }
  [[nodiscard]] Domain* find(std::string_view name);
  // Lanes may have room again.
  void unblock() {
    for (Domain& domain : domains_) domain.blocked = false;
  }
  // Nothing is left of the domain.
  void finish(std::string_view name);

  [[nodiscard]] std::size_t size() const { return domains_.size(); }
  // When something that is not due becomes due, as far as is known.
  [[nodiscard]] std::optional<SteadyInstant> upcoming() const { return upcoming_; }
  void due_at(SteadyInstant when) {
    if (!upcoming_ || when < *upcoming_) upcoming_ = when;
  }
  void forget_upcoming() { upcoming_.reset(); }

 private:
  std::deque<Domain> domains_;
  std::optional<std::string> after_;
  std::optional<SteadyInstant> upcoming_;
  bool stale_ = true;
  bool walking_ = false;    // in the middle of the store's domains
  bool passed_by_ = false;  // some domains were left behind
};

}  // namespace todoku::delivery::scheduler
