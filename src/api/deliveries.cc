// SPDX-License-Identifier: Apache-2.0
// Reading deliveries: detail and both lists (contract sections 2.10 and 2.11).
#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/api.h"
#include "api/list_query.h"
#include "api/message_id.h"
#include "api/progress.h"
#include "base/date_time.h"
#include "http/json.h"
#include "store/walks.h"

namespace todoku::api {
namespace {

// What list and detail share. Clients need every key (contract section 2.10).
void common_members(http::JsonWriter& json, const store::Delivery& delivery) {
  json.member("delivery_id", delivery.id);
  json.member("delivery_type", contract_word(delivery.type));
  json.member("status", contract_word(delivery.status));
  json.key("from");
  json.begin_object();
  json.member("email", delivery.content.from.address);
  json.member("name", delivery.content.from.name);
  json.end_object();
  json.member("subject", delivery.content.subject);
  date_or_null(json, "delivery_time", delivery.started);
  date_or_null(json, "reservation_time", delivery.reservation);
  json.member("created_time", format_date_time(delivery.created));
  json.member("updated_time", format_date_time(delivery.updated));
}

void attachment_members(http::JsonWriter& json, const store::Delivery& delivery) {
  json.key("attaches");
  json.begin_array();
  for (const store::AttachmentRecord& attachment : delivery.attachments) {
    json.begin_object();
    json.member("delivery_attach_id", attachment.id);
    json.member("file_name", attachment.file_name);
    // Clients compare it with a type: without the parameters that the mail repeats.
    json.member("mime",
                std::string_view(attachment.mime_type).substr(0, attachment.mime_type.find(';')));
    json.member("size", attachment.size);
    json.member("created_time", format_date_time(attachment.created));
    json.member("updated_time", format_date_time(attachment.created));
    json.end_object();
  }
  json.end_array();
}

void count_members(http::JsonWriter& json, const store::DeliveryCounts& counts) {
  json.member("total_count", counts.total);
  json.member("sent_count", counts.delivered);
  json.member("drop_count", counts.dropped + counts.cancelled);
  // Temporary failures: given up, in doubt, or still being retried.
  json.member("soft_error_count", counts.expired + counts.unknown + counts.deferred);
  json.member("hard_error_count", counts.bounced);
}

// Without the texts where `with_content` is false: clients need the keys all the same.
std::string detail_json(const store::Delivery& delivery, const store::OpenCounts& opens,
                        bool with_content) {
  http::JsonWriter json;
  json.begin_object();
  common_members(json, delivery);
  json.member("text_part", with_content ? delivery.content.text_part : "");
  json.member("html_part", with_content ? delivery.content.html_part : "");
  if (delivery.at_most_once) json.member("duplicate_policy", "at_most_once");
  if (const auto& pin = delivery.content.from_template) {
    json.member("template_id", pin->id);
    json.member("template_version", pin->version);
  }
  attachment_members(json, delivery);
  count_members(json, delivery.counts);
  json.member("open_count", opens.opened);
  json.end_object();
  return json.take();
}

Task<http::Response> detail(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  const bool without_text = ListQuery(query, problems).truth("without_text");
  if (!problems.empty()) co_return invalid(problems, call.language);
  const store::AccountKey account = call.account.key;
  using Found = std::pair<store::Delivery, store::OpenCounts>;
  const auto found = co_await api.store().read(
      [account, id = *id](store::ReadTransaction& reader) -> Result<Found> {
        auto delivery = reader.delivery(account, id);
        if (!delivery) return fail(std::move(delivery.error()));
        const auto opens = reader.open_counts(delivery->key);
        if (!opens) return fail(opens.error());
        return Found{std::move(*delivery), *opens};
      });
  if (!found) co_return refused(intake::refusal_of(found.error()), call.language);
  const bool with_content = !without_text && has(call.scopes, store::Scope::content);
  if (with_content) {
    auto unnoted = co_await note_view(api, call, {.what = "content", .delivery = *id});
    if (unnoted) co_return std::move(*unnoted);
  }
  auto response = http::Response::json(200, detail_json(found->first, found->second, with_content));
  if (!with_content) response.headers.set(kWithheldHeader, "text_part, html_part");
  const store::Delivery& delivery = found->first;
  if (delivery.type == DeliveryType::transaction) tell_message_id(api, delivery.key, response);
  co_return response;
}

// ---- lists -------------------------------------------------------------------------------------

struct Searched {
  store::DeliveryFilter filter;
  // What became of each, too: entries have the contract's keys alone else.
  bool with_outcome = false;
};

Searched read_search(Call& call, bool with_smtp, intake::Problems& problems) {
  const http::Query query = call.request.query_parameters();
  const ListQuery reader(query, problems);
  Searched searched{.filter = {.account = call.account.key},
                    .with_outcome = reader.truth("with_outcome")};
  store::DeliveryFilter& filter = searched.filter;
  filter.limit = reader.number("size", 100);
  filter.offset = (reader.number("page", 1) - 1) * filter.limit;
  filter.text_part = reader.text("text_part", 300);
  filter.html_part = reader.text("html_part", 300);
  filter.subject = reader.text("subject", 30);
  filter.from = reader.text("from", 254);
  filter.list_unsubscribe_url = reader.text("list_unsubscribe_url", 450);
  filter.list_unsubscribe_mailto = reader.text("list_unsubscribe_mailto", 450);
  filter.tag = reader.text("tag", kTagCharactersMax);
  for (const std::string& word : reader.words("status")) {
    if (const auto status = delivery_status_from_contract(word)) {
      filter.statuses.push_back(*status);
    } else {
      reader.ignore("status", word);
    }
  }
  for (const std::string& word : reader.words("delivery_type")) {
    if (const auto type = delivery_type_from_contract(word)) {
      filter.types.push_back(*type);
    } else {
      reader.ignore("delivery_type", word);
    }
  }
  if (query.find("stopped") != nullptr) filter.stopped = reader.truth("stopped");
  if (filter.types.empty()) {
    filter.types = {DeliveryType::transaction, DeliveryType::bulk};
    if (with_smtp) filter.types.push_back(DeliveryType::smtp);
  }
  // A list without SMTP that is asked for SMTP alone has nothing to show, which is not the same as
  // being asked for nothing in particular.
  if (!with_smtp) {
    std::erase(filter.types, DeliveryType::smtp);
    if (filter.types.empty()) filter.limit = filter.offset = 0;
  }
  filter.delivery_start = reader.date("delivery_start");
  filter.delivery_end = reader.date("delivery_end");
  filter.sort = reader.sort();
  call.unknown = reader.unread();
  return searched;
}

intake::Problems too_many_to_look_through() {
  intake::Problems problems;
  problems.add({}, {"there are too many deliveries to look through; narrow the list by "
                    "delivery_start and delivery_end, by status or by type.",
                    "対象の配信が多すぎます。delivery_startとdelivery_end、status、delivery_typeで"
                    "絞り込んでください。"});
  return problems;
}

// Of a list it is told whom they are for, in questions of so many.
constexpr std::size_t kAskedAtOnce = 50;

bool goes_to_few(const store::Delivery& delivery) {
  return delivery.type != DeliveryType::bulk;
}

Result<std::vector<std::string>> read_firsts(store::ReadTransaction& reader,
                                             std::span<const store::DeliveryKey> keys) {
  std::vector<std::string> firsts;
  for (const store::DeliveryKey key : keys) {
    auto sample = reader.sample_recipients(key, 1);
    // It may have been deleted since.
    const bool is_gone = !sample && sample.error().kind == ErrorKind::not_found;
    if (!sample && !is_gone) return fail(std::move(sample.error()));
    firsts.push_back(is_gone || sample->empty() ? std::string()
                                                : std::move(sample->front().address));
  }
  return firsts;
}

// The first recipient of each that goes to few; empty: it has none.
Task<Result<std::vector<std::string>>> first_recipients(
    Api& api, const std::vector<store::Delivery>& deliveries) {
  std::vector<store::DeliveryKey> keys;
  for (const store::Delivery& delivery : deliveries) {
    if (goes_to_few(delivery)) keys.push_back(delivery.key);
  }
  std::vector<std::string> all;
  while (all.size() < keys.size()) {
    const auto rest = std::span(keys).subspan(all.size());
    const auto some = rest.first(std::min(rest.size(), kAskedAtOnce));
    auto firsts = co_await api.store().read(
        [some = std::vector(some.begin(), some.end())](store::ReadTransaction& reader) {
          return read_firsts(reader, some);
        });
    if (!firsts) co_return fail(std::move(firsts.error()));
    std::ranges::move(*firsts, std::back_inserter(all));
  }
  co_return all;
}

// To the contract's statuses a delivery that was stopped is SENT.
void outcome_members(http::JsonWriter& json, const store::Delivery& delivery, std::string_view to) {
  json.member("state", state_word(delivery));
  text_or_null(json, "to", to);
  count_members(json, delivery.counts);
}

Task<http::Response> list(Api& api, Call& call, bool with_smtp) {
  intake::Problems problems;
  auto [filter, with_outcome] = read_search(call, with_smtp, problems);
  if (!problems.empty()) {
    co_return invalid(problems, call.language);
  }
  // Whoever may not read texts may not find out by guessing either.
  const bool by_text = !filter.text_part.empty() || !filter.html_part.empty();
  if (by_text && !has(call.scopes, store::Scope::content)) {
    co_return lacks_scope(call, static_cast<store::Scopes>(store::Scope::content));
  }
  store::DeliveryList deliveries(std::move(filter));
  const auto walked = co_await store::walk(api.store(), deliveries);
  if (!walked) {
    if (walked.error().kind == ErrorKind::limit_exceeded) {
      co_return invalid(too_many_to_look_through(), call.language);
    }
    co_return refused(intake::refusal_of(walked.error()), call.language);
  }
  const std::vector<store::Delivery> found = deliveries.take();
  std::vector<std::string> firsts;
  if (with_outcome) {
    auto asked = co_await first_recipients(api, found);
    if (!asked) co_return refused(intake::refusal_of(asked.error()), call.language);
    firsts = std::move(*asked);
  }
  auto first = firsts.begin();
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (const store::Delivery& delivery : found) {
    json.begin_object();
    common_members(json, delivery);
    if (with_outcome) {
      const bool is_told = goes_to_few(delivery);
      outcome_members(json, delivery, is_told ? std::string_view(*first++) : std::string_view());
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> list_api_made(Api& api, Call& call) {
  return list(api, call, false);
}
Task<http::Response> list_all(Api& api, Call& call) {
  return list(api, call, true);
}

}  // namespace

void add_delivery_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, "/deliveries", kRead, &list_api_made);
  api.add(router, get, "/deliveries/all", kRead, &list_all);
  api.add(router, get, "/deliveries/{delivery_id}", kRead, &detail);
}

}  // namespace todoku::api
