// SPDX-License-Identifier: Apache-2.0
#include "dns/ask_server.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "async/timer.h"
#include "async/timer_clock.h"
#include "base/bilingual.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "dns/server_answer.h"
#include "dns/wire.h"
#include "net/dialer.h"

namespace todoku::dns {
namespace {

using mailauth::DnsQuestion;
using mailauth::FactType;
using mailauth::ServerAnswer;
using UdpSocket = boost::asio::basic_datagram_socket<boost::asio::ip::udp, async::Executor>;

struct Open {
  DnsQuestion question;
  std::uint16_t id = 0;
  std::string query;
  bool truncated = false;
};

ServerAnswer no_answer(BilingualText reason) {
  ServerAnswer answer;
  answer.status = ServerAnswer::Status::failed;
  answer.reason = std::move(reason.en);
  answer.reason_ja = std::move(reason.ja);
  return answer;
}

// In the system's words, which are English.
BilingualText not_reached(const boost::system::error_code& error) {
  return {fmt::format("it cannot be reached: {}", error.message()),
          fmt::format("到達できません（{}）", error.message())};
}

// Ids that nobody guesses who does not see the questions (RFC 5452 section 9.2).
std::vector<Open> opened(std::vector<DnsQuestion> questions, mailauth::ServerAnswers& answers) {
  const std::string random = random_octets(questions.size() * 2);
  std::vector<Open> open;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto id = static_cast<std::uint16_t>((static_cast<std::uint8_t>(random[2 * i]) << 8) |
                                               static_cast<std::uint8_t>(random[2 * i + 1]));
    auto query = make_query(id, questions[i].name, wire_type_of(questions[i].type), false);
    if (!query) {
      answers[questions[i]] =
          no_answer({query.error().detail,
                     fmt::format("問い合わせできない名前です（{}）", query.error().detail)});
      continue;
    }
    open.push_back({.question = std::move(questions[i]), .id = id, .query = std::move(*query)});
  }
  return open;
}

// Which question `message` answers. What answers none is no answer at all.
std::vector<Open>::iterator answered_by(std::vector<Open>& open, const WireMessage& message) {
  return std::ranges::find_if(open, [&](const Open& each) {
    return message.is_answer && each.id == message.id && each.question.name == message.name &&
           wire_type_of(each.question.type) == message.type;
  });
}

void take_datagram(WireOctets octets, std::vector<Open>& open, mailauth::ServerAnswers& answers) {
  const auto message = parse_message(octets);
  if (!message) return;
  const auto found = answered_by(open, *message);
  if (found == open.end() || found->truncated) return;
  if (message->truncated) {
    found->truncated = true;
    return;
  }
  answers[found->question] = server_answer(*message, found->question);
  open.erase(found);
}

bool waits_for_datagrams(const std::vector<Open>& open) {
  return std::ranges::any_of(open, [](const Open& each) { return !each.truncated; });
}

boost::asio::ip::udp::endpoint udp_endpoint(const net::Endpoint& server) {
  boost::system::error_code ignored;
  return {boost::asio::ip::make_address(server.address.to_string(), ignored), server.port};
}

// One attempt: asks what is open, and takes what comes until the time is up. nullopt: nothing went
// wrong here.
Task<std::optional<BilingualText>> ask_datagrams(
    std::shared_ptr<UdpSocket> socket,
    std::vector<Open>& open,           // NOLINT(*-reference-coroutine-parameters)
    mailauth::ServerAnswers& answers,  // NOLINT(*-reference-coroutine-parameters)
    Milliseconds time) {
  for (const Open& each : open) {
    if (each.truncated) continue;
    const auto [error, sent] =
        co_await socket->async_send(boost::asio::buffer(each.query), async::as_result);
    // ICMP's word about a datagram before.
    if (error) co_return not_reached(error);
  }
  async::SteadyTimer timer(socket->get_executor());
  timer.expires_after(time);
  timer.async_wait([socket](const boost::system::error_code& error) {
    boost::system::error_code ignored;
    if (!error) socket->cancel(ignored);
  });
  std::array<std::uint8_t, 4'096> octets{};
  std::optional<BilingualText> problem;
  while (waits_for_datagrams(open)) {
    const auto [error, size] =
        co_await socket->async_receive(boost::asio::buffer(octets), async::as_result);
    if (error == boost::asio::error::operation_aborted) break;
    if (error) {
      problem = not_reached(error);
      break;
    }
    take_datagram(WireOctets(octets).first(size), open, answers);
  }
  timer.cancel();
  co_return problem;
}

Task<Result<std::string>> read_octets(
    net::Stream& stream,  // NOLINT(*-reference-coroutine-parameters)
    std::size_t count, SteadyInstant deadline) {
  std::string octets(count, '\0');
  std::size_t at = 0;
  while (at < count) {
    const auto got = co_await stream.read_some(std::span(octets).subspan(at), deadline);
    if (!got) co_return fail(got.error());
    if (*got == 0) co_return fail(ErrorKind::closed, "it closed the connection");
    at += *got;
  }
  co_return octets;
}

Task<Result<WireMessage>> ask_over(net::Stream& stream,  // NOLINT(*-reference-coroutine-parameters)
                                   const Open& open,     // NOLINT(*-reference-coroutine-parameters)
                                   SteadyInstant deadline) {
  std::string framed{static_cast<char>(open.query.size() >> 8U),
                     static_cast<char>(open.query.size() & 0xFFU)};
  framed += open.query;
  const auto written = co_await stream.write(framed, deadline);
  if (!written) co_return fail(written.error());
  const auto head = co_await read_octets(stream, 2, deadline);
  if (!head) co_return fail(head.error());
  const auto size = static_cast<std::size_t>((static_cast<std::uint8_t>((*head)[0]) << 8) |
                                             static_cast<std::uint8_t>((*head)[1]));
  const auto octets = co_await read_octets(stream, size, deadline);
  if (!octets) co_return fail(octets.error());
  co_return parse_message(as_octets(*octets));
}

// What did not fit.
Task<void> ask_by_stream(
    net::Endpoint server,
    std::vector<Open>& open,           // NOLINT(*-reference-coroutine-parameters)
    mailauth::ServerAnswers& answers,  // NOLINT(*-reference-coroutine-parameters)
    Milliseconds time) {
  const SteadyInstant deadline =
      std::chrono::time_point_cast<SteadyInstant::duration>(async::TimerClock::now() + time);
  auto stream = co_await net::dial(server, {}, deadline);
  for (const Open& each : open) {
    if (!each.truncated) continue;
    if (!stream) {
      const std::string& detail = stream.error().detail;
      answers[each.question] =
          no_answer({fmt::format("its answer does not fit UDP, and over TCP: {}", detail),
                     fmt::format("応答が UDP に収まらず、TCP でも失敗しました（{}）", detail)});
      continue;
    }
    const auto message = co_await ask_over(*stream, each, deadline);
    std::vector<Open> one{each};
    const bool fits = message && answered_by(one, *message) != one.end();
    if (fits) {
      answers[each.question] = server_answer(*message, each.question);
      continue;
    }
    const std::string detail = message ? "another answer" : message.error().detail;
    answers[each.question] = no_answer(
        {fmt::format("over TCP: {}", detail),
         message ? "TCP で別の応答が返りました" : fmt::format("TCP での失敗（{}）", detail)});
  }
}

}  // namespace

