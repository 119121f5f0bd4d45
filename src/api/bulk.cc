// SPDX-License-Identifier: Apache-2.0
// Bulk deliveries: begin, update, commit (contract sections 2.5 to 2.8).
#include <utility>

#include <boost/json/array.hpp>

#include "api/api.h"
#include "api/date_time.h"
#include "api/fields.h"
#include "api/form.h"

namespace todoku::api {
namespace {

http::Response id_or_refusal(const Call& call, const intake::Answer<void>& answer,
                             store::PublicId id) {
  if (!answer) return refused(answer.error(), call.language);
  return id_response(200, "delivery_id", id);
}

http::Response invalid(const Call& call, const intake::Problems& problems) {
  return http::Response::json(400, error_body(problems, call.language));
}

Task<http::Response> begin(Api& api, Call& call) {
  Form form;
  if (auto bad = read_form(call, false, form)) co_return std::move(*bad);
  intake::Problems problems;
  Content content = read_content(Fields(form.object(), {}, problems));
  content.attachments = std::move(form.attachments);
  if (!problems.empty()) co_return invalid(call, problems);
  const auto begun = co_await api.intake().begin_bulk(call.account, std::move(content));
  if (!begun) co_return refused(begun.error(), call.language);
  co_return id_response(201, "delivery_id", *begun);
}

intake::UpdateRequest read_update(const Form& form, intake::Problems& problems) {
  const Fields fields(form.object(), {}, problems);
  intake::UpdateRequest request;
  request.from = fields.mailbox("from");
  request.reply_to = fields.mailbox("reply_to");
  if (request.reply_to && request.reply_to->address.empty()) request.reply_to.reset();
  request.subject = fields.text("subject");
  request.text_part = fields.text("text_part");
  request.html_part = fields.text("html_part");
  if (const auto unsubscribe = fields.fields("list_unsubscribe")) {
    request.list_unsubscribe_mailto = unsubscribe->text("mailto");
    request.list_unsubscribe_url = unsubscribe->text("url");
  }
  if (const auto* to = fields.array("to")) {
    auto& recipients = request.to.emplace();
    for (std::size_t i = 0; i < to->size(); ++i) {
      intake::Path path{"to", std::to_string(i)};
      if (!(*to)[i].is_object()) {
        problems.add(std::move(path), intake::texts::wrong_type("an object", "オブジェクト"));
        continue;
      }
      recipients.push_back(Fields((*to)[i].get_object(), std::move(path), problems).recipient());
    }
  }
  return request;
}

Task<http::Response> update(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  Form form;
  if (auto bad = read_form(call, true, form)) co_return std::move(*bad);
  intake::Problems problems;
  auto request = read_update(form, problems);
  if (!problems.empty()) co_return invalid(call, problems);
  const auto done = co_await api.intake().update_bulk(call.account, *id, std::move(request));
  co_return id_or_refusal(call, done, *id);
}

Task<http::Response> commit(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  Form form;
  if (auto bad = read_form(call, true, form)) co_return std::move(*bad);
  intake::Problems problems;
  const auto given = Fields(form.object(), {}, problems).text("reservation_time");
  std::optional<Instant> reservation;
  if (given && !given->empty()) {
    reservation = parse_date_time(*given);
    if (!reservation) problems.add({"reservation_time"}, intake::texts::invalid_date(*given));
  } else if (problems.empty()) {
    problems.add({"reservation_time"}, intake::texts::required());
  }
  if (!problems.empty()) co_return invalid(call, problems);
  const auto done = co_await api.intake().commit_bulk(call.account, *id, reservation);
  co_return id_or_refusal(call, done, *id);
}

// The body is whatever the client sends, usually nothing.
Task<http::Response> commit_immediately(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto done = co_await api.intake().commit_bulk(call.account, *id, std::nullopt);
  co_return id_or_refusal(call, done, *id);
}

Task<http::Response> cancel(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto done = co_await api.intake().cancel(call.account, *id);
  co_return id_or_refusal(call, done, *id);
}

Task<http::Response> remove(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto done = co_await api.intake().remove(call.account, *id);
  co_return id_or_refusal(call, done, *id);
}

}  // namespace

void add_bulk_routes(Api& api, http::Router& router) {
  using enum http::Method;
  const http::RouteOptions form{.body_max = api.form_octets_max()};
  api.add(router, post, "/deliveries/bulk/begin", form, &begin);
  api.add(router, put, "/deliveries/bulk/update/{delivery_id}", form, &update);
  api.add(router, patch, "/deliveries/bulk/commit/{delivery_id}", &commit);
  api.add(router, patch, "/deliveries/bulk/commit/{delivery_id}/immediate", &commit_immediately);
  api.add(router, patch, "/deliveries/{delivery_id}/cancel", &cancel);
  // One client in the wild cancels by this path (contract section 2.8).
  api.add(router, patch, "/deliveries/bulk/commit/{delivery_id}/cancel", &cancel);
  api.add(router, delete_, "/deliveries/{delivery_id}", &remove);
}

}  // namespace todoku::api
