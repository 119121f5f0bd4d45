// SPDX-License-Identifier: Apache-2.0
// The half of Connection that never waits: what to answer, and what to remember of it.
#include <algorithm>

#include "sink/connection.h"
#include "sink/provider.h"

namespace todoku::sink {
namespace {

using smtp::ServerEvent;
using smtp::ServerStep;

// A message larger than this is counted but neither kept nor verified. One of 50 MiB is smaller in
// base64.
constexpr std::size_t kKeptOctetsMax = 80 << 20;
// Its memory is given back if it is larger than this.
constexpr std::size_t kReusedOctets = 64 << 10;

}  // namespace

Decision Connection::decide(const ServerStep& step) {
  switch (step.event) {
    case ServerEvent::connect:
      return decide_connect();
    case ServerEvent::hello:
      return ask_script(Moment::hello, {});
    case ServerEvent::start_tls:
      return ask_script(Moment::starttls, {});
    case ServerEvent::auth:
      return {.reply = login_.begin(step.text)};
    case ServerEvent::auth_response:
      return {.reply = login_.respond(step.text)};
    case ServerEvent::mail:
      return decide_mail();
    case ServerEvent::recipient:
      return decide_recipient();
    case ServerEvent::data:
      return ask_script(Moment::data, recipients_);
    case ServerEvent::chunk:
      return ask_script(Moment::bdat, recipients_);
    case ServerEvent::message:
      return ask_script(Moment::body, recipients_);
    case ServerEvent::quit:
      return ask_script(Moment::quit, {});
    case ServerEvent::reset:
    case ServerEvent::need_input:
    case ServerEvent::content:
    case ServerEvent::discard:
    case ServerEvent::tls:
    case ServerEvent::close:
      break;
  }
  return {};
}

Decision Connection::ask_script(Moment at, std::span<const Address> recipients) {
  return state_.script.decide(
      {.at = at, .client = client_, .sender = sender_, .recipients = recipients}, random_,
      shared_.clock.now());
}

Decision Connection::refuse(Excuse excuse) {
  return {.reply =
              provider_reply(state_.receiver.provider, excuse,
                             {.client = client_, .hostname = state_.receiver.protocol.hostname})};
}

Decision Connection::decide_connect() {
  const std::uint32_t most = state_.receiver.connections_max;
  if (most != 0 && state_.open.load() > most) return refuse(Excuse::too_many_connections);
  return ask_script(Moment::connect, {});
}

Decision Connection::decide_mail() {
  const Receiver& receiver = state_.receiver;
  if (!receiver.auth_user.empty() && !session().is_authenticated()) {
    return {.reply = Reply{530, "5.7.0 Authentication required"}};
  }
  if (receiver.messages_per_connection_max != 0 &&
      messages_ >= receiver.messages_per_connection_max) {
    return refuse(Excuse::too_many_messages);
  }
  if (receiver.messages_per_second_max != 0 && !state_.take_from_second(shared_.clock.now())) {
    return refuse(Excuse::too_fast);
  }
  const auto& sender = session().mail().sender;
  sender_ = sender ? sender->to_string() : std::string();
  return ask_script(Moment::mail, {});
}

Decision Connection::decide_recipient() {
  const Address& recipient = session().recipient();
  if (!state_.script.serves(recipient.domain)) {
    return {.reply = Reply{554, "5.7.1 <" + recipient.to_string() + ">: Relay access denied"}};
  }
  return ask_script(Moment::rcpt, {&recipient, 1});
}

void Connection::remember(const ServerStep& step, const Decision& decision) {
  const bool accepted = decision.accepts();
  switch (step.event) {
    case ServerEvent::mail:
      if (accepted) begin_transaction();
      break;
    case ServerEvent::recipient:
      if (accepted) {
        recipients_.push_back(session().recipient());
      } else {
        count_refused_recipient(*decision.reply);
      }
      break;
    case ServerEvent::data:
    case ServerEvent::chunk:
      if (accepted && session().content_octets() == 0) begin_content();
      break;
    case ServerEvent::message:
      if (accepted) take_message(false);
      end_transaction();
      break;
    case ServerEvent::hello:
    case ServerEvent::reset:
      if (accepted) end_transaction();
      break;
    default:
      break;
  }
}

void Connection::begin_transaction() {
  in_transaction_ = true;
  ++messages_;
  recipients_.clear();
}

void Connection::end_transaction() {
  in_transaction_ = keep_ = verify_ = false;
  recipients_.clear();
  scanner_.reset();
  message_.clear();
  if (message_.capacity() > kReusedOctets) message_.shrink_to_fit();
}

void Connection::begin_content() {
  keep_ = shared_.folder && shared_.folder->has_room();
  verify_ = shared_.dkim && random_.unit() < shared_.options.dkim.sample;
  dkim_ = {};
}

void Connection::take_content(std::string_view piece) {
  scanner_.feed(piece);
  if (!keep_ && !verify_) return;
  if (message_.size() + piece.size() > kKeptOctetsMax) {
    keep_ = verify_ = false;
    message_ = {};
    return;
  }
  message_ += piece;
}

void Connection::take_message(bool silently) {
  scanner_.finish();
  const Instant now = shared_.clock.now();
  const std::string& message_id = scanner_.message_id();
  std::vector<std::string> addresses;
  addresses.reserve(recipients_.size());
  for (const Address& recipient : recipients_) addresses.push_back(recipient.to_string());
  std::vector<ArrivedRecipient> arrived;
  arrived.reserve(addresses.size());
  for (const std::string& address : addresses) {
    arrived.push_back({.address = address});
    if (message_id.empty()) continue;
    const auto arrival = shared_.duplicates.insert(message_id, address);
    arrived.back().duplicate = arrival == DuplicateSet::Arrival::again;
    if (arrived.back().duplicate) tally_.duplicates.add();
    if (arrival == DuplicateSet::Arrival::untracked) tally_.duplicates_untracked.add();
  }
  if (message_id.empty()) tally_.without_message_id.add();
  if (silently) tally_.taken_silently.add();
  tally_.messages.add();
  tally_.recipients.add(arrived.size());
  tally_.octets.add(session().content_octets());
  tally_.arrived(static_cast<std::uint64_t>(to_epoch_ms(now)));
  for (std::size_t i = 0; i < arrived.size(); ++i) {
    thread_.domains.change(recipients_[i].domain, [&](DomainCounts& counts) {
      ++counts.recipients;
      counts.duplicates += arrived[i].duplicate ? 1U : 0U;
      counts.last_ms = to_epoch_ms(now);
      if (counts.first_ms == 0) counts.first_ms = counts.last_ms;
    });
  }
  record(arrived, now);
}

void Connection::record(std::span<const ArrivedRecipient> recipients, Instant now) {
  Arrival arrival{.at = now,
                  .receiver = state_.receiver.name,
                  .client = client_,
                  .hello = session().hello(),
                  .tls = tls_,
                  .sender = sender_,
                  .recipients = recipients,
                  .message_id = scanner_.message_id(),
                  .octets = session().content_octets()};
  if (const std::int64_t sent_ms = find_epoch_ms(scanner_.other()); sent_ms != 0) {
    // A clock that is ahead of ours must not count as an eternity.
    arrival.latency_ms = std::max<std::int64_t>(0, to_epoch_ms(now) - sent_ms);
    thread_.latency.add(static_cast<std::uint64_t>(*arrival.latency_ms));
  }
  if (verify_) {
    tally_.dkim[dkim_.result].add();
    arrival.dkim = kDkimWords[dkim_.result];
    arrival.dkim_reason = dkim_.reason;
  }
  if (shared_.log) shared_.log->write(arrival);
  if (keep_ && shared_.folder->keep(arrival, message_)) tally_.stored.add();
}

void Connection::count_refused_recipient(const Reply& reply) {
  thread_.domains.change(session().recipient().domain, [&](DomainCounts& counts) {
    ++(reply.temporary() ? counts.deferred : counts.refused);
  });
}

// Every reply ends with a line whose code is followed by a blank (RFC 5321 section 4.2.1).
void Connection::count_replies(std::string_view output) {
  while (output.size() >= 4) {
    if (output[3] == ' ') {
      const int code = (output[0] - '0') * 100 + (output[1] - '0') * 10 + (output[2] - '0');
      tally_.replies[static_cast<std::size_t>(code) - 200].add();
    }
    output.remove_prefix(std::min(output.find('\n'), output.size() - 1) + 1);
  }
}

}  // namespace todoku::sink
