// SPDX-License-Identifier: Apache-2.0
// Events as they happen, for who keeps a connection open (server-sent events, HTML standard 9.2).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "api/api.h"
#include "api/file_places.h"
#include "api/progress_watch.h"
#include "async/timer.h"
#include "http/message.h"
#include "store/events.h"

namespace todoku::api {

// Whether this is what the client asks for, and not a page.
[[nodiscard]] bool wants_stream(const http::Request& request);

// Looks into the store every second, so it does not matter which process made an event. It ends
// when the client leaves or the server stops, when its key opens it no more, or when the store does
// not answer: a client comes again and goes on after the last id that it got.
//
// How far a delivery is stands between the events, as events of the type `progress`, once a second
// at most. They have no id: whoever comes again goes on after the last event, and is told at once
// how far it is by then.
class EventStream final : public http::BodySource {
 public:
  struct Parts {
    Api& api;  // outlives it
    FilePlaces::Place place;
    store::EventQuestion question;
    std::shared_ptr<ProgressWatch> watch;  // nullptr: no progress is told
    Usher* usher = nullptr;                // who let it in without a key
    std::string authorization;             // by which it was let in, asked about again and again
    net::IpAddress client;
    async::Executor executor;
  };
  explicit EventStream(Parts parts)
      : parts_(std::move(parts)), stopped_(parts_.executor), told_(parts_.question.after) {}

  [[nodiscard]] Task<Result<std::string_view>> read() override;
  void stop() override;
  void begin(std::function<bool()> has_left) override { has_left_ = std::move(has_left); }

 private:
  [[nodiscard]] Task<bool> may_go_on();
  // What a page says; empty: nothing.
  void write(const store::EventPage& page);
  // What is new of the progress; empty: nothing.
  [[nodiscard]] Task<void> write_progress();

  Parts parts_;
  async::Signal stopped_;
  std::function<bool()> has_left_ = [] { return false; };
  bool is_over_ = false;
  bool has_begun_ = false;
  store::EventPlace told_;  // the client's last id
  // By when the client hears something and its key is looked at again.
  SteadyInstant heartbeat_{};
  SteadyInstant progress_at_{};      // it is looked for next
  bool events_first_ = false;        // progress was told last: events have their turn
  std::uint64_t progress_told_ = 0;  // ToldProgress::number
  std::string text_;
};

}  // namespace todoku::api
