// SPDX-License-Identifier: Apache-2.0
#include "api/door_mails.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "api/doors/postmark.h"
#include "api/doors/sendgrid.h"
#include "api/idempotency.h"
#include "async/yield.h"
#include "http/header_value.h"
#include "intake/check.h"

namespace todoku::api {
namespace {

constexpr std::string_view kNamesUnshown = "recipients are shown by their addresses, without names";

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

std::optional<doors::Failure> fault_of(const Api& api, const Call& call, doors::Service service,
                                       const doors::Letter& letter) {
  if (!letter.problems.empty()) {
    return doors::failure_of(service, letter.problems, call.language);
  }
  if (const auto sender = intake::fault_of_sender(letter.request.content.from, call.account.key,
                                                  api.intake().senders())) {
    return doors::Failure{
        doors::Trouble::sender,
        fmt::format("{}: {}", letter.request.content.from.address, sender->in(call.language)),
        "from"};
  }
  const auto refusal = api.intake().fault_of(call.account, letter.request);
  if (!refusal) return std::nullopt;
  return doors::failure_of(service, *refusal, call.language);
}

std::expected<std::optional<store::IdempotencyKey>, http::Response> key_of_door(
    const Call& call, doors::Service service) {
  auto key = key_of_request(call, store::KeyedRoute::mail_of_batch);
  if (key) return *key;
  return std::unexpected(doors::failure(
      service, {doors::Trouble::key_invalid,
                "The idempotency key has to have 1 to 255 visible characters of ASCII."}));
}

Task<std::optional<Fault>> first_fault(Api& api, const Call& call, const Letters& letters,
                                       const std::optional<store::IdempotencyKey>& key) {
  for (std::size_t i = 0; i < letters.count; ++i) {
    if (key) {
      const auto known = co_await api.intake().repeats().is_known(key_of_mail(*key, i));
      if (known && *known) continue;
    }
    auto failure = fault_of(api, call, letters.service, letters.make(i));
    if (failure) co_return Fault{i, std::move(*failure)};
    co_await async::give_way();
  }
  co_return std::nullopt;
}

Task<std::shared_ptr<MailBatch>> accept_letters(Api& api, Call& call, Letters letters,
                                                std::optional<store::IdempotencyKey> key) {
  const auto named = std::make_shared<bool>(false);
  const std::size_t count = letters.count;
  auto batch = std::make_shared<MailBatch>(
      MailBatch{.api = api,
                .account = call.account,
                .key = key,
                .take = [make = std::move(letters.make), named](std::size_t i) {
                  doors::Letter letter = make(i);
                  *named = *named || letter.has_names;
                  return ReadMail{std::move(letter.request), std::move(letter.problems)};
                }});
  batch->resize(count);
  co_await accept_all(batch);
  if (*named) add_warning(call, kNamesUnshown);
  for (const std::string& warning : batch->warnings) {
    if (!warning.empty() && !call.warning.contains(warning)) add_warning(call, warning);
  }
  co_return batch;
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
  return fmt::format("00000000-0000-4000-8000-{:012x}", delivery);
}

}  // namespace todoku::api
