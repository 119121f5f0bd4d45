// SPDX-License-Identifier: Apache-2.0
#include "relay/session.h"

#include <utility>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "relay/words.h"

namespace todoku::relay {
namespace {

using smtp::ServerAnswer;
using smtp::ServerEvent;
using smtp::ServerStep;

constexpr std::size_t kNonceOctets = 18;
constexpr int kBadSequence = 503;

}  // namespace

SessionMetrics::SessionMetrics(Metrics& metrics)
    : connections(metrics.counter("todoku_smtp_in_connections_total",
                                  "Connections to the SMTP relay that were greeted.")),
      logins(metrics.counter("todoku_smtp_in_logins_total", "Logins at the SMTP relay.")),
      login_failures(metrics.counter("todoku_smtp_in_login_failures_total",
                                     "Logins at the SMTP relay that failed.")),
      messages(metrics.counter("todoku_smtp_in_messages_total",
                               "Messages that the SMTP relay has kept.")),
      broken_off(metrics.counter("todoku_smtp_in_broken_off_total",
                                 "Transactions at the SMTP relay that were broken off.")),
      octets(metrics.counter("todoku_smtp_in_octets_total",
                             "Octets of messages that the SMTP relay has kept.")) {}

Session::Session(const SessionWorld& world, const ListenerOptions& listener,
                 const smtp::ServerOptions& protocol, net::Stream stream, net::IpAddress client,
                 std::optional<std::uint32_t> user, std::optional<net::TlsInfo> tls)
    : world_(world),
      listener_(listener),
      client_(client),
      user_(user),
      tls_(std::move(tls)),
      keeper_({.store = world.store, .room = world.room, .node = world.node}),
      connection_(settings(protocol), std::move(stream), *this),
      conversing_(connection_.executor()) {}

smtp::ServerSettings Session::settings(const smtp::ServerOptions& protocol) const {
  const Milliseconds idle = world_.options.idle;
  return {.protocol = protocol,
          .clock = world_.clock,
          .patience = {.command = idle, .content = idle, .write = idle}};
}

Task<void> Session::run() {
  conversing_.spawn("smtp-in dialogue", converse());
  while (conversing_.size() > 0) {
    const bool over = co_await conversing_.wait_empty_until(SteadyInstant::max());
    if (!over) conversing_.cancel();
  }
  abandon();
}

Task<void> Session::converse() {
  const smtp::ServerEnd how = co_await connection_.run();
  if (transaction_) {
    world_.metrics.broken_off.add();
    log::info("an SMTP submission was broken off",
              {{"client", client_name(client_, user_)},
               {"credential", login_ ? login_->credential.name : std::string()},
               {"octets", keeper_.octets()},
               {"end", static_cast<std::int64_t>(how)}});
  }
}

Task<ServerAnswer> Session::answer(ServerStep step) {
  // An exchange that was cancelled or broken off is seen by what comes after it.
  if (step.event != ServerEvent::auth_response) forget_exchange();
  switch (step.event) {
    case ServerEvent::connect:
      return greet();
    case ServerEvent::auth:
      sasl_.emplace(world_.sasl, to_base64(random_octets(kNonceOctets)));
      return authenticate(sasl_->begin(step.text));
    case ServerEvent::auth_response:
      return authenticate(sasl_->respond(step.text));
    case ServerEvent::mail:
      return begin_mail();
    default:
      return decide(step.event);
  }
}

Task<ServerAnswer> Session::decide(ServerEvent event) {
  switch (event) {
    case ServerEvent::recipient:
      co_return add_recipient();
    case ServerEvent::data:
    case ServerEvent::chunk:
      begin_content();
      break;
    case ServerEvent::message: {
      Reply reply = co_await finish_message();
      co_return ServerAnswer{.reply = std::move(reply)};
    }
    case ServerEvent::hello:
    case ServerEvent::reset:
    case ServerEvent::quit:
      abandon();
      mail_.reset();
      refused_mail_ = false;
      break;
    default:
      break;
  }
  co_return ServerAnswer{};
}

Task<ServerAnswer> Session::greet() {
  if (world_.stopping) co_return ServerAnswer{.reply = words::stopping()};
  world_.metrics.connections.add();
  if (listener_.is_for_devices()) {
    if (!net::contain(listener_.device_networks, client_)) {
      co_return ServerAnswer{.reply = words::no_such_device()};
    }
    auto login = co_await world_.logins.device_of(listener_.device_account);
    if (!login) co_return ServerAnswer{.reply = words::no_service_now()};
    if (*login == nullptr || fault_of(**login, client_, world_.clock.now()) != LoginFault::none) {
      co_return ServerAnswer{.reply = words::no_such_device()};
    }
    login_ = std::move(*login);
  }
  co_return ServerAnswer{.reply = words::greeting(world_.options.hostname)};
}

Task<Result<net::TlsInfo>> Session::shake_hands(net::Stream& stream, SteadyInstant deadline) {
  // RFC 3207 section 4.2: what was known before is forgotten.
  abandon();
  auto secured = co_await stream.start_tls_server(
      world_.certificates->context(listener_.old_tls ? net::TlsAge::old : net::TlsAge::modern),
      deadline);
  if (secured) tls_ = *secured;
  if (!listener_.is_for_devices()) login_.reset();
  opened_with_.reset();
  place_ = {};
  account_place_ = {};
  co_return secured;
}

std::string client_name(const net::IpAddress& address, std::optional<std::uint32_t> user) {
  return user ? "uid " + std::to_string(*user) : address.to_string();
}

// The dialogue itself refuses what has come: too large, bare line ends.
void Session::discard() {
  const bool has_come = transaction_ && (transaction_->reader || transaction_->trouble);
  if (has_come) world_.brakes.count_failure(sender(), world_.clock.steady_now());
  abandon();
}

// A message that was not taken leaves its place in the minute to another.
void Session::abandon() {
  if (transaction_ && !transaction_->is_taken) {
    world_.brakes.give_back(sender(), transaction_->counted);
  }
  keeper_.abandon();
  transaction_.reset();
}

Refusals::Whom Session::whom() const {
  return {.client = client_name(client_, user_),
          .listener = listener_.name,
          .credential = login_ ? login_->credential.name : std::string_view()};
}

void Session::tell_login(std::string_view because) {
  failed_login_ = Refusals::Login{
      .claimed = sasl_->user(), .mechanism = sasl_->mechanism(), .because = because};
}

void Session::refused(int code, std::string_view text) {
  // Whoever pipelines has sent RCPT and DATA with the MAIL that was refused.
  if (code == kBadSequence && refused_mail_) return world_.refusals.count();
  const Refusals::Login* const login = failed_login_ ? &*failed_login_ : nullptr;
  const Refusals::Mail* const mail = mail_ && login == nullptr ? &*mail_ : nullptr;
  world_.refusals.tell(whom(), {.code = code, .text = text}, &refusal_lines_, login, mail);
  failed_login_.reset();
  if (!transaction_) mail_.reset();
}

}  // namespace todoku::relay
