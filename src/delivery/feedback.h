// SPDX-License-Identifier: Apache-2.0
// What couriers tell the scheduler: how batches go forward, which lanes rest, which site a domain's
// mail goes to. One interface, in memory while both are one process, through the store when they
// are not (stored_feedback.h). News may come late, twice or never: the store says what is due, this
// only says when to look and how much a lane can bear.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/work.h"

namespace todoku::delivery {

struct BatchProgress {
  store::BatchKey key;
  std::int64_t settled = 0;                      // recipients that need no memory any more
  std::int64_t parked = 0;                       // of these: given back untried
  std::optional<store::BatchReleased> released;  // set with the last of them
};

// A lane is to be left alone.
struct LaneRest {
  // The site of batches that small domains share, which have none of their own: they are limited as
  // if they had one.
  static constexpr std::string_view kSharedSite = "(shared)";

  std::string site;
  std::string source;
  Milliseconds rest{};
  // It is the source that the site does not want: what was the lane's may go by other sources.
  bool elsewhere = false;
};

struct News {
  std::vector<BatchProgress> progress;
  std::vector<LaneRest> rests;
};

class Feedback {
 public:
  virtual ~Feedback() = default;

  // -- couriers tell. Any thread, mostly after a commit; must not block.
  virtual void progressed(std::vector<BatchProgress> progress) = 0;
  virtual void rests(LaneRest rest) = 0;
  // Mail for the domain goes to that site.
  virtual void routed(std::string_view domain, std::string_view site) = 0;

  // -- the scheduler listens.
  // `news_arrived` is called, on any thread, when there is something to take. Set once, before
  // anything is told; an empty one ends it.
  virtual void listen(std::function<void()> news_arrived) = 0;
  [[nodiscard]] virtual News take() = 0;
  // The site a domain's mail goes to as far as it is known yet, else the domain itself. Any thread.
  [[nodiscard]] virtual std::string site_of(std::string_view domain) const = 0;
};

// Within one process. Thread-safe.
class MemoryFeedback final : public Feedback {
 public:
  using SiteOf = std::function<std::string(std::string_view domain)>;
  explicit MemoryFeedback(SiteOf site_of) : site_of_(std::move(site_of)) {}

  void progressed(std::vector<BatchProgress> progress) override;
  void rests(LaneRest rest) override;
  // Who asks is told by `site_of`.
  void routed(std::string_view /*domain*/, std::string_view /*site*/) override {}
  void listen(std::function<void()> news_arrived) override;
  [[nodiscard]] News take() override;
  [[nodiscard]] std::string site_of(std::string_view domain) const override {
    return site_of_(domain);
  }

 private:
  const SiteOf site_of_;
  std::mutex mutex_;  // guards what follows; held while the listener is called
  std::function<void()> news_arrived_;
  News news_;
  bool told_ = false;  // the listener knows that there is something
};

}  // namespace todoku::delivery
