// SPDX-License-Identifier: Apache-2.0
// todoku deliveries watch ID
#include <chrono>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "cli/api_session.h"
#include "cli/delivery_counts.h"
#include "cli/printable_stream.h"
#include "cli/progress.h"
#include "cli/sender_commands.h"
#include "explain/time_text.h"

namespace todoku::cli {
namespace {

constexpr http::JsonLimits kProgressLimits{.octets_max = http::EventStreamReader::kOctetsMax,
                                           .depth_max = 64};
// Room for what is said behind the bar.
constexpr std::int64_t kBarColumns = 10;

// The number of a member that may be null.
std::optional<std::int64_t> known_number(const boost::json::value& of, std::string_view name) {
  const auto* const object = of.if_object();
  const auto* const found = object == nullptr ? nullptr : object->if_contains(name);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return number_of(of, name);
}

std::string how_long(const Session& session, std::int64_t seconds) {
  constexpr std::int64_t kFew = 10;  // of which nobody wants tenths
  if (seconds < kFew) return session.words({"{} s", "{} 秒"}, seconds);
  return explain::duration_text(std::chrono::seconds(seconds), session.language());
}

// "1200" or "3.5"; empty: none is known.
std::string speed_of(const boost::json::value& progress) {
  const auto* const object = progress.if_object();
  const auto* const speed = object == nullptr ? nullptr : object->if_contains("speed");
  const auto* const its = speed == nullptr ? nullptr : speed->if_object();
  const auto* const mails = its == nullptr ? nullptr : its->if_contains("mails_per_minute");
  if (mails == nullptr || !mails->is_number()) return {};
  const auto number = mails->to_number<double>();
  return fmt::format("{:.{}f}", number, number < 10 ? 1 : 0);
}

// The receiver that takes longest, where there are several; empty: none is known.
std::string slowest_of(const boost::json::value& progress) {
  const auto& sites = list_of(progress, "sites");
  std::string slowest;
  std::int64_t longest = 0;
  if (sites.size() < 2) return slowest;
  for (const auto& site : sites) {
    const auto seconds = known_number(site, "seconds_left");
    if (!seconds || *seconds <= longest) continue;
    longest = *seconds;
    slowest = text_of(site, "site");
  }
  return slowest;
}

// "1200/min  about 12 min left (docomo)".
std::string pace_words(const Session& session, const boost::json::value& progress) {
  std::string words;
  if (const std::string speed = speed_of(progress); !speed.empty()) {
    words = session.words({"{}/min", "{} 通/分"}, speed);
  }
  if (text_of(progress, "state") != "sending") return words;
  if (!words.empty()) words += "  ";
  const auto seconds = known_number(progress, "seconds_left");
  if (!seconds) return words + session.words({"time left unknown", "残り時間不明"});
  words += session.words({"about {} left", "残り約 {}"}, how_long(session, *seconds));
  if (const std::string slowest = slowest_of(progress); !slowest.empty()) {
    words += fmt::format(" ({})", slowest);
  }
  return words;
}

class DeliveryWatcher {
 public:
  DeliveryWatcher(ApiSession& api, std::int64_t delivery)
      : api_(api),
        delivery_(delivery),
        progress_(api.json() ? nullptr : api.host().terminal(), api.session().err()) {}

  int run() {
    // Its events but for the last are not wanted: they may be millions.
    TargetWriter target("/events");
    target.with("delivery_id", std::optional(delivery_))
        .with("kind[]", std::vector<std::string>{"delivery_finished"})
        .with("progress", std::string_view("true"));
    const int status =
        api_.follow({.target = target.take()},
                    {.last_id = {},
                     .take = [this](const http::ServerSentEvent& event) { return take(event); },
                     .came_to = [](const std::string&) { return true; },
                     .before_words = [this] { progress_.end(); }});
    progress_.end();
    if (!ended_) return status == kDone ? leave() : status;
    if (state_ == "deleted") return kNotFound;
    return state_ == "sent" ? kDone : kRefused;
  }

 private:
  // False: it is over.
  bool take(const http::ServerSentEvent& event) {
    if (event.type != "progress") return true;
    http::JsonArena arena;
    const auto read = http::parse_json(event.data, arena, kProgressLimits);
    if (!read) return true;
    state_ = text_of(*read, "state");
    ended_ = has_ended(state_) || state_ == "deleted";
    if (api_.json()) {
      api_.out() << printable_json(boost::json::serialize(*read)) << std::endl;
    } else {
      show(*read);
    }
    return !ended_;
  }

  void show(const boost::json::value& progress) {
    std::string rest = pace_words(api_.session(), progress);
    if (const std::string counts = counts_of(progress); !counts.empty()) {
      rest += (rest.empty() ? "" : "  ") + counts;
    }
    progress_.show({.label = state_,
                    .done = done_of(progress),
                    .total = number_of(progress, "total"),
                    .rest = std::move(rest),
                    .bar_columns = kBarColumns});
    if (!ended_) return;
    progress_.end();
    api_.session().say({"Delivery {}: {}. {}", "配信 {}: {}。{}"}, delivery_, state_,
                       counts_of(progress));
  }

  // Of one that its watcher leaves.
  int leave() {
    api_.session().err() << api_.session().words(
                                {"Delivery {0} goes on. To look again: todoku deliveries watch "
                                 "{0}; to end it: todoku bulk stop {0}",
                                 "配信 {0} は続きます。もう一度見るには: todoku deliveries watch "
                                 "{0}。打ち切るには: todoku bulk stop {0}"},
                                delivery_)
                         << '\n';
    return kInterrupted;
  }

  ApiSession& api_;
  const std::int64_t delivery_;
  Progress progress_;
  std::string state_;
  bool ended_ = false;
};

}  // namespace

int watch_delivery(Session& session, std::int64_t delivery) {
  ApiSession api(session);
  return DeliveryWatcher(api, delivery).run();
}

}  // namespace todoku::cli
