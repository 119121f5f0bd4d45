// SPDX-License-Identifier: Apache-2.0
#include "scaling/curve_day.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <numbers>

#include "ops/scaling.h"
#include "scaling/day_length.h"

namespace todoku::scaling {
namespace {

constexpr int kMetricLate = 120;  // seconds
constexpr int kTaskStarts = 90;   // of the API
constexpr double kBulk = 4'000'000;
constexpr double kTransactions = 0.3;  // of the light
constexpr double kDeferred = 0.6;      // of what goes to receivers that are in trouble
constexpr double kCredit = 10;         // seconds of its pace that a courier has in hand
constexpr double kDrain = 100;         // seconds that one that is ended may take for it

// The share of a day's mail that comes in a second of `hour`: a twelfth of noon's at night.
double light(double hour) {
  const double sun = std::max(0.0, std::sin((hour - 6) / 14 * std::numbers::pi));
  return 0.08 + (hour > 6 && hour < 20 ? std::pow(sun, 1.5) : 0.0);
}

double light_of_a_day() {
  double sum = 0;
  for (int second = 0; second < 24 * kHour; ++second) {
    sum += light(second / static_cast<double>(kHour));
  }
  return sum;
}

// A number of couriers or tasks that follows a figure which arrives late.
class Group {
 public:
  Group(const TrackingOptions& options, int starts_after)
      : tracking_(options), starts_after_(starts_after), running_(options.capacity_min) {
    desired_ = running_;
  }

  void publish(int now, double value) { datapoints_.push_back({now + kMetricLate, value}); }

  void start(int now) {
    while (!starting_.empty() && starting_.front() <= now) {
      starting_.pop_front();
      ++running_;
    }
  }

  // By how many it changed; how many of them were at work and are ended.
  struct Change {
    std::int64_t by = 0;
    std::int64_t ended = 0;
  };
  Change scale(int now) {
    while (!datapoints_.empty() && datapoints_.front().at <= now) {
      tracking_.see(datapoints_.front().value);
      datapoints_.pop_front();
    }
    const std::int64_t wanted = tracking_.decide(now, running_);
    Change change{.by = wanted - desired_};
    for (std::int64_t i = 0; i < change.by; ++i) starting_.push_back(now + starts_after_);
    for (std::int64_t i = change.by; i < 0; ++i) {
      if (!starting_.empty()) {
        starting_.pop_back();
        continue;
      }
      --running_;
      ++change.ended;
    }
    desired_ = wanted;
    return change;
  }

  [[nodiscard]] std::int64_t running() const { return running_; }
  [[nodiscard]] std::int64_t paid() const { return running_ + std::ssize(starting_); }

 private:
  struct Datapoint {
    int at = 0;
    double value = 0;
  };

  Tracking tracking_;
  const int starts_after_;
  std::int64_t running_;
  std::int64_t desired_ = 0;
  std::deque<int> starting_;
  std::deque<Datapoint> datapoints_;
};

class Play {
 public:
  explicit Play(const CurveOptions& options)
      : options_(options),
        unit_(options.day_mails / light_of_a_day()),
        // Instances of a group are warm when the next may be asked for.
        couriers_(options.couriers, static_cast<int>(options.couriers.cooldown_out)),
        api_(options.api, kTaskStarts) {}

  CurveDay play() {
    for (now_ = 0; now_ < kSeconds; ++now_) {
      arrive();
      couriers_.start(now_);
      api_.start(now_);
      send();
      if (now_ % kMinute == kMinute - 1) end_minute();
    }
    return std::move(day_);
  }

 private:
  struct Arrivals {
    int at = 0;
    double until = 0;  // arrived_ when they had come
  };

  [[nodiscard]] bool between(double from, double to) const {
    return now_ >= from * kHour && now_ < to * kHour;
  }

