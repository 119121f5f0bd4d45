// SPDX-License-Identifier: Apache-2.0
// Who opened a delivery: counts, and the contract's report (section 2.14).
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "api/api.h"
#include "api/export_answers.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/members.h"
#include "http/json.h"

namespace todoku::api {
namespace {

Task<http::Response> open_counts(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  struct Found {
    store::Delivery delivery;
    store::OpenCounts counts;
  };
  const auto found = co_await api.store().read(
      [account = call.account.key, id = *id](store::ReadTransaction& reader) -> Result<Found> {
        auto delivery = reader.delivery(account, id);
        if (!delivery) return fail(std::move(delivery.error()));
        const auto counts = reader.open_counts(delivery->key);
        if (!counts) return fail(counts.error());
        return Found{std::move(*delivery), *counts};
      });
  if (!found) co_return refused(intake::refusal_of(found.error()), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.member("delivery_id", *id);
  json.member("open_tracking",
              found->delivery.content.open_tracking && !found->delivery.content.html_part.empty());
  json.member("opened", found->counts.opened);
  json.member("prefetched", found->counts.prefetched);
  json.end_object();
  co_return http::Response::json(200, json.take());
}

std::optional<intake::Refusal> refuses_nothing(const store::Delivery& /*delivery*/) {
  return std::nullopt;
}

Task<http::Response> begin_report(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  auto key = key_of_request(call, store::KeyedRoute::open_report);
  if (!key) co_return std::move(key.error());
  Form form;
  auto bad = co_await read_form(api, call, true, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), std::span<const Member>());
  co_return co_await begin_export_job(
      api, call, *key, store::ExportKind::open_report, std::to_string(*id),
      [&](const store::NewExport& wanted, intake::Repeatable its) {
        return begin_export_of(api, *id, wanted, its, refuses_nothing);
      });
}

constexpr ExportPlace kReportPlace{.kind = store::ExportKind::open_report,
                                   .url_member = "mail_open_file_url",
                                   .path = "/deliveries/-/analysis/report/{}/download",
                                   .file_name = "opens"};

Task<http::Response> report_status(Api& api, Call& call) {
  return export_status(api, call, kReportPlace);
}

Task<http::Response> report_file(Api& api, Call& call) {
  return export_download(api, call, kReportPlace);
}

}  // namespace

void add_open_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, "/deliveries/{delivery_id}/opens", kRead, &open_counts);
  api.add(router, post, "/deliveries/{delivery_id}/analysis/report", kRead, &begin_report);
  api.add(router, get, "/deliveries/-/analysis/report/{job_id}", kRead, &report_status);
  api.add(router, get, "/deliveries/-/analysis/report/{job_id}/download", kRead, &report_file);
}

}  // namespace todoku::api
