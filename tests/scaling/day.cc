// SPDX-License-Identifier: Apache-2.0
#include "scaling/day.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <numbers>
#include <optional>
#include <random>
#include <vector>

#include "ops/scaling.h"
#include "scaling/day_length.h"

namespace todoku::scaling {
namespace {

// Of a courier that can do no more: the rest of its time it waits for receivers.
constexpr double kProcessorWhenBusy = 0.25;

class Day {
 public:
  explicit Day(const DayOptions& options)
      : options_(options),
        dice_(options.seed),
        tracking_(options.tracking),
        running_(options.tracking.capacity_min),
        desired_(running_),
        farthest_(running_) {
    pace_ = between(400, 600);
    daily_ = between(1'500, 2'500);
    shift_ = between(-1, 1);
    for (std::int64_t i = 0; i < kPeaks; ++i) {
      peaks_[static_cast<int>(between(7 * kHour, 21 * kHour))] = between(500'000, 4'000'000);
    }
  }

  DayResult play() {
    for (now_ = 0; now_ < kSeconds; ++now_) {
      arrive();
      start_tasks();
      send();
      if (now_ % kMinute == 0) publish();
      if (now_ % kMinute == kMinute / 2) scale();
      result_.courier_hours += static_cast<double>(running_) / kHour;
    }
    return result_;
  }

 private:
  struct Datapoint {
    double arrives = 0;
    double value = 0;
  };

  double between(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(dice_);
  }

  void arrive() {
    const double hour = std::fmod(now_ / static_cast<double>(kHour) + 24 + shift_, 24);
    const double light = std::max(0.0, std::sin((hour - 6) / 12 * std::numbers::pi));
    double come = daily_ * (0.08 + std::pow(light, 1.5)) * between(0.8, 1.2);
    if (const auto peak = peaks_.find(now_); peak != peaks_.end()) come += peak->second;
    arrived_ += come;
    arrivals_.push_back({static_cast<double>(now_), arrived_});
  }

  void start_tasks() {
    std::erase_if(starting_, [this](double ready_at) {
      if (ready_at > now_) return false;
      ++running_;
      return true;
    });
    result_.couriers_max = std::max(result_.couriers_max, running_);
  }

  void send() {
    double can = pace_ * static_cast<double>(running_);
    if (options_.receivers_take > 0) can = std::min(can, options_.receivers_take);
    sent_ = std::min(arrived_ - settled_, can);
    settled_ += sent_;
    // The oldest first.
    while (!arrivals_.empty() && arrivals_.front().value <= settled_ + 0.5) arrivals_.pop_front();
    if (arrivals_.empty()) return;
    result_.oldest_seconds = std::max(result_.oldest_seconds, now_ - arrivals_.front().arrives);
  }

  std::optional<double> figure() {
    const double ready = arrived_ - settled_;
    const auto figures = reading_.read({.at = SteadyInstant(std::chrono::seconds(kHour + now_)),
                                        .ready = static_cast<std::int64_t>(ready),
                                        .couriers = running_,
                                        .settled = static_cast<std::uint64_t>(settled_)});
    switch (options_.figure) {
      case Figure::load:
        return figures.load;
      case Figure::work_seconds:
        return figures.work_seconds;
      case Figure::backlog_per_courier:
        return figures.backlog_per_courier;
      case Figure::queue_depth:
        return ready;
      case Figure::processor:
        return kProcessorWhenBusy * sent_ / (pace_ * static_cast<double>(running_));
    }
    return std::nullopt;
  }

  void publish() {
    const auto value = figure();
    if (value) datapoints_.push_back({now_ + between(60, 180), *value});
  }

  void count_turn(std::int64_t wanted) {
    if (grows_ ? wanted >= farthest_ : wanted <= farthest_) {
      farthest_ = wanted;
      return;
    }
    const std::int64_t high = std::max(wanted, farthest_);
    const std::int64_t low = std::min(wanted, farthest_);
    if (low * 4 > high * 3 || high - low < 2) return;
    ++result_.turns;
    grows_ = !grows_;
    farthest_ = wanted;
  }

  void scale() {
    // In their order: a late one holds up those behind it.
    while (!datapoints_.empty() && datapoints_.front().arrives <= now_) {
      tracking_.see(datapoints_.front().value);
      datapoints_.pop_front();
    }
    const std::int64_t wanted = tracking_.decide(now_, running_);
    if (wanted == desired_) return;
    count_turn(wanted);
    for (std::int64_t i = desired_; i < wanted; ++i) starting_.push_back(now_ + between(60, 120));
    for (std::int64_t i = wanted; i < desired_; ++i) {
      if (starting_.empty()) {
        --running_;
      } else {
        starting_.pop_back();
      }
    }
    desired_ = wanted;
  }

  const DayOptions options_;
  std::mt19937_64 dice_;
  Tracking tracking_;
  ops::ScalingReading reading_;
  double pace_ = 0;   // of one courier, recipients a second
  double daily_ = 0;  // recipients a second at noon
  double shift_ = 0;  // hours
  std::map<int, double> peaks_;

  int now_ = 0;
  double arrived_ = 0;
  double settled_ = 0;
  double sent_ = 0;  // in this second
  std::deque<Datapoint> arrivals_;
  std::deque<Datapoint> datapoints_;
  std::int64_t running_;
  std::int64_t desired_;
  std::vector<double> starting_;
  bool grows_ = true;
  std::int64_t farthest_ = 0;  // capacity, since the last turn
  DayResult result_;
};

}  // namespace

DayResult play_day(const DayOptions& options) {
  return Day(options).play();
}

}  // namespace todoku::scaling
