// SPDX-License-Identifier: Apache-2.0
// The half of Session that takes a message, from MAIL to its 250.
#include <utility>

#include "base/bytes.h"
#include "base/digest.h"
#include "intake/check.h"
#include "mail/allow_list.h"
#include "relay/session.h"
#include "relay/words.h"

namespace todoku::relay {
namespace {

using smtp::ServerAnswer;

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
  const SteadyInstant now = world_.clock.steady_now();
  auto brake = world_.brakes.begin_message(sender(), mail.size, now);
  if (brake) co_return ServerAnswer{.reply = std::move(*brake)};
  Transaction& begun = transaction_.emplace();
  begun.counted.message_at = now;
  begun.envelope.mail_from = from ? from->to_string() : std::string();
  begun.envelope.smtputf8 = mail.smtputf8;
  begun.envelope.envid = mail.envid;
  begun.envelope.ret = static_cast<std::uint8_t>(mail.ret);
  begun.envelope.credential = who.name;
  keeper_.begin(login_->account.key);
  refused_mail_ = false;
  co_return ServerAnswer{};
}

// What a user's address without its domain means: <root> as sender is the credential, as recipient
// somebody of its domain.
std::optional<Address> Session::own_address() const {
  auto address = parse_address(login_->credential.settings.from_address);
  if (!address) return std::nullopt;
  return std::move(*address);
}

ServerAnswer Session::add_recipient() {
  if (mail_) mail_->recipient = dialogue().recipient().to_string();
  // As by the API; the domain that is none is lent one below.
  if (const std::string& domain = dialogue().recipient().domain; !domain.empty()) {
    const std::string_view why = intake::why_not_sent_to(domain);
    if (!why.empty()) return {.reply = words::not_sent_there(why)};
  }
  Address address = dialogue().recipient();
  if (address.domain.empty()) {
    const auto own = own_address();
    if (!own) return {.reply = words::unqualified_recipient(*login_)};
    address.domain = own->domain;
  }
  store::NewRecipient recipient{.address = address.to_string()};
  if (!allows(login_->account.allowed_recipients, recipient.address)) {
    return {.reply = words::not_allowed_recipient(recipient.address)};
  }
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
  const SteadyInstant now = world_.clock.steady_now();
  if (auto brake = world_.brakes.add_recipient(sender(), now)) {
    transaction_->recipients_octets -= octets;
    return {.reply = std::move(*brake)};
  }
  if (transaction_->counted.recipients++ == 0) transaction_->counted.recipients_from = now;
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
      .device_domain = listener_.is_for_devices() ? listener_.device_domain : "",
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
  transaction_->is_taken = reply.code < 400;
  if (reply.code >= 500) world_.brakes.count_failure(sender(), world_.clock.steady_now());
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
  intake::note_octets(submitted, message.envelope);
  const store::SmtpCredentialSettings& settings = login_->credential.settings;
  const auto made = co_await world_.intake.accept_submitted(
      login_->account, {.submitted = std::move(submitted),
                        .envelope = std::move(message.envelope),
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

}  // namespace todoku::relay
