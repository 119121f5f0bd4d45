// SPDX-License-Identifier: Apache-2.0
// One connection of the server: reads requests, has them handled, writes responses, in order.
// Private to http/.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/clock.h"
#include "base/random.h"
#include "http/body_room.h"
#include "http/connection_list.h"
#include "http/held_bodies.h"
#include "http/input_buffer.h"
#include "http/message.h"
#include "http/request_parser.h"
#include "http/response_head.h"
#include "http/router.h"
#include "http/server.h"
#include "net/stream.h"

namespace todoku::http {

// What the connections of one thread share.
struct ConnectionContext {
  const Router& router;
  const ServerOptions& options;
  const Clock& clock;
  Random& ids;
  DateText& date;
  HeldBodies& held;
  BodyRoom& bodies;
  std::atomic<std::uint64_t>& responses_cut;
  std::atomic<std::uint64_t>& requests;
};

class Connection {
 public:
  // Has a place in `list` as long as it lives.
  Connection(const ConnectionContext& context, ConnectionList& list, net::Stream stream);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves requests until either side ends it. Rethrows what a handler threw, after its 500.
  [[nodiscard]] Task<void> run(std::shared_ptr<const net::TlsServerContext> tls);
  // Answers 503 for this reason without reading and closes.
  [[nodiscard]] Task<void> refuse(std::string_view reason,
                                  std::shared_ptr<const net::TlsServerContext> tls);

  // Ends between requests, at once if there is none.
  void ask_to_stop();
  // Ends at once, for another connection's sake.
  void give_way();

 private:
  class RequestBody;
  class BodyPlace;
  enum class Head : std::uint8_t { ready, failed, gone };

  [[nodiscard]] SteadyInstant after(Milliseconds wait) const {
    return context_.clock.steady_now() + wait;
  }

  [[nodiscard]] Task<Head> read_head();
  [[nodiscard]] Task<bool> serve_request();
  [[nodiscard]] Task<Response> handle(const Router::Match& match);
  [[nodiscard]] Task<Response> call_handler(const Route& route, Body& body);
  [[nodiscard]] Response failure_response(int status, std::string reason);
  // 503, with a time to come back at.
  [[nodiscard]] Response refusal(std::string_view reason);

  // The body of the request under way.
  [[nodiscard]] Task<Result<std::string_view>> next_piece();
  [[nodiscard]] Task<Result<void>> read_more_body();
  [[nodiscard]] Task<Result<std::string_view>> collect_body(std::uint64_t owner);
  void append_to_body(std::string_view piece);
  void reserve_body(std::size_t octets);
  // Room among all bodies for so many octets of this one; false: failure_ says why not.
  [[nodiscard]] Task<bool> find_room(std::size_t octets);
  std::unexpected<Error> no_room(std::string_view reason);
  // Others take its room.
  void lose_room();
  // The body is done with.
  void leave_room();
  // Of a route whose bodies are wiped. `more` of it may come.
  void forget_body(bool more);
  [[nodiscard]] std::unexpected<Error> body_failed(ErrorKind kind, Failure failure);
  // Whether what is left of the body can be skipped, so that the connection can live on.
  [[nodiscard]] bool rest_is_skippable() const;
  [[nodiscard]] Task<bool> skip_rest();

  // Room for it in memory while the client reads it, by closing others; false if there is none.
  [[nodiscard]] bool may_hold(const Response& response);
  [[nodiscard]] Task<bool> send(Response response, bool keep_alive);
  [[nodiscard]] Task<bool> send_held(std::string_view body);
  [[nodiscard]] Task<bool> send_whole(std::string_view body);
  [[nodiscard]] Task<bool> send_source(BodySource& source, bool chunked);
  [[nodiscard]] Task<bool> write(std::string_view first, std::string_view second,
                                 std::string_view third);
  // Lets the peer read what was written before the connection breaks.
  [[nodiscard]] Task<void> linger();
  void observe(const Route* route, int status, SteadyInstant begun);
  void release_memory();

  const ConnectionContext& context_;
  ConnectionList& list_;
  const SteadyInstant begun_;
  const ConnectionList::Place place_;
  net::Stream stream_;
  RequestParser parser_;
  InputBuffer input_;
  Request request_;
  std::string output_;  // the head of the response
  std::string body_;    // a buffered body that did not come in one piece

  bool is_refused_ = false;
  bool first_ = true;  // no request was read yet
  bool idle_ = false;  // waiting for the first octet of a request
  bool stopping_ = false;
  bool keep_alive_ = true;        // what the last response said
  BodySource* source_ = nullptr;  // being sent

  // Of the request under way:
  bool wiped_ = false;  // its body, when it is done
  std::size_t body_max_ = 0;
  std::uint64_t body_received_ = 0;
  Microseconds body_waited_{0};
  bool collects_ = false;                  // its body, as a whole
  std::unique_ptr<BodyPlace> body_place_;  // if it counts
  std::uint64_t sent_ = 0;
  Microseconds send_waited_{0};
  bool continue_sent_ = false;
  bool peer_gone_ = false;
  std::optional<Failure> failure_;  // answered by the server, whatever the handler says
  std::optional<Error> body_error_;
  std::exception_ptr thrown_;
};

}  // namespace todoku::http
