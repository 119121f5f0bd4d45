// SPDX-License-Identifier: Apache-2.0
#include "relay/session.h"

#include <utility>

#include "async/timer.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "intake/check.h"
#include "relay/words.h"

namespace todoku::relay {
namespace {

using smtp::SaslStep;
using smtp::ServerAnswer;
using smtp::ServerEvent;
using smtp::ServerStep;

constexpr std::size_t kNonceOctets = 18;
constexpr int kBadSequence = 503;
// Who has failed is answered no sooner than so, whatever the fault was.
constexpr Milliseconds kFailurePause{500};
// Who finds the queue of those whose passwords are computed full asks again for so long.
constexpr Milliseconds kComputingPatience = std::chrono::seconds(10);
constexpr Milliseconds kComputingPause{100};

std::size_t memory_of(const store::NewRecipient& recipient) {
  std::size_t octets = sizeof recipient + recipient.address.capacity();
  for (const auto& code : recipient.insert_codes) {
    octets += sizeof code + code.key.capacity() + code.value.capacity();
  }
  return octets;
}

Reply no_room() {
  return words::trouble({ErrorKind::unavailable, "messages that are under way fill their memory"});
}

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
  auto secured = co_await stream.start_tls_server(
      world_.certificates->context(listener_.old_tls ? net::TlsAge::old : net::TlsAge::modern),
      deadline);
  if (secured) tls_ = *secured;
  // RFC 3207 section 4.2: what was known before is forgotten.
  if (!listener_.is_for_devices()) login_.reset();
  opened_with_.reset();
  place_ = {};
  account_place_ = {};
  abandon();
  co_return secured;
}

// ---- who it is ---------------------------------------------------------------------------------

void Session::forget_exchange() {
  sasl_.reset();
  claimed_.reset();
  offered_.clear();
  attempt_ = {};
}

Task<ServerAnswer> Session::authenticate(SaslStep step) {
  if (step.kind == SaslStep::Kind::ask) {
    if (auto no = co_await await_turn()) co_return ServerAnswer{.reply = std::move(*no)};
    auto proven = co_await prove();
    if (!proven) {
      attempt_.withdraw();
      tell_login("it could not be looked up or computed");
      co_return ServerAnswer{.reply = words::no_login_now()};
    }
    step = std::move(*proven);
  }
  switch (step.kind) {
    case SaslStep::Kind::succeeded:
      break;
    case SaslStep::Kind::failed:
      tell_login(step.reply.code != 535 ? "the exchange is not as its mechanism says"
                 : claimed_             ? "wrong password"
                                        : "unknown user name");
      if (step.reply.code == 535) {
        world_.metrics.login_failures.add();
        co_await async::sleep_for(kFailurePause);
      }
      forget_exchange();
      [[fallthrough]];
    case SaslStep::Kind::ask:
    case SaslStep::Kind::challenge:
      co_return ServerAnswer{.reply = std::move(step.reply)};
  }
  // Only now, so that nobody learns by guessing which names there are.
  const LoginFault fault =
      claimed_ ? fault_of(*claimed_, client_, world_.clock.now()) : LoginFault::revoked;
  std::optional<Reply> no;
  if (fault != LoginFault::none) {
    no = words::refused(fault);
    tell_login(words::reason(fault));
  } else if ((no = take_places(*claimed_))) {
    tell_login("the password is right, too many connections are open");
  }
  if (no) {
    attempt_.withdraw();
    co_return ServerAnswer{.reply = std::move(*no)};
  }
  attempt_.succeeded();
  login_ = std::move(claimed_);
  opened_with_.reset();
  if (sasl_->right() < offered_.size()) opened_with_ = offered_[sasl_->right()].stored_key;
  world_.metrics.logins.add();
  co_return ServerAnswer{.reply = std::move(step.reply)};
}

// Before the store is asked about the name: what it is answered if it may not be.
Task<std::optional<Reply>> Session::await_turn() {
  const SteadyInstant until = world_.clock.steady_now() + kComputingPatience;
  for (;;) {
    const SteadyInstant now = world_.clock.steady_now();
    LoginGuard::Turn turn = world_.guard.ask(client_, sasl_->user(), now);
    if (turn.attempt) {
      attempt_ = std::move(turn.attempt);
      co_return std::nullopt;
    }
    if (turn.locked > Milliseconds(0)) {
      tell_login(turn.of_network ? "locked out: too many wrong passwords from this network"
                                 : "locked out: too many wrong passwords for this user name "
                                   "from this network");
      co_await async::sleep_for(kFailurePause);
      co_return words::locked(turn.locked, turn.of_network);
    }
    // A program that opens hundreds of connections at once is right with each.
    bool waited = false;
    if (now < until) waited = co_await async::sleep_for(kComputingPause);
    if (!waited) {
      tell_login("too many logins of this user name or network are under way");
      co_return words::no_login_now();
    }
  }
}

std::optional<Reply> Session::take_places(const Login& login) {
  const store::SmtpCredential& who = login.credential;
  // What was held until now is its own, and would count against it.
  place_ = {};
  account_place_ = {};
  place_ = world_.names.enter("c " + who.name, who.settings.connections_max);
  if (!place_) return words::too_many_of_credential();
  account_place_ = world_.names.enter("a " + std::to_string(static_cast<std::int64_t>(who.account)),
                                      world_.options.connections_per_account_max);
  if (account_place_) return std::nullopt;
  place_ = {};
  return words::too_many_of_account();
}

Task<Result<SaslStep>> Session::prove() {
  auto login = co_await world_.logins.find(sasl_->user());
  if (!login) co_return fail(std::move(login.error()));
  claimed_ = std::move(*login);
  offered_.clear();
  if (claimed_) offered_ = secrets_at(*claimed_, world_.clock.now());
  if (!sasl_->has_password()) co_return sasl_->give(offered_);
  KnownPasswords& known = world_.logins.passwords();
  const auto mark = known.mark_of(offered_, sasl_->password());
  if (attempt_.repeats(mark)) {
    attempt_.withdraw();
    co_return sasl_->refuse();
  }
  const auto compare = [this, &known, &mark]() -> Result<SaslStep> {
    const auto which = claimed_ ? known.knows(mark) : std::nullopt;
    if (which) return sasl_->recognise(*which);
    SaslStep step = sasl_->give(offered_);
    if (step.kind == SaslStep::Kind::succeeded) known.remember(mark, sasl_->right());
    return step;
  };
  if (claimed_ && known.knows(mark)) co_return compare();
  // One line for all who are not proven yet: neither does who guesses stand in the line of the
  // account that he claims, nor does the wait tell whether there is one.
  constexpr async::FilePool::Owner kUnproven{};
  const SteadyInstant until = world_.clock.steady_now() + kComputingPatience;
  for (;;) {
    auto step = co_await world_.pool.run(kUnproven, compare);
    const bool full = !step && step.error().kind == ErrorKind::unavailable;
    if (step && step->kind == SaslStep::Kind::failed) attempt_.failed(mark);
    if (!full || world_.clock.steady_now() >= until) co_return step;
    // A program that opens hundreds of connections at once has one password for all of them, which
    // is known when it was computed for the first.
    const bool waited = co_await async::sleep_for(kComputingPause);
    if (!waited) co_return step;
  }
}

// ---- a message ---------------------------------------------------------------------------------

Task<ServerAnswer> Session::begin_mail() {
  abandon();
  const std::optional<Address>& said = dialogue().mail().sender;
  refused_mail_ = true;
  mail_ = Refusals::Mail{.sender = "<" + (said ? said->to_string() : std::string()) + ">"};
  if (world_.stopping) co_return ServerAnswer{.reply = words::stopping()};
  if (!dialogue().is_authenticated() && !listener_.is_for_devices() && !user_)
    co_return ServerAnswer{.reply = words::authentication_required()};
  auto login = co_await current_login();
  if (!login) co_return ServerAnswer{.reply = words::no_mail_now()};
  if (user_ && *login == nullptr) {
    co_return ServerAnswer{.reply = words::no_credential(*user_)};
  }
  if (auto refusal = refusal_of(login->get())) {
    co_return ServerAnswer{.reply = std::move(*refusal)};
  }
  if (!user_) {
    login_ = std::move(*login);
  } else if (auto full = let_in(std::move(*login))) {
    co_return ServerAnswer{.reply = std::move(*full)};
  }
  const store::SmtpCredential& who = login_->credential;
  const smtp::MailCommand& mail = dialogue().mail();
  const bool is_unqualified = mail.sender && mail.sender->domain.empty();
  const std::optional<Address> from = is_unqualified ? own_address() : mail.sender;
  if (is_unqualified && !from) {
    co_return ServerAnswer{.reply = words::unqualified_sender(*login_)};
  }
  auto brake = world_.brakes.begin_message(sender(), mail.size, world_.clock.steady_now());
  if (brake) co_return ServerAnswer{.reply = std::move(*brake)};
  Transaction& begun = transaction_.emplace();
  begun.envelope.mail_from = from ? from->to_string() : std::string();
  begun.envelope.smtputf8 = mail.smtputf8;
  begun.envelope.envid = mail.envid;
  begun.envelope.ret = static_cast<std::uint8_t>(mail.ret);
  begun.envelope.credential = who.name;
  keeper_.begin(login_->account.key);
  refused_mail_ = false;
  co_return ServerAnswer{};
}

Task<Result<std::shared_ptr<const Login>>> Session::current_login() {
  if (user_) return world_.logins.user_of(*user_);
  if (listener_.is_for_devices()) return world_.logins.device_of(listener_.device_account);
  return world_.logins.find(login_->credential.name);
}

std::optional<Reply> Session::refusal_of(const Login* login) const {
  const LoginFault fault =
      login != nullptr ? fault_of(*login, client_, world_.clock.now()) : LoginFault::revoked;
  if (fault != LoginFault::none) return words::refused(fault);
  // Who replaces a password that was stolen means also whoever has logged in with it.
  if (opened_with_ && !still_opens(*login, *opened_with_, world_.clock.now())) {
    return words::refused(LoginFault::replaced);
  }
  if (login->credential.held) return words::held(login->credential);
  return std::nullopt;
}

// A message may take its client minutes, and what was taken away meanwhile does not hold any more.
Task<std::optional<Reply>> Session::judge_again() {
  auto login = co_await current_login();
  if (!login) co_return words::no_mail_now();
  const Login* now = login->get();
  const bool is_same = now != nullptr && now->credential.name == login_->credential.name &&
                       now->account.key == login_->account.key;
  if (auto refusal = refusal_of(is_same ? now : nullptr)) co_return refusal;
  login_ = std::move(*login);
  co_return std::nullopt;
}

// Of a user, who is let in by the first message.
std::optional<Reply> Session::let_in(std::shared_ptr<const Login> login) {
  const bool is_in = login_ && login_->credential.name == login->credential.name;
  login_ = std::move(login);
  if (is_in) return std::nullopt;
  if (auto full = take_places(*login_)) {
    login_.reset();
    return full;
  }
  world_.metrics.logins.add();
  return std::nullopt;
}

// What a user's address without its domain means: <root> as sender is the credential, as recipient
// somebody of its domain.
std::optional<Address> Session::own_address() const {
  auto address = parse_address(login_->credential.settings.from_address);
  if (!address) return std::nullopt;
  return std::move(*address);
}

std::string client_name(const net::IpAddress& address, std::optional<std::uint32_t> user) {
  return user ? "uid " + std::to_string(*user) : address.to_string();
}

ServerAnswer Session::add_recipient() {
  if (mail_) mail_->recipient = dialogue().recipient().to_string();
  // As by the API; the domain that is none is lent one below.
  if (const std::string& domain = dialogue().recipient().domain; !domain.empty()) {
    const std::string_view why = intake::why_not_sent_to(domain);
    if (!why.empty()) return {.reply = words::not_sent_there(why)};
  }
  if (auto brake = world_.brakes.add_recipient(sender(), world_.clock.steady_now())) {
    return {.reply = std::move(*brake)};
  }
  Address address = dialogue().recipient();
  if (address.domain.empty()) {
    const auto own = own_address();
    if (!own) return {.reply = words::unqualified_recipient(*login_)};
    address.domain = own->domain;
  }
  store::NewRecipient recipient{.address = address.to_string()};
  const smtp::RecipientOptions& wishes = dialogue().recipient_options();
  if (wishes.notify.is_specified()) {
    recipient.insert_codes.push_back({std::string(kNotifyParameter), wishes.notify.to_string()});
  }
  if (wishes.original)
    recipient.insert_codes.push_back({std::string(kOrcptParameter), wishes.original->to_string()});
  const std::size_t octets = memory_of(recipient);
  transaction_->recipients_octets += octets;
  if (!has_room()) {
    transaction_->recipients_octets -= octets;
    return {.reply = no_room()};
  }
  transaction_->recipients.push_back(std::move(recipient));
  if (mail_) mail_->recipients = transaction_->recipients.size();
  return {};
}

bool Session::has_room() {
  const Transaction& message = *transaction_;
  return keeper_.hold(message.recipients_octets + (message.reader ? message.reader->held() : 0));
}

// What is left of its content is not kept any more.
void Session::give_up(Reply trouble) {
  Transaction& message = *transaction_;
  message.trouble = std::move(trouble);
  message.reader.reset();
  message.recipients = {};
  message.out = {};
  keeper_.abandon();
}

void Session::begin_content() {
  if (!transaction_ || transaction_->reader || transaction_->trouble) return;
  if (mail_ && !transaction_->recipients.empty()) {
    mail_->recipient = transaction_->recipients.front().address;
  }
  const store::SmtpCredentialSettings& settings = login_->credential.settings;
  transaction_->reader.emplace(intake::submission::SubmissionRules{
      .received = received_field(),
      .allowed_options = settings.options,
      .now = world_.clock.now(),
      .message_id = to_hex(random_octets(16)) + "@" + world_.options.message_id_domain,
      .from_address = settings.from_address,
      .own_names = world_.options.own_names,
      // Cron and scripts put what they have into a Subject, and nobody would read their complaint.
      .smtputf8 = dialogue().mail().smtputf8 || user_.has_value()});
}

Task<void> Session::take(std::string_view piece) {
  if (!transaction_) co_return;
  // Also what is refused has come.
  world_.brakes.count_octets(sender(), piece.size(), world_.clock.steady_now());
  if (transaction_->trouble) co_return;
  Transaction& message = *transaction_;
  const auto read = message.reader->take(piece, message.out);
  if (!read) {
    if (mail_) mail_->from = message.reader->from_shown();
    co_return give_up(words::unfit(read.error()));
  }
  if (!has_room()) co_return give_up(no_room());
  const auto kept = co_await keeper_.take(message.out);
  if (!kept) give_up(words::trouble(kept.error()));
}

Task<Reply> Session::finish_message() {
  Reply reply;
  if (transaction_->trouble) {
    reply = std::move(*transaction_->trouble);
  } else {
    auto submitted = transaction_->reader->finish(transaction_->out);
    if (mail_) {
      mail_->from = submitted ? submitted->from.address : transaction_->reader->from_shown();
    }
    const bool is_of_house = submitted && is_of_device(submitted->from.address) &&
                             (!submitted->sender || is_of_device(submitted->sender->address));
    if (submitted && !is_of_house) {
      reply = words::not_of_device(listener_.device_domain);
    } else if (submitted) {
      reply = co_await hand_in(std::move(*submitted));
    } else {
      reply = words::unfit(submitted.error());
    }
  }
  abandon();
  if (reply.code < 400) mail_.reset();
  co_return reply;
}

bool Session::is_of_device(const std::string& from) const {
  if (!listener_.is_for_devices()) return true;
  const auto address = parse_address(from);
  const std::string& domain = listener_.device_domain;
  return address && (address->domain == domain || address->domain.ends_with("." + domain));
}

// Before anything is kept: what makes it odd stays with the client.
Task<std::optional<Reply>> Session::look_at_use() {
  if (world_.watch == nullptr || listener_.is_for_devices()) co_return std::nullopt;
  const auto held = co_await world_.watch->used(
      login_->credential, client_, static_cast<std::int64_t>(transaction_->recipients.size()));
  if (!held) co_return std::nullopt;
  co_return words::held(*held);
}

Task<Reply> Session::hand_in(intake::submission::Submitted submitted) {
  Transaction& message = *transaction_;
  if (auto held = co_await look_at_use()) co_return std::move(*held);
  const auto taken = co_await keeper_.take(message.out);
  if (!taken) co_return words::trouble(taken.error());
  auto kept = co_await keeper_.finish();
  if (!kept) co_return words::trouble(kept.error());
  if (auto refusal = co_await judge_again()) co_return std::move(*refusal);
  const std::uint64_t octets = submitted.octets;
  const std::string unheard = std::move(submitted.unheard);
  RelayedEnvelope& envelope = message.envelope;
  envelope.head_octets = submitted.head_octets;
  envelope.has_leading_dot = submitted.has_leading_dot;
  envelope.is_eight_bit = submitted.is_eight_bit;
  envelope.has_long_line = submitted.has_long_line;
  const store::SmtpCredentialSettings& settings = login_->credential.settings;
  const auto made = co_await world_.intake.accept_submitted(
      login_->account, {.submitted = std::move(submitted),
                        .envelope = std::move(envelope),
                        .octets = std::move(kept->octets),
                        .pieces = kept->pieces,
                        .recipients = std::move(message.recipients),
                        .traffic = settings.traffic,
                        .purpose = settings.purpose,
                        .credential = login_->credential.name});
  if (!made) co_return words::refused(made.error());
  if (made->replayed) co_return words::repeated(made->answer);
  keeper_.handed_over();
  world_.metrics.messages.add();
  world_.metrics.octets.add(octets);
  tell_taken(unheard);
  co_return words::accepted(made->answer);
}

// What its sender should know, and is told by no reply.
void Session::tell_taken(const std::string& unheard) {
  if (!mail_) return;
  if (!unheard.empty()) {
    world_.refusals.tell_unheard(whom(), *mail_, unheard, refusal_lines_);
  }
  const intake::Senders* const senders = world_.intake.senders();
  const auto from = parse_address(mail_->from);
  if (senders == nullptr || !from) return;
  const auto verdict = senders->judge(login_->account.key, from->domain);
  if (verdict == intake::Senders::Verdict::unproven) {
    world_.refusals.tell_unproven(whom(), *mail_);
  }
}

std::string Session::received_field() const {
  const bool is_shown = login_->credential.settings.show_client;
  return intake::submission::received_field(
      {.hello = dialogue().hello(),
       .client = is_shown && !user_ ? client_.to_string() : std::string(),
       .user = is_shown ? user_ : std::nullopt,
       .hostname = world_.options.hostname,
       .esmtp = dialogue().is_esmtp(),
       .smtputf8 = dialogue().mail().smtputf8,
       .tls = tls_ ? tls_->summary() : std::string(),
       .authenticated = dialogue().is_authenticated() || user_.has_value(),
       .recipient = transaction_->recipients.size() == 1 ? transaction_->recipients[0].address
                                                         : std::string(),
       .now = world_.clock.now()});
}

void Session::abandon() {
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