Task<mailauth::ServerAnswers> ask_server(net::Endpoint server, std::vector<DnsQuestion> questions,
                                         AskServerOptions options) {
  mailauth::ServerAnswers answers;
  std::vector<Open> open = opened(std::move(questions), answers);
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto socket = std::make_shared<UdpSocket>(executor);
  boost::system::error_code error;
  // Connected, so that the kernel takes answers from this server only.
  socket->connect(udp_endpoint(server), error);
  std::optional<BilingualText> problem;
  if (error) problem = not_reached(error);
  for (int i = 0; i < options.attempts && !error && waits_for_datagrams(open); ++i) {
    problem = co_await ask_datagrams(socket, open, answers, options.attempt);
  }
  if (std::ranges::any_of(open, &Open::truncated)) {
    co_await ask_by_stream(server, open, answers, options.attempt);
  }
  if (!problem) problem = BilingualText{"it does not answer", "応答がありません"};
  for (const Open& each : open) {
    if (!each.truncated) answers[each.question] = no_answer(*problem);
  }
  co_return answers;
}

Task<Result<ZoneServers>> find_zone_servers(
    Resolver& resolver,  // NOLINT(*-reference-coroutine-parameters)
    AskNameServers name_servers, std::string domain, std::uint16_t port) {
  ZoneServers found;
  std::vector<std::string> names;
  bool is_denied = false;
  for (std::string zone = domain; zone.find('.') != std::string::npos && names.empty();
       zone.erase(0, zone.find('.') + 1)) {
    auto answer = co_await name_servers(zone);
    if (!answer && answer.error().kind != ErrorKind::not_found) co_return fail(answer.error());
    is_denied |= !answer;
    if (!answer) continue;
    names = std::move(answer->records);
    found.zone = zone;
  }
  // What is there is delegated to somebody: a resolver that tells of no NS records, but denies no
  // name either, withholds them or answers something else.
  if (names.empty() && !is_denied && domain.find('.') != std::string::npos) {
    co_return fail(ErrorKind::unavailable,
                   fmt::format("the resolver says that {} is there, but names no servers of it or "
                               "of a domain above",
                               domain));
  }
  if (names.empty()) {
    co_return fail(ErrorKind::not_found,
                   fmt::format("neither {} nor a domain above it has name servers", domain));
  }
  std::ranges::sort(names);
  if (names.size() > kZoneServersMax) names.resize(kZoneServersMax);
  for (std::string& name : names) {
    std::vector<net::IpAddress> addresses;
    const auto v4 = co_await resolver.a(name);
    if (v4) addresses = v4->records;
    const auto v6 = co_await resolver.aaaa(name);
    if (v6 && addresses.empty()) addresses = v6->records;
    if (addresses.size() > kServerAddressesMax) addresses.resize(kServerAddressesMax);
    for (const net::IpAddress& address : addresses) {
      found.servers.push_back({.name = name, .at = {.address = address, .port = port}});
    }
    if (addresses.empty()) found.without_address.push_back(std::move(name));
  }
  co_return found;
}

}  // namespace todoku::dns
