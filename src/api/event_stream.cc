// SPDX-License-Identifier: Apache-2.0
#include "api/event_stream.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "api/event_json.h"
#include "base/bytes.h"

namespace todoku::api {
namespace {

constexpr Milliseconds kLookEvery{1'000};
// Shorter than what usual proxies bear of silence, which is 60 s.
constexpr Milliseconds kHeartbeat{15'000};
// Who signs out, or is signed out, sees nothing more on the page that is still open.
constexpr Milliseconds kHeartbeatOfPeople{3'000};
constexpr Milliseconds kComeAgain{2'000};
// Between pages of which nothing was wanted: others read the store, too.
constexpr Milliseconds kBetweenPages{20};

}  // namespace

bool wants_stream(const http::Request& request) {
  return to_ascii_lower(request.headers.get("Accept")).find("text/event-stream") !=
         std::string::npos;
}

void EventStream::stop() {
  is_over_ = true;
  stopped_.notify();
}

Task<bool> EventStream::may_go_on() {
  const auto visitor = co_await parts_.api.admit(parts_.usher, parts_.authorization, parts_.client,
                                                 Language::english);
  co_return visitor && visitor->account.key == *parts_.question.account &&
      (visitor->scopes & kRead) != 0;
}

void EventStream::write(const store::EventPage& page) {
  text_.clear();
  if (page.lost && page.events.empty()) {
    text_ = fmt::format("event: lost\nid: {}\ndata: {{}}\n\n", store::event_id(page.next));
    told_ = page.next;
  } else if (page.lost) {
    text_ = "event: lost\ndata: {}\n\n";
  }
  for (const store::EventRecord& event : page.events) {
    http::JsonWriter json;
    write_event(json, event);
    fmt::format_to(std::back_inserter(text_), "id: {}\ndata: {}\n\n", store::event_id(event.place),
                   json.take());
    told_ = event.place;
  }
  parts_.question.after = page.next;
}

Task<void> EventStream::write_progress() {
  text_.clear();
  const ToldProgress told = co_await parts_.watch->look();
  // From its end: a store that takes its time must not make it due again at once.
  progress_at_ = parts_.api.clock().steady_now() + kLookEvery;
  if (told.number != progress_told_) {
    progress_told_ = told.number;
    text_ = fmt::format("event: progress\ndata: {}\n\n", *told.json);
  }
  if (told.ended) parts_.watch.reset();
}

Task<Result<std::string_view>> EventStream::read() {
  const Clock& clock = parts_.api.clock();
  const Milliseconds beat = parts_.usher == nullptr ? kHeartbeat : kHeartbeatOfPeople;
  if (!std::exchange(has_begun_, true)) {
    heartbeat_ = clock.steady_now() + beat;
    text_ = fmt::format("retry: {}\nid: {}\n\n", kComeAgain.count(), store::event_id(told_));
    co_return std::string_view(text_);
  }
  // Who comes back at once finds its place free.
  while (!is_over_ && !has_left_()) {
    // Before any question, so that a stream which always has something is asked about, too.
    if (clock.steady_now() >= heartbeat_) {
      const bool goes_on = co_await may_go_on();
      if (!goes_on) break;
      heartbeat_ = clock.steady_now() + beat;
      // What was left out need not be looked at once more.
      const bool moved = std::exchange(told_, parts_.question.after) != parts_.question.after;
      text_ = moved ? fmt::format("id: {}\n\n", store::event_id(told_)) : ":\n\n";
      co_return std::string_view(text_);
    }
    // Also where the client takes its time, events are told between two looks.
    const bool events_first = std::exchange(events_first_, false);
    if (!events_first && parts_.watch != nullptr && clock.steady_now() >= progress_at_) {
      co_await write_progress();
      events_first_ = !text_.empty();
      if (events_first_) co_return std::string_view(text_);
    }
    const auto page = co_await parts_.api.store().read(
        [question = parts_.question](store::ReadTransaction& t) { return t.events(question); });
    if (!page || is_over_) break;
    write(*page);
    if (!text_.empty()) co_return std::string_view(text_);
    SteadyInstant until = std::min<SteadyInstant>(
        clock.steady_now() + (page->more ? kBetweenPages : kLookEvery), heartbeat_);
    if (parts_.watch != nullptr) until = std::min(until, progress_at_);
    const bool told = co_await stopped_.wait_until(until);
    if (!told && clock.steady_now() < until) break;  // its connection is cancelled
  }
  co_return std::string_view();
}

}  // namespace todoku::api
