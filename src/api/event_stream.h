// SPDX-License-Identifier: Apache-2.0
// Events as they happen, for who keeps a connection open (server-sent events, HTML standard 9.2).
#pragma once

#include <string>
#include <string_view>

#include "api/api.h"
#include "api/file_places.h"
#include "async/timer.h"
#include "http/message.h"
#include "store/events.h"

namespace todoku::api {

// Looks into the store every second, so it does not matter which process made an event. It ends
// when the server stops, when its key opens it no more, or when the store does not answer: a client
// comes again and goes on after the last id that it got.
class EventStream final : public http::BodySource {
 public:
  struct Parts {
    Api& api;  // outlives it
    FilePlaces::Place place;
    store::EventQuestion question;
    std::string authorization;  // by which it was let in, asked about again and again
    net::IpAddress client;
    async::Executor executor;
  };
  explicit EventStream(Parts parts)
      : parts_(std::move(parts)), stopped_(parts_.executor), told_(parts_.question.after) {}

  [[nodiscard]] Task<Result<std::string_view>> read() override;
  void stop() override;

 private:
  [[nodiscard]] Task<bool> may_go_on();
  // What a page says; empty: nothing.
  void write(const store::EventPage& page);

  Parts parts_;
  async::Signal stopped_;
  bool is_over_ = false;
  bool has_begun_ = false;
  store::EventPlace told_;  // the client's last id
  std::string text_;
};

}  // namespace todoku::api
