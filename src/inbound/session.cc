// SPDX-License-Identifier: Apache-2.0
#include "inbound/session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "net/client_counts.h"

namespace todoku::inbound {
namespace {

using smtp::ServerAnswer;
using smtp::ServerEvent;
using smtp::ServerStep;

constexpr std::size_t kMailIdOctets = 8;

ServerAnswer said(int code, std::string_view text) {
  return {.reply = Reply{code, std::string(text)}};
}

}  // namespace

SessionMetrics::SessionMetrics(Metrics& metrics)
    : connections(metrics.counter("todoku_inbound_connections_total",
                                  "Connections that bring mail to us and were greeted.")),
      unknown(metrics.counter("todoku_inbound_unknown_recipients_total",
                              "Recipients of mail that came in who are not there: forged or "
                              "mistyped return paths, and guesses.")),
      refusals(metrics.counter("todoku_inbound_refusals_total",
                               "Negative replies to who brings mail to us.")),
      octets(metrics.counter("todoku_inbound_octets_total", "Octets of mail that came in.")) {}

Session::Session(const SessionWorld& world, net::Stream stream, net::IpAddress client)
    : world_(world),
      client_(client),
      remote_(stream.remote()),
      connection_(settings(), std::move(stream), *this),
      conversing_(connection_.executor()) {}

smtp::ServerSettings Session::settings() const {
  const Milliseconds idle = world_.options.idle;
  return {.protocol = world_.protocol,
          .clock = world_.clock,
          .patience = {.command = idle, .content = idle, .write = idle}};
}

Task<void> Session::run() {
  conversing_.spawn("inbound dialogue", converse());
  while (conversing_.size() > 0) {
    const bool over = co_await conversing_.wait_empty_until(SteadyInstant::max());
    if (!over) conversing_.cancel();
  }
  transaction_.reset();
}

Task<void> Session::converse() {
  (void)co_await connection_.run();
}

Task<ServerAnswer> Session::answer(ServerStep step) {
  switch (step.event) {
    case ServerEvent::connect:
      co_return greet();
    case ServerEvent::mail:
      co_return begin_mail();
    case ServerEvent::recipient:
      co_return add_recipient();
    case ServerEvent::data:
    case ServerEvent::chunk:
      begin_content();
      break;
    case ServerEvent::message:
      co_return co_await finish();
    case ServerEvent::hello:
    case ServerEvent::reset:
    case ServerEvent::quit:
      transaction_.reset();
      break;
    default:
      break;
  }
  co_return ServerAnswer{};
}

ServerAnswer Session::greet() {
  if (world_.stopping) {
    return said(kServiceClosing, "4.3.2 The service is stopping, come back in a moment");
  }
  world_.metrics.connections.add();
  return said(220, world_.options.hostname + " ESMTP todoku");
}

ServerAnswer Session::begin_mail() {
  transaction_.reset();
  if (world_.stopping) {
    return said(kServiceClosing, "4.3.2 The service is stopping, come back in a moment");
  }
  const std::array limits{MinuteMeter::Limit{.name = "n " + net::client_of(client_).to_string(),
                                             .most = world_.options.network_messages_per_minute}};
  if (world_.meter.admit(limits, 1, world_.clock.steady_now())) {
    return said(451, "4.7.0 Too much mail from your network, come back in a minute");
  }
  transaction_.emplace();
  if (const auto& sender = connection_.session().mail().sender) {
    transaction_->envelope.sender = sender->to_string();
  }
  return {};
}

ServerAnswer Session::add_recipient() {
  if (!transaction_) return said(503, "5.5.1 MAIL first");
  Address address = connection_.session().recipient();
  // RFC 5321 section 4.5.1: <postmaster> without a domain is ours, whatever we are called.
  if (address.domain == world_.options.hostname) address.domain = world_.options.domains.front();
  const auto addressee = addressee_of(address, world_.options, world_.secret);
  if (!addressee) {
    world_.metrics.unknown.add();
    if (++unknown_ > kUnknownMax) {
      return said(kServiceClosing, "4.7.0 Too many addresses that are not here");
    }
    return said(550, "5.1.1 There is no such address here");
  }
  if (transaction_->to.size() >= kRecipientsMax) {
    return said(452, "4.5.3 Too many recipients, send the others another mail");
  }
  if (addressee->kind == Addressee::Kind::return_path) {
    const std::array limits{
        MinuteMeter::Limit{.name = "t " + to_ascii_lower(address.local),
                           .most = world_.options.recipient_messages_per_minute}};
    if (world_.meter.admit(limits, 1, world_.clock.steady_now())) {
      return said(450, "4.2.1 Too much mail for this address, come back in a minute");
    }
  }
  transaction_->to.push_back(*addressee);
  if (world_.filters.has_any()) transaction_->envelope.recipients.push_back(address.to_string());
  return {};
}

bool Session::is_only_for(std::initializer_list<Addressee::Kind> kinds) const {
  return std::ranges::all_of(transaction_->to, [&](const Addressee& each) {
    return std::ranges::find(kinds, each.kind) != kinds.end();
  });
}

// Of several chunks with the first.
void Session::begin_content() {
  if (!transaction_ || transaction_->has_begun) return;
  Transaction& mail = *transaction_;
  mail.has_begun = true;
  mail.until = world_.clock.steady_now() + world_.options.mail_lasts_max;
  const bool is_returned = is_only_for({Addressee::Kind::return_path});
  mail.share.emplace(is_returned ? world_.rooms.returned : world_.rooms.others, client_);
}

std::size_t Session::kept_octets_max() const {
  const bool is_read_in_part =
      is_only_for({Addressee::Kind::return_path, Addressee::Kind::unsubscribe});
  return is_read_in_part ? kReturnedOctetsKept
                         : static_cast<std::size_t>(world_.options.message_octets_max);
}

Task<void> Session::take(std::string_view piece) {
  if (!transaction_ || !transaction_->share) co_return;
  world_.metrics.octets.add(piece.size());
  Transaction& mail = *transaction_;
  const std::size_t most = kept_octets_max();
  piece = piece.substr(0, most - std::min(most, mail.octets.size()));
  if (mail.has_no_room || piece.empty()) co_return;
  if (mail.share->take(piece.size())) {
    mail.octets += piece;
  } else {
    mail.has_no_room = true;
    mail.octets = {};
    mail.share->give_back();
  }
}

Task<ServerAnswer> Session::finish() {
  if (!transaction_) co_return said(503, "5.5.1 MAIL first");
  if (transaction_->has_no_room) {
    transaction_.reset();
    co_return said(452, "4.3.1 Too much mail at once, come back later");
  }
  Handler::Came came{.to = std::move(transaction_->to),
                     .octets = std::move(transaction_->octets),
                     .client = client_.to_string(),
                     .quarantined_as = {}};
  if (world_.filters.has_any()) {
    auto refused = co_await filter(came);
    if (refused) {
      transaction_.reset();
      co_return ServerAnswer{.reply = std::move(refused)};
    }
  }
  Reply reply = co_await world_.handler.take(std::move(came));
  transaction_.reset();
  co_return ServerAnswer{.reply = std::move(reply)};
}

// nullopt: it goes on, as they have changed it.
Task<std::optional<Reply>> Session::filter(Handler::Came& came) {
  MilterMail envelope = std::move(transaction_->envelope);
  envelope.id = to_hex(random_octets(kMailIdOctets));
  envelope.hostname = world_.options.hostname;
  envelope.client = remote_;
  envelope.hello = connection_.session().hello();
  auto passed = co_await world_.filters.pass(std::move(envelope), std::move(came.octets));
  came.octets = std::move(passed.octets);
  came.quarantined_as = std::move(passed.quarantined_as);
  co_return std::move(passed.answer);
}

Task<Result<net::TlsInfo>> Session::shake_hands(net::Stream& stream, SteadyInstant deadline) {
  transaction_.reset();
  co_return co_await stream.start_tls_server(world_.certificates.context(), deadline);
}

void Session::refused(int code, std::string_view text) {
  world_.metrics.refusals.add();
  if (!world_.lines.take(world_.clock.steady_now())) return;
  log::info("mail to us was refused",
            {{"client", client_.to_string()}, {"code", code}, {"reply", text}});
}

}  // namespace todoku::inbound
