// SPDX-License-Identifier: Apache-2.0
#include "http/connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/compile.h>
#include <fmt/format.h>

#include "async/timer.h"
#include "base/wipe.h"

namespace todoku::http {
namespace {

// Until this many octets of an unread body it is cheaper to skip them than to connect again.
constexpr std::uint64_t kSkipMax = std::uint64_t{64} * 1024;
constexpr std::size_t kWriteSlice = std::size_t{256} * 1024;
// A lingering client that keeps sending is listened to for so many times linger_timeout.
constexpr int kLingerRounds = 6;
constexpr std::size_t kKeptMemoryMax = InputBuffer::kLarge;
constexpr std::uint64_t kRetryAfterMax = 10;  // seconds
constexpr Milliseconds kRoomPause{50};
constexpr std::string_view kNoRoom = "the server has no memory for more bodies at a time";
constexpr std::string_view kTooSlow = "the body came too slowly while others waited for its memory";

// How long a client may take for the next step: what it has earned by `octets` at `rate_min` a
// second, less what it has used up.
Microseconds patience(Milliseconds timeout, std::uint64_t octets, std::size_t rate_min,
                      Microseconds used) {
  const auto earned =
      std::chrono::microseconds(1'000'000 * octets / std::max<std::size_t>(rate_min, 1));
  return std::clamp<Microseconds>(timeout + earned - used, Microseconds(0), timeout);
}

// Has its part of the memory for responses.
class HeldBody {
 public:
  HeldBody(HeldBodies& bodies, Connection& connection, std::size_t octets, SteadyInstant now)
      : bodies_(bodies), place_(bodies.enter(connection, octets, now)) {}
  ~HeldBody() { bodies_.leave(place_); }
  HeldBody(const HeldBody&) = delete;
  HeldBody& operator=(const HeldBody&) = delete;

 private:
  HeldBodies& bodies_;
  const HeldBodies::Place place_;
};

}  // namespace

// Of a body that is collected, as long as it is in memory. On the connection's thread.
class Connection::BodyPlace {
 public:
  BodyPlace(Connection& connection, std::uint64_t owner)
      : bodies_(connection.context_.bodies),
        patience_(connection.context_.options.displaced_after),
        rate_min_(std::max<std::size_t>(1, connection.context_.options.crowded_rate_min)),
        credit_(patience_),
        here_(std::make_shared<Connection*>(&connection)),
        // By the time it is cut there, the connection may be gone, or busy with something else.
        place_(bodies_.enter(owner, [here = here_, executor = connection.stream_.executor()] {
          boost::asio::post(executor, [here] {
            if (*here != nullptr) (*here)->lose_room();
          });
        })) {}
  ~BodyPlace() {
    *here_ = nullptr;
    bodies_.leave(place_);
  }
  BodyPlace(const BodyPlace&) = delete;
  BodyPlace& operator=(const BodyPlace&) = delete;

  [[nodiscard]] bool grow(std::size_t octets, SteadyInstant now) {
    return bodies_.grow(place_, octets, now);
  }
  void give_to(std::uint64_t owner) { bodies_.give_to(place_, owner); }
  [[nodiscard]] bool waits() const { return waits_; }
  // For the client. False: the room is others' now.
  [[nodiscard]] bool begin_waiting(SteadyInstant now) {
    waits_ = bodies_.keep_until(place_, now + credit_);
    return waits_;
  }
  // It has brought so much. False: likewise.
  [[nodiscard]] bool end_waiting(Microseconds waited, std::size_t octets) {
    waits_ = false;
    const auto earned = std::chrono::microseconds(1'000'000 * octets / rate_min_);
    credit_ = std::clamp<Microseconds>(credit_ - waited + earned, Microseconds(0), patience_);
    return bodies_.keep_until(place_, SteadyInstant::max());
  }

