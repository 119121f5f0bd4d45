// SPDX-License-Identifier: Apache-2.0
#include "api/door_mails.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "api/doors/postmark.h"
#include "api/doors/sendgrid.h"
#include "api/idempotency.h"
#include "async/yield.h"
#include "base/digest.h"
#include "http/header_value.h"
#include "intake/check.h"
#include "intake/senders.h"
#include "mail/delivery_uuid.h"

namespace todoku::api {
namespace {

constexpr std::string_view kNamesUnshown = "recipients are shown by their addresses, without names";

// Two such spans are less than answers are kept (store::kAnswersKept): of what was done in the one
// before nothing is forgotten yet.
constexpr std::chrono::hours kRepeatedWithin{8};
static_assert(2 * kRepeatedWithin < store::kAnswersKept);
constexpr int kSameOctetsMax = 16;

// How many mails it is, or why it would be refused, whatever is free or in use now.
Task<std::expected<std::int64_t, doors::Failure>> mails_or_failure(Api& api, const Call& call,
                                                                   doors::Service service,
                                                                   DoorMail mail) {
  if (mail.failure) co_return std::unexpected(*mail.failure);
  const doors::Letter& letter = mail.letter;
  if (!letter.problems.empty()) {
    co_return std::unexpected(
        doors::failure_of(service, letter.problems, call.language, letter.origin));
  }
  if (const auto sender = intake::fault_of_sender(letter.request.content.from, call.account.key,
                                                  api.intake().senders())) {
    co_return std::unexpected(doors::Failure{
        doors::Trouble::sender,
        fmt::format("{}: {}", letter.request.content.from.address, sender->in(call.language)),
        doors::field_of(service, {"from"}, letter.origin)});
  }
  const auto mails = co_await api.intake().mails_of(call.account, letter.request);
  if (mails) co_return *mails;
  co_return std::unexpected(
      doors::failure_of(service, mails.error(), call.language, letter.origin));
}

enum class Done : std::uint8_t { nothing, a_part, all };

// Of the mails that were taken, what their sender should know.
struct Noticed {
  bool names = false;     // of recipients, which are not shown
  bool unproven = false;  // a sender's domain
};

// Of the mails of a request with this key. Those that come first are tried first (mail_batch.h).
Task<intake::Answer<Done>> done_of(Api& api, store::IdempotencyKey key, std::size_t mails) {
  bool has_known = false;
  bool has_unknown = false;
  for (std::size_t i = 0; i < mails; ++i) {
    if (i >= kMailsTogether && !has_known) break;
    const auto known = co_await api.intake().repeats().is_known(key_of_mail(key, i));
    if (!known) co_return std::unexpected(known.error());
    has_known = has_known || *known;
    has_unknown = has_unknown || !*known;
    if (has_known && has_unknown) co_return Done::a_part;
  }
  co_return has_known ? Done::all : Done::nothing;
}

}  // namespace

Task<std::optional<http::Response>> read_door(const Api& api, const Call& call,
                                              doors::Service service, Form& form) {
  const std::string type = http::media_type(call.request.headers.get("Content-Type"));
  if (is_no_json(type)) {
    co_return doors::failure(
        service, {doors::Trouble::media_type, "The Content-Type has to be application/json."});
  }
  http::JsonLimits limits = api.json_limits();
  limits.octets_max = std::max(limits.octets_max, kDoorOctetsMax);
  limits.elements_max = std::max(
      {limits.elements_max, doors::sendgrid::kPersonalizationsMax, doors::postmark::kMailsMax});
  if (const auto fault = co_await read_value(call.body.text(), limits, form)) {
    co_return doors::failure(service,
                             {doors::Trouble::unreadable, std::string(fault->in(call.language))});
  }
  co_return std::nullopt;
}

std::expected<std::optional<store::IdempotencyKey>, http::Response> key_of_door(
    const Call& call, doors::Service service) {
  auto key = key_of_request(call, store::KeyedRoute::mail_of_batch);
  if (key) return *key;
  return std::unexpected(doors::failure(
      service, {doors::Trouble::key_invalid,
                "The idempotency key has to have 1 to 255 visible characters of ASCII."}));
}

Task<std::expected<std::optional<store::IdempotencyKey>, http::Response>> key_of_octets(
    Api& api, const Call& call, doors::Service service, std::size_t mails) {
  if (mails < 2) co_return std::nullopt;
  const std::string octets = sha256_hex(call.body.text());
  const auto now = std::chrono::floor<std::chrono::hours>(api.clock().now().time_since_epoch());
  const std::int64_t span = now / kRepeatedWithin;
  const std::array spans{span - 1, span};
  for (const std::int64_t in : spans) {
    for (int before = 0; before < kSameOctetsMax; ++before) {
      const store::IdempotencyKey key{
          call.account.key, store::KeyedRoute::mail_of_batch,
          sha256(fmt::format("octets {} {} {} {}", static_cast<int>(service), octets, in, before))};
      const auto done = co_await done_of(api, key, mails);
      if (!done) co_return std::unexpected(door_refusal(service, done.error(), call.language));
      if (*done == Done::a_part || (*done == Done::nothing && in == span)) co_return key;
      if (*done == Done::nothing) break;
    }
  }
  co_return std::nullopt;
}

Task<Looked> look_at(Api& api, const Call& call, const Letters& letters,
                     const std::optional<store::IdempotencyKey>& key, Taken taken) {
  Looked looked;
  looked.failures.resize(letters.count);
  looked.copies.resize(letters.count);
  for (std::size_t i = 0; i < letters.count; ++i) {
    if (key) {
      const auto known = co_await api.intake().repeats().is_known(key_of_mail(*key, i));
      if (known && *known) continue;
    }
    auto mails = co_await mails_or_failure(api, call, letters.service, letters.make(i));
    if (mails) {
      looked.copies[i] = *mails;
    } else {
      looked.failures[i] = std::move(mails.error());
      if (!looked.first_fault) looked.first_fault = i;
      if (taken == Taken::whole) co_return looked;
    }
    co_await async::give_way();
  }
  co_return looked;
}

Task<std::shared_ptr<MailBatch>> accept_letters(Api& api, Call& call, Letters letters,
                                                std::optional<store::IdempotencyKey> key,
                                                const Looked& looked, Taken taken) {
  const auto noticed = std::make_shared<Noticed>();
  const std::size_t count = letters.count;
  auto batch = std::make_shared<MailBatch>(
      MailBatch{.api = api,
                .account = call.account,
                .key = key,
                .take = [make = std::move(letters.make), noticed, &api,
                         account = call.account.key](std::size_t i) {
                  doors::Letter letter = make(i).letter;
                  noticed->names = noticed->names || letter.has_names;
                  noticed->unproven = noticed->unproven ||
                                      api.is_unproven(account, letter.request.content.from.address);
                  return ReadMail{std::move(letter.request), std::move(letter.problems)};
                }});
  batch->resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!looked.failures[i]) continue;
    batch->answers[i].emplace(std::unexpected(intake::Refusal{ErrorKind::invalid_input, {}}));
  }
  const auto copies = std::accumulate(looked.copies.begin(), looked.copies.end(), std::int64_t{0});
  if (taken == Taken::whole && copies > 0) {
    const auto reached = co_await api.intake().admit(call.account, copies, true);
    if (reached) {
      for (auto& answer : batch->answers) answer.emplace(std::unexpected(*reached));
      co_return batch;
    }
    batch->counted = looked.copies;
  }
  co_await accept_all(batch);
  if (noticed->unproven) add_warning(call, intake::kUnprovenWarning);
  if (noticed->names) add_warning(call, kNamesUnshown);
  for (const std::string& warning : batch->warnings) add_warning(call, warning);
  co_return batch;
}

std::optional<doors::Failure> failure_at(const MailBatch& batch, const Looked& looked,
                                         std::size_t place, doors::Service service,
                                         Language language) {
  if (looked.failures[place]) return looked.failures[place];
  const auto made = batch.answer(place);
  if (made) return std::nullopt;
  return doors::failure_of(service, made.error(), language);
}

std::optional<intake::Refusal> first_refusal(const MailBatch& batch, const Looked& looked) {
  for (std::size_t i = 0; i < batch.answers.size(); ++i) {
    if (looked.failures[i]) continue;
    const auto made = batch.answer(i);
    if (!made) return made.error();
  }
  return std::nullopt;
}

http::Response door_refusal(doors::Service service, const intake::Refusal& refusal,
                            Language language) {
  auto response = doors::failure(service, doors::failure_of(service, refusal, language));
  if (refusal.key == intake::Refusal::Key::in_progress) {
    response.headers.set("Retry-After", kInProgressSeconds);
  }
  if (refusal.retry_after) say_when_free(response, *refusal.retry_after, refusal.limit);
  return response;
}

std::string uuid_of(store::PublicId delivery) {
  return delivery_uuid(delivery);
}

}  // namespace todoku::api
