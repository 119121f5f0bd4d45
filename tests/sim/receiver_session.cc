// SPDX-License-Identifier: Apache-2.0
#include "sim/receiver_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/this_coro.hpp>
#include <sys/socket.h>

#include "async/timer.h"

namespace todoku::sim {

Task<void> Receiver::Session::run(Receiver& receiver, int socket, Caller caller,
                                  SteadyInstant dialled, std::uint64_t number) {
  Socket taken(co_await boost::asio::this_coro::executor, Protocol(AF_UNIX, 0), socket);
  Session session(receiver, std::move(taken), std::move(caller), dialled, number);
  co_await session.work();
}

Receiver::Session::Session(Receiver& receiver, Socket socket, Caller caller, SteadyInstant dialled,
                           std::uint64_t number)
    : receiver_(receiver),
      script_(receiver.script_),
      socket_(std::move(socket)),
      caller_(std::move(caller)),
      dialled_(dialled),
      number_(number),
      options_{.hostname = "mx." + script_.name + ".example",
               .ehlo = script_.ehlo,
               .pipelining = script_.pipelining,
               .chunking = script_.chunking},
      session_(options_) {
  receiver_.sessions_.push_back(this);
  // Early ones too: most connections carry little.
  constexpr std::uint64_t kOctets = 6'000;
  constexpr std::uint64_t kAnswers = 12;
  if (chance(script_.breaks_reading)) octets_read_max_ = receiver_.random_.below(kOctets);
  if (chance(script_.breaks_answering)) answers_max_ = 1 + receiver_.random_.below(kAnswers);
}

Receiver::Session::~Session() {
  std::erase(receiver_.sessions_, this);
}

void Receiver::Session::cut(unsigned run) {
  if (caller_.run != run) return;
  cut_ = true;
  // A sender that had lost patience and hung up before has recorded its doubt by itself.
  char next = 0;
  const bool hung_up = ::recv(socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  if (!hung_up) {
    for (const std::size_t place : untold_) receiver_.takes_[place].cut = true;
  }
  // What is in the socket's buffer can still be read.
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
}

Task<void> Receiver::Session::work() {
  std::array<char, 8192> buffer;
  std::string_view input;
  bool over = false;
  while (advance(input, over)) {
    const bool told = co_await answer();
    if (!told || over) break;
    const auto [error, count] = co_await socket_.async_read_some(
        boost::asio::mutable_buffer(buffer.data(), buffer.size()), async::as_result);
    if (error) break;
    // Lost after so many octets: the rest of what was sent never arrives.
    const std::size_t left = octets_read_max_ - octets_read_;
    if (count >= left) {
      input = std::string_view(buffer.data(), left);
      (void)advance(input, over);
      receiver_.trace_.line("{} #{} lost while reading", script_.name, number_);
      break;
    }
    octets_read_ += count;
    input = std::string_view(buffer.data(), count);
  }
}

bool Receiver::Session::advance(std::string_view& input, bool& over) {
  using Event = smtp::ServerEvent;
  while (true) {
    const smtp::ServerStep step = session_.next(input);
    switch (step.event) {
      case Event::need_input:
        return true;
      case Event::close:
        over = true;
        return true;
      case Event::content:
        content_ += step.text;
        break;
      case Event::discard:
        content_.clear();
        break;
      case Event::connect:
        on_connect();
        break;
      case Event::hello:
        if (!on_hello()) return false;
        break;
      case Event::mail:
        on_mail();
        break;
      case Event::recipient:
        on_recipient();
        break;
      case Event::message:
        if (!on_message()) return false;
        break;
      case Event::data:
      case Event::chunk:
      case Event::reset:
      case Event::quit:
      case Event::start_tls:
      case Event::auth:
      case Event::auth_response:
      case Event::tls:
        session_.accept();
        break;
    }
  }
}

void Receiver::Session::on_connect() {
  if (receiver_.troubled_by(Trouble::greets_with_421)) {
    session_.answer({421, "4.3.2 not now"});
  } else if (receiver_.troubled_by(Trouble::greets_with_554)) {
    session_.answer({554, "5.7.1 not you"});
  } else {
    session_.accept();
  }
}

bool Receiver::Session::on_hello() {
  if (receiver_.troubled_by(Trouble::hangs_up_at_hello)) return false;
  session_.accept();
  return true;
}

void Receiver::Session::on_mail() {
  content_.clear();
  const bool enough = script_.mails_until_421 > 0 && mails_ >= script_.mails_until_421;
  if (enough || receiver_.troubled_by(Trouble::says_421_at_mail) || chance(script_.mail_421)) {
    receiver_.trace_.line("{} #{} 421 at MAIL", script_.name, number_);
    session_.answer({421, "4.7.0 enough for this connection"});
    return;
  }
  const SteadyInstant now = receiver_.clock_.steady_now();
  receiver_.begun_[caller_].push_back(mails_ == 0 ? dialled_ : now);
  receiver_.heard_[caller_.run].push_back(now);
  ++mails_;
  session_.accept();
}

void Receiver::Session::on_recipient() {
  recipient_ = session_.recipient().to_string();
  if (script_.greylists && receiver_.seen_.insert(recipient_).second) {
    session_.answer({451, "4.7.1 greylisted, come back later"});
  } else if (chance(script_.refused_for_good)) {
    receiver_.refused_[recipient_].insert(caller_.run);
    session_.answer({550, "5.1.1 no such user"});
  } else if (chance(script_.refused_for_now)) {
    session_.answer({452, "4.2.2 mailbox full"});
  } else {
    session_.accept();
    return;
  }
  receiver_.trace_.line("{} #{} refuses {}", script_.name, number_, recipient_);
}

bool Receiver::Session::on_message() {
  if (chance(script_.refused_content)) {
    const bool for_good = chance(0.5);
    if (for_good) receiver_.refused_[recipient_].insert(caller_.run);
    receiver_.trace_.line("{} #{} refuses the content for {}", script_.name, number_, recipient_);
    session_.answer(for_good ? Reply{554, "5.7.1 spam"} : Reply{451, "4.3.0 try again"});
    return true;
  }
  take();
  if (chance(script_.silent_takes)) {
    receiver_.trace_.line("{} #{} lost after the final dot", script_.name, number_);
    return false;
  }
  session_.accept();
  hangs_up_ = script_.hangs_up_after > 0 && mails_ >= script_.hangs_up_after;
  return true;
}

void Receiver::Session::take() {
  const bool intact =
      content_.find(code_of(recipient_)) != std::string::npos && content_.ends_with("\r\n");
  receiver_.trace_.line("{} #{} takes {} ({} octets{})", script_.name, number_, recipient_,
                        content_.size(), intact ? "" : ", not intact");
  untold_.push_back(receiver_.takes_.size());
  receiver_.takes_.push_back({.address = recipient_,
                              .at = receiver_.clock_.steady_now(),
                              .run = caller_.run,
                              .cut = cut_,
                              .intact = intact});
  content_.clear();
}

Task<bool> Receiver::Session::answer() {
  if (session_.output().empty()) co_return true;
  if (answers_ == 0 && receiver_.troubled_by(Trouble::never_greets)) {
    // Until the client gives up.
    char octet = 0;
    [[maybe_unused]] const auto [error, count] =
        co_await socket_.async_read_some(boost::asio::mutable_buffer(&octet, 1), async::as_result);
    co_return false;
  }
  Microseconds wait = receiver_.troubled_by(Trouble::tarpits) ? script_.tarpit : script_.latency;
  if (chance(script_.slow_answers)) {
    wait += Microseconds(
        receiver_.random_.below(static_cast<std::uint64_t>(script_.slow_by.count()) + 1));
  }
  const bool awake = co_await async::sleep_for(wait);
  if (!awake) co_return false;
  std::string_view words = session_.output();
  const bool breaks = ++answers_ >= answers_max_;
  if (breaks) words = words.substr(0, receiver_.random_.below(words.size()));
  // Answers are short and the buffer is empty: a socket takes them whole or not at all.
  const auto sent =
      ::send(socket_.native_handle(), words.data(), words.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  const bool whole = sent == static_cast<ssize_t>(session_.output().size());
  for (const std::size_t place : untold_) receiver_.takes_[place].told = whole;
  untold_.clear();
  if (!whole) {
    receiver_.trace_.line("{} #{} lost while answering", script_.name, number_);
    co_return false;
  }
  session_.clear_output();
  if (hangs_up_) receiver_.trace_.line("{} #{} hangs up", script_.name, number_);
  co_return !hangs_up_;
}

}  // namespace todoku::sim