 private:
  BodyRoom& bodies_;
  const Microseconds patience_;
  const std::size_t rate_min_;
  Microseconds credit_;
  bool waits_ = false;
  const std::shared_ptr<Connection*> here_;
  const BodyRoom::Place place_;
};

// What a handler reads from.
class Connection::RequestBody final : public Body {
 public:
  // Of a streaming route.
  explicit RequestBody(Connection& connection) : connection_(&connection) {}
  // Of a buffered one.
  RequestBody(Connection& connection, std::string_view text)
      : connection_(&connection), text_(text), unread_(text), is_buffered_(true) {}

  Task<Result<std::string_view>> read() override {
    if (!is_buffered_) return connection_->next_piece();
    return read_text();
  }
  [[nodiscard]] std::string_view text() const override { return text_; }
  Task<Result<void>> receive(std::uint64_t owner) override {
    if (is_buffered_) co_return Result<void>{};
    const auto text = co_await connection_->collect_body(owner);
    if (!text) co_return fail(text.error());
    text_ = unread_ = *text;
    is_buffered_ = true;
    co_return Result<void>{};
  }
  void give_to(std::uint64_t owner) override {
    if (connection_->body_place_) connection_->body_place_->give_to(owner);
  }
  [[nodiscard]] std::optional<std::uint64_t> length() const override {
    return connection_->parser_.content_length();
  }

 private:
  Task<Result<std::string_view>> read_text() { co_return std::exchange(unread_, {}); }

