// SPDX-License-Identifier: Apache-2.0
// The log: search and detail (contract sections 2.15 and 3.2). A row is what the recipient's story
// says; nothing of it is kept apart.
#include <array>
#include <utility>

#include <fmt/format.h>

#include "api/api.h"
#include "api/list_query.h"
#include "base/date_time.h"
#include "http/json.h"
#include "mail/address.h"
#include "store/log_search.h"
#include "store/walks.h"

namespace todoku::api {
namespace {

constexpr std::array kStates = {RecipientState::pending,   RecipientState::deferred,
                                RecipientState::delivered, RecipientState::bounced,
                                RecipientState::dropped,   RecipientState::expired,
                                RecipientState::cancelled, RecipientState::unknown};

// "0": nobody answered, and the message says what happened. An address that is suppressed has the
// contract's own word.
std::string code_text(const Outcome& outcome) {
  if (outcome.cause == Cause::suppressed)
    return fmt::format("{}(errors)", store::log_code(outcome));
  return std::to_string(outcome.reply.code);
}

void row_members(http::JsonWriter& json, const store::Story& story) {
  const store::Attempt* const last = store::deciding_attempt(story);
  json.member("maillog_id", story.email_id);
  json.member("delivery_id", story.delivery_id);
  json.member("delivery_type", contract_word(story.type));
  json.member("email", story.address);
  json.member("status", contract_word(story.state).value_or(""));
  json.member("last_response_code", code_text(last->outcome));
  json.member("last_response_message", last->outcome.reply.text);
  json.member("delivery_time", format_date_time(*story.started));
  date_or_null(json, "open_time", story.opened);
  json.member("created_time", format_date_time(story.created));
  json.member("updated_time", format_date_time(last->at + last->duration));
}

void history_member(http::JsonWriter& json, const store::Story& story) {
  json.key("sent_history");
  json.begin_array();
  for (const store::Attempt& attempt : story.attempts) {
    json.begin_object();
    json.member("status", contract_word(attempt.outcome.state).value_or("RETRY"));
    json.member("response_code", code_text(attempt.outcome));
    json.member("delivery_time", format_date_time(attempt.at));
    json.member("response_message", attempt.outcome.reply.text);
    json.end_object();
  }
  json.end_array();
}

std::string canonical_address(const ListQuery& query, intake::Problems& problems) {
  constexpr std::size_t kAddressMax = 254;
  const std::string given = query.text("email", kAddressMax);
  if (given.empty()) return {};
  const auto address = parse_address(given);
  if (address) return address->to_string();
  problems.add({"email"}, intake::texts::invalid_format(given));
  return {};
}

store::LogFilter read_filter(Call& call, intake::Problems& problems) {
  constexpr std::size_t kCodesMax = 30;
  constexpr int kCodeMax = 999;
  const http::Query parameters = call.request.query_parameters();
  const ListQuery query(parameters, problems);
  store::LogFilter filter{.account = call.account.key};
  filter.below = query.id("anchor");
  filter.limit = query.number("count", 100);
  filter.address = canonical_address(query, problems);
  std::string reference = query.text("reference", kReferenceOctetsMax);
  if (reference.empty()) {
    // Of no mail's, and without it the answer would be of all mails.
    if (parameters.find("reference") != nullptr) {
      problems.add({"reference"}, intake::texts::required());
    }
  } else {
    filter.mark = store::Mark{store::MarkKind::reference, std::move(reference), call.account.key};
  }
  for (const std::string& word : query.words("delivery_type")) {
    if (const auto type = delivery_type_from_contract(word)) {
      filter.types.push_back(*type);
    } else {
      query.ignore("delivery_type", word);
    }
  }
  filter.delivery = query.id("delivery_id");
  for (const std::string& word : query.words("status")) {
    const std::size_t before = filter.states.size();
    for (const RecipientState state : kStates) {
      if (contract_word(state) == word) filter.states.push_back(state);
    }
    if (filter.states.size() == before) query.ignore("status", word);
  }
  filter.codes = query.numbers("response_code", kCodesMax, kCodeMax);
  filter.start_from = query.date("delivery_start");
  filter.start_to = query.date("delivery_end");
  call.unknown = query.unread();
  return filter;
}

intake::Problems too_much_to_look_through() {
  intake::Problems problems;
  problems.add({}, {"too many mails would have to be looked at; narrow the search by email, by "
                    "delivery_id, by delivery_start and delivery_end, or by a status other than "
                    "SENT.",
                    "対象のメールが多すぎます。email、delivery_id、delivery_startとdelivery_end、"
                    "またはSENT以外のstatusで絞り込んでください。"});
  return problems;
}

Task<http::Response> search_log(Api& api, Call& call) {
  intake::Problems problems;
  auto filter = read_filter(call, problems);
  if (!problems.empty()) co_return invalid(problems, call.language);
  store::LogSearch log(std::move(filter));
  const auto walked = co_await store::walk(api.store(), log);
  if (!walked) {
    if (walked.error().kind == ErrorKind::limit_exceeded) {
      co_return invalid(too_much_to_look_through(), call.language);
    }
    co_return refused(intake::refusal_of(walked.error()), call.language);
  }
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (const store::Story& story : log.take()) {
    json.begin_object();
    row_members(json, story);
    if (!story.attached.reference.empty()) json.member("reference", story.attached.reference);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> log_detail(Api& api, Call& call) {
  const auto id = path_id(call, "maillog_id");
  if (!id) co_return no_data_found(call);
  const store::AccountKey account = call.account.key;
  const auto stories = co_await api.store().read(
      [account, id = *id](store::ReadTransaction& reader) -> Result<std::vector<store::Story>> {
        auto found = reader.log_stories(account, std::span(&id, 1));
        if (!found) return found;
        auto opens = store::add_opens(reader, account, *found);
        if (!opens) return fail(std::move(opens.error()));
        return found;
      });
  if (!stories) co_return refused(intake::refusal_of(stories.error()), call.language);
  if (stories->empty() || !store::is_logged(stories->front())) co_return no_data_found(call);
  http::JsonWriter json;
  json.begin_object();
  row_members(json, stories->front());
  attached_members(json, stories->front().attached);
  history_member(json, stories->front());
  json.end_object();
  co_return http::Response::json(200, json.take());
}

}  // namespace

void add_log_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, "/logs/mails/results", kRead, &search_log);
  api.add(router, get, "/logs/mails/{maillog_id}", kRead, &log_detail);
}

}  // namespace todoku::api
