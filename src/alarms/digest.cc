// SPDX-License-Identifier: Apache-2.0
#include "alarms/digest.h"

#include <algorithm>
#include <utility>

namespace todoku::alarms {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds kFirstRetry = 1min;
constexpr int kDoublings = 4;

std::string key_of(AlarmName name) {
  std::string key(name.event);
  key += '\n';
  key += name.about.substr(0, kDetailOctetsMax);
  return key;
}

std::string key_of(const Alarm& alarm) {
  return key_of(AlarmName{.event = alarm.event, .about = alarm.about});
}

// What else it was about stays beside the last: two mailboxes may tell of different trouble.
void remember(Alarm& alarm, std::string detail) {
  std::erase(alarm.earlier, detail);
  if (alarm.detail != detail) {
    std::erase(alarm.earlier, alarm.detail);
    if (!alarm.detail.empty()) alarm.earlier.push_back(std::move(alarm.detail));
  }
  if (alarm.earlier.size() > kEarlierMax) alarm.earlier.erase(alarm.earlier.begin());
  alarm.detail = std::move(detail);
}

}  // namespace

void Digest::news(SteadyInstant now) {
  if (due_) return;
  due_ = now + options_.gather;
  if (not_before_) due_ = std::max(*due_, *not_before_);
}

void Digest::happened(Instant at, SteadyInstant now, AlarmName name, std::string detail) {
  const std::string key = key_of(name);
  auto found = kept_.find(key);
  if (found == kept_.end()) {
    if (kept_.size() >= kAlarmsMax) {
      ++others_;
      return news(now);
    }
    found = kept_.emplace(key, Kept{}).first;
    found->second.alarm.event = name.event;
    found->second.alarm.about = name.about.substr(0, kDetailOctetsMax);
  }
  Kept& kept = found->second;
  const bool is_first = kept.alarm.count++ == 0;
  kept.alarm.last = at;
  kept.alarm.over = false;
  detail.resize(std::min(detail.size(), kDetailOctetsMax));
  if (is_first) {
    kept.alarm.first = at;
    kept.alarm.earlier.clear();
    kept.alarm.detail = std::move(detail);
  } else {
    remember(kept.alarm, std::move(detail));
  }
  kept.has_news = true;
  news(now);
}

void Digest::ended(Instant at, SteadyInstant now, AlarmName name) {
  const auto found = kept_.find(key_of(name));
  if (found == kept_.end() || found->second.alarm.over) return;
  found->second.alarm.over = true;
  found->second.alarm.last = at;
  found->second.has_news = true;
  news(now);
}

std::optional<Report> Digest::due(SteadyInstant now) const {
  if (!due_ || now < *due_) return std::nullopt;
  return untold();
}

std::optional<Report> Digest::untold() const {
  Report report{.alarms = {}, .over = {}, .others = others_};
  for (const auto& [key, kept] : kept_) {
    if (!kept.has_news) continue;
    (kept.alarm.over ? report.over : report.alarms).push_back(kept.alarm);
  }
  if (report.alarms.empty() && report.over.empty() && report.others == 0) return std::nullopt;
  return report;
}

void Digest::told(SteadyInstant now, const Report& report) {
  failures_ = 0;
  not_before_ = now + options_.every;
  others_ -= report.others;
  for (const Alarm& alarm : report.over) {
    const auto found = kept_.find(key_of(alarm));
    // It began again while that was being told: then that is the news.
    if (found != kept_.end() && found->second.alarm.over) kept_.erase(found);
  }
  for (const Alarm& alarm : report.alarms) {
    const auto found = kept_.find(key_of(alarm));
    if (found == kept_.end()) continue;
    Kept& kept = found->second;
    kept.alarm.count -= std::min(kept.alarm.count, alarm.count);
    kept.has_news = kept.alarm.count > 0 || kept.alarm.over;
  }
  due_.reset();
  const bool more = others_ > 0 || std::ranges::any_of(kept_, [](const auto& each) {
                      return each.second.has_news;
                    });
  if (more) due_ = *not_before_;
}

void Digest::failed(SteadyInstant now) {
  const Milliseconds wait = kFirstRetry * (1 << std::min(failures_, kDoublings));
  ++failures_;
  due_ = now + wait;
}

}  // namespace todoku::alarms
