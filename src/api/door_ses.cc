// SPDX-License-Identifier: Apache-2.0
// Amazon SES v2's SendEmail and SendBulkEmail.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/door_mails.h"
#include "api/door_routes.h"
#include "api/doors/ses.h"
#include "api/doors/ses_raw.h"
#include "api/idempotency.h"
#include "async/yield.h"
#include "base/digest.h"
#include "base/printable.h"
#include "intake/check.h"
#include "intake/senders.h"

namespace todoku::api {
namespace {

using doors::Service;
using doors::Trouble;

http::Response ses_failure(int status, std::string_view reason, const http::Request& /*request*/) {
  return doors::failure(Service::ses, {doors::trouble_of_status(status), std::string(reason)});
}

constexpr Guise kSes{"/doors/ses", nullptr, &ses_failure};

// The id that the packages give a call, and keep when they repeat it. It is signed, or the request
// was refused.
std::optional<store::IdempotencyKey> key_of_call(const Call& call) {
  const std::string_view id = call.request.headers.get("amz-sdk-invocation-id");
  if (id.empty()) return std::nullopt;
  return store::IdempotencyKey{call.account.key, store::KeyedRoute::mail_of_batch,
                               sha256(fmt::format("ses {}", id))};
}

// As the header of the mail has it, without brackets.
std::string message_id_at(const MailBatch& batch, std::size_t place, store::PublicId delivery) {
  std::string_view id = batch.message_ids[place];
  if (id.size() < 3) return uuid_of(delivery);
  return std::string(id.substr(1, id.size() - 2));
}

Task<std::optional<http::Response>> read_ses(const Api& api, const Call& call, Form& form) {
  if (auto bad = co_await read_door(api, call, Service::ses, form)) co_return bad;
  if (form.json->is_object()) co_return std::nullopt;
  co_return doors::failure(Service::ses, {Trouble::unreadable, "A JSON object is expected."});
}

// The message's id is the same when the call is repeated.
doors::ses::RawFacts facts_of_raw(Api& api, const Call& call) {
  const std::string id(call.request.headers.get("amz-sdk-invocation-id"));
  const Instant now = api.clock().now();
  const auto account = static_cast<std::int64_t>(call.account.key);
  const std::string seed =
      id.empty() ? fmt::format("raw {} at {} {}", account, now.time_since_epoch().count(),
                               sha256_hex(call.body.text()))
                 : fmt::format("raw {} by {}", account, id);
  constexpr std::size_t kIdDigits = 32;
  return {.now = now,
          .message_id = fmt::format("{}@{}", sha256_hex(seed).substr(0, kIdDigits),
                                    api.options().message_id_domain),
          .repeat_key = id,
          .hostname = api.options().hostname,
          .own_names = api.options().own_names};
}

// Whom it may not send as, if anybody: as the request or as a field of the message says.
std::optional<doors::Failure> fault_of_senders(Api& api, const Call& call,
                                               const doors::ses::RawMail& raw) {
  struct Named {
    Mailbox mailbox;
    std::string_view field;
    std::string_view header;
  };
  const auto& submitted = raw.mail.submitted;
  for (const Named& named :
       {Named{raw.sender, "FromEmailAddress", ""},
        Named{submitted.from, "Content.Raw.Data", "From: "},
        Named{submitted.sender.value_or(Mailbox{}), "Content.Raw.Data", "Sender: "}}) {
    if (named.mailbox.address.empty()) continue;
    const auto fault =
        intake::fault_of_sender(named.mailbox, call.account.key, api.intake().senders());
    if (!fault) continue;
    return doors::Failure{
        Trouble::sender,
        fmt::format("{}: {}{}: {}", named.field, named.header,
                    printable_briefly(named.mailbox.address), fault->in(call.language)),
        std::string(named.field)};
  }
  return std::nullopt;
}

// By the place that names him, which intake does not know.
intake::Problems not_allowed(const Call& call, const doors::ses::RawMail& raw) {
  intake::Problems problems;
  for (std::size_t i = 0; i < raw.mail.recipients.size(); ++i) {
    intake::check_allowed(call.account.allowed_recipients, raw.mail.recipients[i].address,
                          raw.places[i], problems);
  }
  return problems;
}

Task<http::Response> ses_raw(Api& api, Call& call, doors::ses::Email email) {
  auto raw =
      doors::ses::read_raw_mail(std::move(email), api.intake().limits(), facts_of_raw(api, call));
  if (!raw.problems.empty()) {
    co_return doors::failure(Service::ses,
                             doors::failure_of(Service::ses, raw.problems, call.language));
  }
  if (const auto fault = fault_of_senders(api, call, raw)) {
    co_return doors::failure(Service::ses, *fault);
  }
  const std::string message_id = raw.mail.submitted.message_id;
  const std::string unheard = raw.mail.submitted.unheard;
  const bool is_unproven = api.is_unproven(call.account.key, raw.mail.submitted.from.address);
  const intake::Problems others = not_allowed(call, raw);
  const auto made = co_await api.intake().accept_submitted(call.account, std::move(raw.mail));
  if (!made && made.error().kind == ErrorKind::invalid_input && !others.empty()) {
    co_return doors::failure(Service::ses, doors::failure_of(Service::ses, others, call.language));
  }
  if (!made) co_return door_refusal(Service::ses, made.error(), call.language);
  if (is_unproven) add_warning(call, intake::kUnprovenWarning);
  add_warning(call, unheard);
  http::JsonWriter json;
  json.begin_object();
  json.member("MessageId", message_id.empty() ? uuid_of(made->answer) : message_id);
  json.end_object();
  auto response = http::Response::json(200, json.take());
  if (!message_id.empty()) response.headers.set(kMessageIdHeader, "<" + message_id + ">");
  if (made->replayed) response.headers.set(kReplayedHeader, "true");
  co_return response;
}

Task<http::Response> ses_email(Api& api, Call& call) {
  const auto form = std::make_shared<Form>();
  if (auto bad = co_await read_ses(api, call, *form)) co_return std::move(*bad);
  const auto email = std::make_shared<doors::ses::Email>(
      doors::ses::read_email(form->object(), api.intake().limits()));
  if (email->missing) co_return doors::failure(Service::ses, *email->missing);
  if (email->raw) co_return co_await ses_raw(api, call, std::move(*email));
  Letters letters{.service = Service::ses, .count = 1, .make = [email](std::size_t) {
                    return DoorMail{email->letter};
                  }};
  const auto key = key_of_call(call);
  const Looked looked = co_await look_at(api, call, letters, key, Taken::each);
  if (looked.first_fault) co_return doors::failure(Service::ses, *looked.failures[0]);
  const auto batch =
      co_await accept_letters(api, call, std::move(letters), key, looked, Taken::each);
  const auto made = batch->answer(0);
  if (!made) co_return door_refusal(Service::ses, made.error(), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.member("MessageId", message_id_at(*batch, 0, made->answer));
  json.end_object();
  auto response = http::Response::json(200, json.take());
  tell_of_mail(*batch, response);
  co_return response;
}

// Read once, and told from entry by entry.
struct ReadBulk {
  Form form;
  std::optional<doors::ses::Bulk> bulk;
};

struct BulkEntry {
  std::optional<doors::Failure> failure;
  std::string message_id;
};

// SES's word for what became of an entry.
std::string_view word_of_entry(const BulkEntry& entry) {
  if (!entry.failure) return "SUCCESS";
  switch (entry.failure->trouble) {
    case Trouble::sender:
      return "MESSAGE_REJECTED";
    case Trouble::no_template:
      return "TEMPLATE_NOT_FOUND";
    case Trouble::suspended:
      return "ACCOUNT_SUSPENDED";
    case Trouble::too_often:
      return "ACCOUNT_THROTTLED";
    case Trouble::unavailable:
    case Trouble::failed:
    case Trouble::key_in_progress:
      return "TRANSIENT_FAILURE";
    default:
      return "INVALID_PARAMETER";
  }
}

std::string results_of(const std::vector<BulkEntry>& entries) {
  http::JsonWriter json;
  json.begin_object();
  json.key("BulkEmailEntryResults");
  json.begin_array();
  for (const BulkEntry& entry : entries) {
    json.begin_object();
    json.member("Status", word_of_entry(entry));
    if (entry.failure) {
      json.member("Error", entry.failure->text);
    } else {
      json.member("MessageId", entry.message_id);
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

// Each entry for itself: what is sound is accepted.
Task<std::vector<BulkEntry>> send_entries(Api& api, Call& call, std::shared_ptr<ReadBulk> read) {
  std::vector<BulkEntry> entries(read->bulk->size());
  Letters letters{
      .service = Service::ses,
      .count = entries.size(),
      .make = [read = std::move(read)](std::size_t i) { return DoorMail{read->bulk->mail(i)}; }};
  const auto key = key_of_call(call);
  const Looked looked = co_await look_at(api, call, letters, key, Taken::each);
  const auto batch =
      co_await accept_letters(api, call, std::move(letters), key, looked, Taken::each);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    BulkEntry& entry = entries[i];
    entry.failure = failure_at(*batch, looked, i, Service::ses, call.language);
    if (!entry.failure) entry.message_id = message_id_at(*batch, i, batch->answer(i)->answer);
  }
  co_return entries;
}

Task<http::Response> ses_bulk(Api& api, Call& call) {
  const auto read = std::make_shared<ReadBulk>();
  if (auto bad = co_await read_ses(api, call, read->form)) co_return std::move(*bad);
  const auto& bulk = read->bulk.emplace(read->form.object(), api.intake().limits());
  if (bulk.missing()) co_return doors::failure(Service::ses, *bulk.missing());
  if (bulk.size() == 0) {
    co_return doors::failure(Service::ses,
                             doors::failure_of(Service::ses, bulk.problems(), call.language));
  }
  const auto entries = co_await send_entries(api, call, read);
  co_return http::Response::json(200, results_of(entries));
}

}  // namespace

void add_ses_routes(Api& api, http::Router& router) {
  // A whole message comes in base64, a third longer, and some white space in it.
  const std::size_t raw_max = doors::ses::raw_octets_max(api.intake().limits());
  const std::size_t body_max = api.form_octets_max() + raw_max + raw_max / 2;
  api.add_door(router, kSes, "/v2/email/outbound-emails", {.body_max = body_max}, &ses_email);
  api.add_door(router, kSes, "/v2/email/outbound-bulk-emails", {.body_max = kDoorOctetsMax},
               &ses_bulk);
}

}  // namespace todoku::api