  void arrive() {
    const double hour = std::fmod(now_ / static_cast<double>(kHour), 24);
    const double usual = unit_ * light(hour);
    double transactions = usual * kTransactions;
    if (options_.curve == Curve::incident && between(14, 14.5)) transactions *= 10;
    double come = usual * (1 - kTransactions) + transactions;
    if (options_.curve == Curve::noon && now_ == 12 * kHour) come += kBulk;
    if (options_.curve == Curve::incident) come = put_off(come);
    accepted_ += transactions;
    if (come <= 0) return;
    arrived_ += come;
    arrivals_.push_back({now_, arrived_});
  }

  // What receivers in trouble put off is due again over a quarter of an hour after its end.
  double put_off(double come) {
    if (between(14, 18)) {
      deferred_ += come * kDeferred;
      return come * (1 - kDeferred);
    }
    return between(18, 18.25) ? come + deferred_ / (kHour / 4.0) : come;
  }

  [[nodiscard]] std::int64_t working() const { return options_.zones * couriers_.running(); }

  void send() {
    const double can = options_.pace * static_cast<double>(working());
    const double sent = std::min(arrived_ - settled_, can);
    settled_ += sent;
    sent_in_minute_ += sent;
    while (!arrivals_.empty() && arrivals_.front().until <= settled_ + 0.5) arrivals_.pop_front();
  }

  void end_minute() {
    const double pace = sent_in_minute_ / kMinute;
    publish();
    scale(pace);
    const double waiting = arrived_ - settled_;
    day_.minutes.push_back(
        {.arrived = arrived_,
         .settled = settled_,
         .waiting = waiting < 0.5 ? 0 : waiting,
         .oldest_seconds = arrivals_.empty() ? 0 : static_cast<double>(now_ - arrivals_.front().at),
         .pace = pace,
         .couriers = working(),
         .paid = options_.zones * couriers_.paid() + ending_now(),
         .api = api_.paid()});
    sent_in_minute_ = 0;
    accepted_ = 0;
  }

  void publish() {
    const auto figures = reading_.read({.at = SteadyInstant(std::chrono::seconds(kHour + now_)),
                                        .ready = static_cast<std::int64_t>(arrived_ - settled_),
                                        .couriers = working(),
                                        .settled = static_cast<std::uint64_t>(settled_)});
    if (figures.load) couriers_.publish(now_, *figures.load * 100);
    const double busy = accepted_ / kMinute * options_.accept_seconds;
    api_.publish(now_,
                 100 * busy / (options_.api_processors * static_cast<double>(api_.running())));
  }

  void scale(double pace) {
    const auto change = couriers_.scale(now_);
    day_.scalings += change.by == 0 ? 0 : 1;
    day_.scalings += api_.scale(now_).by == 0 ? 0 : 1;
    if (change.ended == 0) return;
    const double left = options_.pace * static_cast<double>(working());
    day_.spare_least = std::min(day_.spare_least, (left - pace) / options_.pace);
    // What each has in hand is its share of what runs, for as long as its credit reaches.
    const double before = static_cast<double>(working() + options_.zones * change.ended);
    day_.ended_with = std::max(day_.ended_with, std::min(options_.pace, pace / before) * kCredit);
    ending_ = options_.zones * change.ended;
    ending_until_ = now_ + static_cast<int>(kDrain);
  }

  [[nodiscard]] std::int64_t ending_now() const { return now_ < ending_until_ ? ending_ : 0; }

  const CurveOptions options_;
  const double unit_;  // recipients a second of full light
  Group couriers_;     // of one zone; all do alike, since they follow one figure
  Group api_;
  ops::ScalingReading reading_;

  int now_ = 0;
  double arrived_ = 0;
  double settled_ = 0;
  double deferred_ = 0;
  double accepted_ = 0;  // transactions, in this minute
  double sent_in_minute_ = 0;
  std::deque<Arrivals> arrivals_;
  std::int64_t ending_ = 0;
  int ending_until_ = 0;
  CurveDay day_;
};

}  // namespace

std::optional<Curve> curve_of(std::string_view name) {
  if (name == "quiet") return Curve::quiet;
  if (name == "noon") return Curve::noon;
  if (name == "incident") return Curve::incident;
  return std::nullopt;
}

CurveDay play_curve(const CurveOptions& options) {
  return Play(options).play();
}

}  // namespace todoku::scaling