  Connection* connection_;
  std::string_view text_;
  std::string_view unread_;
  bool is_buffered_ = false;
};

Connection::Connection(const ConnectionContext& context, ConnectionList& list, net::Stream stream)
    : context_(context),
      list_(list),
      begun_(context.clock.steady_now()),
      place_(list.enter(*this, begun_)),
      stream_(std::move(stream)),
      parser_(context.options.head_max) {
  request_.remote = stream_.remote();
  request_.local = stream_.local();
}

Connection::~Connection() {
  list_.leave(place_);
}

void Connection::ask_to_stop() {
  stopping_ = true;
  if (idle_) stream_.close();
  if (source_ != nullptr) source_->stop();
}

void Connection::give_way() {
  stream_.close();
  list_.work(place_);  // of nobody else's concern while it ends
}

Task<void> Connection::run(std::shared_ptr<const net::TlsServerContext> tls) {
  if (tls) {
    const auto secured =
        co_await stream_.start_tls_server(std::move(tls), begun_ + context_.options.head_timeout);
    if (!secured) co_return;
    request_.is_secure = true;
  }
  for (bool going_on = true; going_on;) going_on = co_await serve_request();
  stream_.close();
  if (thrown_) std::rethrow_exception(thrown_);
}

Task<void> Connection::refuse(std::string_view reason,
                              std::shared_ptr<const net::TlsServerContext> tls) {
  if (tls) {
    const auto secured =
        co_await stream_.start_tls_server(std::move(tls), begun_ + context_.options.linger_timeout);
    if (!secured) co_return;
  }
  is_refused_ = true;
  parser_.start(request_);
  co_await send(refusal(reason), false);
  co_await linger();
}

Task<Connection::Head> Connection::read_head() {
  const ServerOptions& options = context_.options;
  parser_.start(request_);
  idle_ = input_.empty();
  const SteadyInstant now = context_.clock.steady_now();
  if (!first_) list_.wait(place_, now);
  // A client that has yet to show what it wants has one deadline for TLS, silence and head.
  SteadyInstant deadline = first_ ? begun_ + options.head_timeout
                                  : now + (idle_ ? options.idle_timeout : options.head_timeout);
  for (;;) {
    if (!idle_) {
      auto step = parser_.step(input_.view());
      if (!step) {
        list_.work(place_);
        failure_ = std::move(step.error());
        co_return Head::failed;
      }
      input_.consume(step->consumed);
      if (step->event == RequestParser::Event::head) break;
    } else if (stopping_) {
      co_return Head::gone;
    }
    const auto got = co_await stream_.read_some(input_.space(), deadline);
    const bool was_idle = std::exchange(idle_, false);
    if (!got && got.error().kind == ErrorKind::timeout && !was_idle) {
      list_.work(place_);
      failure_ = {408, "the request's head did not come in time"};
      co_return Head::failed;
    }
    if (!got || *got == 0) co_return Head::gone;
    input_.commit(*got);
    if (was_idle && !first_) deadline = after(options.head_timeout);
  }
  list_.work(place_);
  first_ = false;
  co_return Head::ready;
}

Task<bool> Connection::serve_request() {
  wiped_ = false;
  body_received_ = 0;
  body_waited_ = {};
  continue_sent_ = peer_gone_ = false;
  failure_.reset();
  body_error_.reset();
  const Head head = co_await read_head();
  if (head == Head::gone) co_return false;
  const SteadyInstant begun = context_.clock.steady_now();
  context_.requests.fetch_add(1, std::memory_order_relaxed);
  fmt::format_to(std::back_inserter(request_.id), FMT_COMPILE("{:016x}"), context_.ids.next());

  Router::Match match;
  Response response;
  if (head == Head::ready) {
    match = context_.router.find(request_.method, request_.raw_path, request_.parameters);
    wiped_ = match.route != nullptr && match.route->options.wiped;
    if (wiped_) input_.hold_secrets();
    response = co_await handle(match);
    if (wiped_) forget_body(!parser_.complete());
    leave_room();
  }
  if (peer_gone_) {
    observe(match.route, 0, begun);
    co_return false;
  }
  if (failure_ && failure_->status == 503) {
    response = refusal(failure_->reason);
  } else if (failure_) {
    response = failure_response(failure_->status, failure_->reason);
  }
  if (!may_hold(response)) response = refusal("too many clients have yet to read their answers");
  const bool reusable = !failure_ && !thrown_ && rest_is_skippable() && parser_.keep_alive();
  const int status = response.status;
  const bool sent = co_await send(std::move(response), reusable);
  observe(match.route, sent ? status : 0, begun);
  if (!sent) co_return false;
  bool going_on = keep_alive_ && !stopping_;
  if (going_on && !parser_.complete()) going_on = co_await skip_rest();
  if (!going_on) co_await linger();
  if (wiped_) forget_body(false);
  release_memory();
  co_return going_on;
}

Task<Response> Connection::handle(const Router::Match& match) {
  if (match.route == nullptr) {
    const std::string_view reason = match.status == 405   ? "this path does not know the method"
                                    : match.status == 400 ? "the path cannot be decoded"
                                                          : "there is nothing at this path";
    Response response = failure_response(match.status, std::string(reason));
    if (!match.allow.empty()) response.headers.set("Allow", match.allow);
    co_return response;
  }
  const Route& route = *match.route;
  body_max_ = route.options.body_max;
  if (parser_.content_length().value_or(0) > body_max_) {
    failure_ = {413, fmt::format("the body is longer than {} octets", body_max_)};
    co_return Response();
  }
  if (route.options.streaming) {
    RequestBody body(*this);
    co_return co_await call_handler(route, body);
  }
  const auto text = co_await collect_body(0);
  if (!text) co_return Response();
  RequestBody body(*this, *text);
  co_return co_await call_handler(route, body);
}

Task<Response> Connection::call_handler(const Route& route, Body& body) {
  try {
    co_return co_await route.handler(request_, body);
  } catch (...) {
    // The task group logs and counts it when run() throws it again.
    thrown_ = std::current_exception();
  }
  co_return failure_response(500, "the request could not be handled");
}

Response Connection::failure_response(int status, std::string reason) {
  Response response = context_.options.failure_responder({status, std::move(reason)}, request_);
  response.status = status;
  return response;
}

Response Connection::refusal(std::string_view reason) {
  Response response = failure_response(503, std::string(reason));
  // Those that are refused together come back one after the other.
  response.headers.set("Retry-After", std::to_string(1 + context_.ids.below(kRetryAfterMax)));
  return response;
}

std::unexpected<Error> Connection::body_failed(ErrorKind kind, Failure failure) {
  body_error_ = Error{kind, failure.reason};
  failure_ = std::move(failure);
  return fail(*body_error_);
}

Task<Result<std::string_view>> Connection::next_piece() {
  if (body_error_) co_return fail(*body_error_);
  for (;;) {
    auto step = parser_.step(input_.view());
    if (!step) co_return body_failed(ErrorKind::invalid_input, std::move(step.error()));
    input_.consume(step->consumed);
    if (step->event == RequestParser::Event::end) co_return std::string_view();
    if (step->event == RequestParser::Event::body) {
      body_received_ += step->piece.size();
      if (body_received_ > body_max_) {
        co_return body_failed(ErrorKind::limit_exceeded,
                              {413, fmt::format("the body is longer than {} octets", body_max_)});
      }
      co_return step->piece;
    }
    const Result<void> more = co_await read_more_body();
    if (!more) co_return fail(more.error());
  }
}

Task<Result<void>> Connection::read_more_body() {
  if (parser_.expects_continue() && !continue_sent_) {
    continue_sent_ = true;
    // RFC 9110 section 10.1.1: not needed if the body is coming already.
    if (input_.empty()) {
      const bool sent = co_await write("HTTP/1.1 100 Continue\r\n\r\n", {}, {});
      if (!sent) {
        peer_gone_ = true;
        body_error_ = Error{ErrorKind::closed, "the client left"};
        co_return fail(*body_error_);
      }
    }
  }
  const ServerOptions& options = context_.options;
  const SteadyInstant begun = context_.clock.steady_now();
  const SteadyInstant deadline =
      begun + patience(options.body_timeout, body_received_, options.body_rate_min, body_waited_);
  const std::uint64_t left = parser_.body_left().value_or(InputBuffer::kLarge);
  // What is not counted stays small.
  const bool is_large = left > InputBuffer::kSmall && (!collects_ || body_place_);
  const std::size_t wanted = is_large ? InputBuffer::kLarge : InputBuffer::kSmall;
  if (body_place_ && !body_place_->begin_waiting(begun)) co_return no_room(kTooSlow);
  const auto got = co_await stream_.read_some(input_.space(wanted), deadline);
  const Microseconds waited = context_.clock.steady_now() - begun;
  body_waited_ += waited;
  if (body_place_ && !body_place_->end_waiting(waited, got.value_or(0))) {
    co_return no_room(kTooSlow);
  }
  if (got && *got > 0) {
    input_.commit(*got);
    co_return Result<void>();
  }
  if (!got && got.error().kind == ErrorKind::timeout) {
    co_return body_failed(ErrorKind::timeout, {408, "the body did not come in time"});
  }
  peer_gone_ = true;
  body_error_ =
      got ? Error{ErrorKind::closed, "the client left before the body's end"} : got.error();
  co_return fail(*body_error_);
}

Task<Result<std::string_view>> Connection::collect_body(std::uint64_t owner) {
  collects_ = true;
  const auto announced = static_cast<std::size_t>(parser_.content_length().value_or(0));
  std::size_t room = BodyRoom::kCountedOctets;
  if (announced > room) {
    // Before the client is told to continue: who is refused need not send it.
    room = announced;
    body_place_ = std::make_unique<BodyPlace>(*this, owner);
    const bool found = co_await find_room(room);
    if (!found) co_return no_room(kNoRoom);
  }
  auto piece = co_await next_piece();
  if (!piece || parser_.complete()) co_return piece;
  body_.clear();
  if (announced > 0) reserve_body(announced);
  while (piece && !piece->empty()) {
    if (body_.size() + piece->size() > room) {
      room = std::min(body_max_, 2 * (body_.size() + piece->size()));
      if (!body_place_) body_place_ = std::make_unique<BodyPlace>(*this, owner);
      const bool found = co_await find_room(room);
      if (!found) co_return no_room(kNoRoom);
      reserve_body(room);
    }
    append_to_body(*piece);
    piece = co_await next_piece();
  }
  if (!piece) co_return fail(piece.error());
  co_return std::string_view(body_);
}

void Connection::append_to_body(std::string_view piece) {
  if (body_.size() + piece.size() > body_.capacity()) {
    reserve_body(2 * (body_.size() + piece.size()));
  }
  body_.append(piece);
}

// What is moved leaves no copy behind where it is to be wiped.
void Connection::reserve_body(std::size_t octets) {
  if (octets <= body_.capacity()) return;
  std::string larger;
  larger.reserve(octets);
  larger = body_;
  if (wiped_) wipe(body_);
  body_.swap(larger);
}

Task<bool> Connection::find_room(std::size_t octets) {
  const SteadyInstant last = after(context_.options.displaced_after);
  for (bool waiting = true; waiting;) {
    const SteadyInstant now = context_.clock.steady_now();
    if (body_place_->grow(octets + InputBuffer::kLarge, now)) co_return true;
    if (stopping_ || now > last) break;
    waiting = co_await async::sleep_for(kRoomPause);
  }
  context_.bodies.refused();
  co_return false;
}

std::unexpected<Error> Connection::no_room(std::string_view reason) {
  return body_failed(ErrorKind::unavailable, {503, std::string(reason)});
}

void Connection::lose_room() {
  // If it does not wait for its client, it hears of it when it next would.
  if (body_place_ && body_place_->waits()) give_way();
}

void Connection::leave_room() {
  collects_ = false;
  if (!body_place_) return;
  std::string().swap(body_);
  body_place_.reset();
}

void Connection::forget_body(bool more) {
  wipe(body_);
  input_.wipe_used(more);
}

bool Connection::rest_is_skippable() const {
  if (parser_.complete()) return true;
  // RFC 9110 section 10.1.1: a client that was not told to continue may or may not send the body.
  if (parser_.expects_continue() && !continue_sent_ && input_.empty()) return false;
  return parser_.body_left().value_or(kSkipMax + 1) <= kSkipMax;
}

Task<bool> Connection::skip_rest() {
  body_max_ = SIZE_MAX;
  continue_sent_ = true;
  for (;;) {
    const auto piece = co_await next_piece();
    if (!piece) co_return false;
    if (piece->empty()) co_return true;
  }
}

bool Connection::may_hold(const Response& response) {
  const std::size_t octets = response.body.size();
  if (response.source || octets < HeldBodies::kCountedOctets) return true;
  const SteadyInstant latest = context_.clock.steady_now() - context_.options.displaced_after;
  while (!context_.held.has_room(octets)) {
    Connection* const longest = context_.held.give_up_longest(latest);
    if (longest == nullptr) return false;
    context_.responses_cut.fetch_add(1, std::memory_order_relaxed);
    longest->give_way();
  }
  return true;
}

Task<bool> Connection::send(Response response, bool keep_alive) {
  sent_ = 0;
  send_waited_ = {};
  const bool bodiless = has_no_body(response.status);
  HeadFacts facts{.framing = Framing::length,
                  .length = response.body.size(),
                  .keep_alive = keep_alive && !stopping_,
                  .is_http_1_1 = request_.is_http_1_1,
                  .date = context_.date.at(context_.clock.now()),
                  .request_id = request_.id};
  if (bodiless)
    facts.framing = Framing::none;
  else if (response.source) {
    if (const auto length = response.source->length())
      facts.length = *length;
    else
      facts.framing = request_.is_http_1_1 ? Framing::chunked : Framing::until_close;
  }
  if (facts.framing == Framing::until_close) facts.keep_alive = false;
  keep_alive_ = facts.keep_alive;
  output_.clear();
  append_response_head(output_, response, facts);
  if (bodiless || request_.method == Method::head) co_return co_await write(output_, {}, {});
  if (!response.source) co_return co_await send_held(response.body);
  const bool begun = co_await write(output_, {}, {});
  if (!begun) co_return false;
  source_ = response.source.get();
  source_->begin([this] { return stream_.has_input(); });
  if (stopping_) source_->stop();
  const bool sent = co_await send_source(*response.source, facts.framing == Framing::chunked);
  source_ = nullptr;
  co_return sent;
}

Task<bool> Connection::send_held(std::string_view body) {
  if (body.size() < HeldBodies::kCountedOctets) co_return co_await send_whole(body);
  const HeldBody held(context_.held, *this, body.size(), context_.clock.steady_now());
  co_return co_await send_whole(body);
}

Task<bool> Connection::send_whole(std::string_view body) {
  std::string_view head = output_;
  do {
    const std::string_view slice = body.substr(0, kWriteSlice);
    const bool sent = co_await write(head, slice, {});
    if (!sent) co_return false;
    head = {};
    body.remove_prefix(slice.size());
  } while (!body.empty());
  co_return true;
}

Task<bool> Connection::send_source(BodySource& source, bool chunked) {
  std::uint64_t left = source.length().value_or(UINT64_MAX);
  for (;;) {
    const auto piece = co_await source.read();
    if (!piece) co_return false;
    if (piece->empty()) break;
    // More or less than announced would be taken for the next response.
    if (piece->size() > left) co_return false;
    left -= piece->size();
    std::array<char, 20> size;
    const auto end = chunked ? fmt::format_to(size.begin(), FMT_COMPILE("{:x}\r\n"), piece->size())
                             : size.begin();
    const std::string_view prefix(size.data(), static_cast<std::size_t>(end - size.begin()));
    const bool sent = co_await write(prefix, *piece, chunked ? "\r\n" : "");
    if (!sent) co_return false;
  }
  if (!chunked) co_return !source.length() || left == 0;
  co_return co_await write("0\r\n\r\n", {}, {});
}

Task<bool> Connection::write(std::string_view first, std::string_view second,
                             std::string_view third) {
  const std::array<std::string_view, 3> pieces = {first, second, third};
  const ServerOptions& options = context_.options;
  const SteadyInstant begun = context_.clock.steady_now();
  const SteadyInstant deadline =
      begun + patience(options.write_timeout, sent_, options.write_rate_min, send_waited_);
  const auto written = co_await stream_.write(pieces, deadline);
  send_waited_ += context_.clock.steady_now() - begun;
  sent_ += first.size() + second.size() + third.size();
  co_return written.has_value();
}

Task<void> Connection::linger() {
  stream_.finish_writing();
  // Closing a socket with unread input makes the system send a reset, and the peer may lose the
  // response with it (RFC 9112 section 9.6). A client that asked for the end sends no more.
  const bool nothing_comes = parser_.complete() && !parser_.keep_alive() && input_.empty();
  if (nothing_comes && !stream_.has_input()) co_return;
  list_.wait(place_, context_.clock.steady_now());
  const ServerOptions& options = context_.options;
  // Who was too slow for its request, or is told that there is no place, does not get much more.
  const bool is_brief = is_refused_ || (failure_ && failure_->status == 408);
  const int rounds = is_brief ? 1 : kLingerRounds;
  const SteadyInstant last = after(rounds * options.linger_timeout);
  for (;;) {
    input_.consume(input_.view().size());
    const SteadyInstant deadline = std::min(last, after(options.linger_timeout));
    const auto got = co_await stream_.read_some(input_.space(), deadline);
    if (!got || *got == 0) co_return;
    input_.commit(*got);
  }
}

void Connection::observe(const Route* route, int status, SteadyInstant begun) {
  if (!context_.options.observer) return;
  context_.options.observer({.request = request_,
                             .route = route,
                             .status = status,
                             .body_received = body_received_,
                             .duration = context_.clock.steady_now() - begun});
}

void Connection::release_memory() {
  input_.shrink();
  if (body_.capacity() > kKeptMemoryMax) std::string().swap(body_);
  if (output_.capacity() > kKeptMemoryMax) std::string().swap(output_);
}

}  // namespace todoku::http
