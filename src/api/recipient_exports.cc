// SPDX-License-Identifier: Apache-2.0
// What became of each recipient of a delivery, as a file: above all whom a stop has reached. Not in
// the contract, whose log has pages only.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/api.h"
#include "api/export_answers.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/members.h"

namespace todoku::api {
namespace {

constexpr std::size_t kStatesMax = 8;  // as many as there are

std::vector<RecipientState> read_states(const Fields& fields, intake::Problems& problems) {
  std::vector<RecipientState> states;
  std::size_t place = 0;
  for (const std::string& word : fields.texts("states", kStatesMax)) {
    const auto state = recipient_state_of(word);
    if (state) {
      states.push_back(*state);
    } else {
      problems.add({"states", std::to_string(place)},
                   intake::texts::not_one_of(word,
                                             "pending, deferred, delivered, bounced, dropped, "
                                             "expired, cancelled, unknown"));
    }
    ++place;
  }
  return states;
}

std::optional<intake::Refusal> refuses_unstarted(const store::Delivery& delivery) {
  switch (delivery.status) {
    case DeliveryStatus::edit:
    case DeliveryStatus::importing:
    case DeliveryStatus::reserve:
    case DeliveryStatus::wait:
      return intake::Refusal::of(
          ErrorKind::conflict,
          intake::texts::wrong_state(contract_word(delivery.status), "SENDING, SENT, FAILED"));
    case DeliveryStatus::sending:
    case DeliveryStatus::sent:
    case DeliveryStatus::failed:
      break;
  }
  return std::nullopt;
}

Task<http::Response> begin_recipient_list(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  auto key = key_of_request(call, store::KeyedRoute::recipient_export);
  if (!key) co_return std::move(key.error());
  Form form;
  auto bad = co_await read_form(api, call, true, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kRecipientExport);
  intake::Problems problems;
  const store::RecipientExport wanted{
      .delivery = *id, .states = read_states(Fields(form.object(), {}, problems), problems)};
  if (!problems.empty()) co_return invalid(problems, call.language);
  co_return co_await begin_export_job(
      api, call, *key, store::ExportKind::recipient_list, store::written(wanted),
      [&](const store::NewExport& job, intake::Repeatable its) {
        return begin_export_of(api, *id, job, its, refuses_unstarted);
      });
}

constexpr ExportPlace kRecipientListPlace{.kind = store::ExportKind::recipient_list,
                                          .url_member = "recipients_file_url",
                                          .path = "/deliveries/-/recipients/export/{}/download",
                                          .file_name = "recipients"};

Task<http::Response> recipient_list_status(Api& api, Call& call) {
  return export_status(api, call, kRecipientListPlace);
}

Task<http::Response> recipient_list_file(Api& api, Call& call) {
  return export_download(api, call, kRecipientListPlace);
}

}  // namespace

void add_recipient_export_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, post, "/deliveries/{delivery_id}/recipients/export", kRead,
          &begin_recipient_list);
  api.add(router, get, "/deliveries/-/recipients/export/{job_id}", kRead, &recipient_list_status);
  api.add(router, get, "/deliveries/-/recipients/export/{job_id}/download", kRead,
          &recipient_list_file);
}

}  // namespace todoku::api
