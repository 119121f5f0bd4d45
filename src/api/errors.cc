// SPDX-License-Identifier: Apache-2.0
// The error-stop list (contract section 2.16): as pages, and as a file that is made meanwhile.
#include <algorithm>
#include <memory>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "api/api.h"
#include "api/export_answers.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/list_query.h"
#include "api/members.h"
#include "base/bytes.h"
#include "base/date_time.h"
#include "http/json.h"
#include "intake/exports.h"

namespace todoku::api {
namespace {

// What one short question passes over.
constexpr std::int64_t kSkippedAtOnce = 20'000;
// Entries that are looked at to find out whether an export would be empty.
constexpr int kLookedAtSteps = 100;
constexpr std::int64_t kLookedAtOnce = 1'000;
constexpr std::size_t kErrorCodesMax = 30;

// error_time and updated_time are one: an entry changes with its last error. Others are ignored.
bool newest_first(const http::Query& query, intake::Problems& problems) {
  const auto* parameter = query.find("sort");
  if (parameter == nullptr || parameter->value.empty()) return true;
  const std::string word = to_ascii_lower(parameter->value);
  for (const std::string_view field : {"error_time", "updated_time"}) {
    if (word == fmt::format("{}:asc", field)) return false;
    if (word == fmt::format("{}:desc", field)) return true;
  }
  problems.add({"sort"}, intake::texts::invalid_format(parameter->value));
  return true;
}

struct ErrorPage {
  store::ErrorListFilter filter;
  std::int64_t skip = 0;
  std::int64_t limit = 0;
};

ErrorPage read_error_page(const Call& call, intake::Problems& problems) {
  const http::Query query = call.request.query_parameters();
  const ListQuery reader(query, problems);
  ErrorPage page;
  page.filter.account = call.account.key;
  page.limit = reader.number("size", 100);
  page.skip = (reader.number("page", 1) - 1) * page.limit;
  page.filter.from = reader.date("error_start");
  page.filter.until = reader.date("error_end");
  page.filter.newest_first = newest_first(query, problems);
  return page;
}

std::string errors_json(const std::vector<store::Suppression>& entries) {
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (const store::Suppression& entry : entries) {
    json.begin_object();
    json.member("email", entry.subject);
    json.member("response_code", entry.cause.code == 0 ? "" : fmt::format("{}", entry.cause.code));
    json.member("response_message", entry.cause.text);
    json.member("error_time", format_date_time(entry.cause.at.value_or(entry.updated)));
    json.member("updated_time", format_date_time(entry.updated));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

Task<http::Response> list_errors(Api& api, Call& call) {
  intake::Problems problems;
  const ErrorPage wanted = read_error_page(call, problems);
  if (!problems.empty()) co_return invalid(problems, call.language);
  std::optional<store::SuppressionPlace> place;
  std::int64_t skip = wanted.skip;
  while (true) {
    const bool passes = skip > kSkippedAtOnce;
    const std::int64_t passed = passes ? kSkippedAtOnce - 1 : skip;
    const std::int64_t limit = passes ? 1 : wanted.limit;
    const auto page = co_await api.store().read([=](store::ReadTransaction& reader) {
      return reader.error_list(wanted.filter, place, passed, limit);
    });
    if (!page) co_return refused(intake::refusal_of(page.error()), call.language);
    if (!passes) co_return http::Response::json(200, errors_json(page->entries));
    if (!page->next) co_return http::Response::json(200, errors_json({}));
    place = page->next;
    skip -= kSkippedAtOnce;
  }
}

// ---- the file ----------------------------------------------------------------------------------

store::ErrorListFilter read_error_filter(const Call& call, const boost::json::object& object,
                                         intake::Problems& problems) {
  const Fields fields(object, {}, problems);
  store::ErrorListFilter filter;
  filter.account = call.account.key;
  const auto date = [&](std::string_view name) -> std::optional<Instant> {
    const auto given = fields.text(name);
    if (!given || given->empty()) return std::nullopt;
    const auto instant = parse_date_time(*given);
    if (!instant) problems.add({std::string(name)}, intake::texts::invalid_date(*given));
    return instant;
  };
  filter.from = date("error_start");
  filter.until = date("error_end");
  if (const auto email = fields.text("email"); email && !email->empty()) {
    auto subject = stop_subject(*email);
    if (!subject) {
      problems.add({"email"}, intake::texts::invalid_email(subject.error().detail));
    } else {
      filter.subject = std::move(*subject);
    }
  }
  if (const auto* codes = fields.array("response_code", kErrorCodesMax)) {
    for (std::size_t i = 0; i < codes->size(); ++i) {
      const boost::json::value& code = (*codes)[i];
      if (code.is_int64() && code.get_int64() >= 0 && code.get_int64() <= 999) {
        filter.codes.push_back(static_cast<int>(code.get_int64()));
      } else {
        problems.add({"response_code", std::to_string(i)},
                     intake::texts::wrong_type("a number", "数値"));
      }
    }
  }
  return filter;
}

// Whether there is anything to export. Where that takes too long it is taken for granted.
Task<Result<bool>> has_entries(Api& api, const store::ErrorListFilter& filter) {
  if (!filter.subject.empty()) {
    const std::vector<std::string> subjects{filter.subject};
    const auto found = co_await api.store().read(
        [account = filter.account, subjects](store::ReadTransaction& reader) {
          return reader.stops_of(account, subjects);
        });
    if (!found) co_return fail(found.error());
    co_return std::ranges::any_of(*found, [&](const store::StoppedSubject& each) {
      const store::Suppression& entry = each.entry;
      return entry.account == filter.account && entry.reason == StopReason::hard_error &&
             (!filter.from || entry.updated >= *filter.from) &&
             (!filter.until || entry.updated <= *filter.until) && store::matches(filter, entry);
    });
  }
  std::optional<store::SuppressionPlace> place;
  for (int step = 0; step < kLookedAtSteps; ++step) {
    const auto page = co_await api.store().read([=](store::ReadTransaction& reader) {
      return reader.error_list(filter, place, 0, kLookedAtOnce);
    });
    if (!page) co_return fail(page.error());
    const bool any = std::ranges::any_of(page->entries, [&](const store::Suppression& entry) {
      return store::matches(filter, entry);
    });
    if (any) co_return true;
    if (!page->next) co_return false;
    place = page->next;
  }
  co_return true;
}

Task<intake::Answer<store::PublicId>> begin_unless_empty(Api& api, store::ErrorListFilter filter,
                                                         store::NewExport wanted,
                                                         intake::Repeatable repeatable) {
  const auto any = co_await has_entries(api, filter);
  if (!any) co_return std::unexpected(intake::refusal_of(any.error()));
  if (!*any) {
    co_return std::unexpected(
        intake::Refusal::of(ErrorKind::not_found, intake::texts::no_data_found()));
  }
  co_return co_await intake::begin_export(api.store(), std::move(wanted), repeatable);
}

Task<http::Response> begin_error_list(Api& api, Call& call) {
  auto key = key_of_request(call, store::KeyedRoute::error_export);
  if (!key) co_return std::move(key.error());
  Form form;
  auto bad = co_await read_form(api, call, true, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kErrorList);
  intake::Problems problems;
  auto filter = read_error_filter(call, form.object(), problems);
  if (!problems.empty()) co_return invalid(problems, call.language);
  co_return co_await begin_export_job(api, call, *key, store::ExportKind::error_list,
                                      store::written(filter),
                                      [&](const store::NewExport& wanted, intake::Repeatable its) {
                                        return begin_unless_empty(api, filter, wanted, its);
                                      });
}

constexpr ExportPlace kErrorListPlace{.kind = store::ExportKind::error_list,
                                      .url_member = "error_file_url",
                                      .path = "/errors/list/{}/download",
                                      .file_name = "errors"};

Task<http::Response> error_list_status(Api& api, Call& call) {
  return export_status(api, call, kErrorListPlace);
}

Task<http::Response> error_list_file(Api& api, Call& call) {
  return export_download(api, call, kErrorListPlace);
}

}  // namespace

void add_error_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, "/errors", kRead | store::Scope::suppress, &list_errors);
  api.add(router, post, "/errors/list", kRead | store::Scope::suppress, &begin_error_list);
  api.add(router, get, "/errors/list/{job_id}", kRead | store::Scope::suppress, &error_list_status);
  api.add(router, get, "/errors/list/{job_id}/download", kRead | store::Scope::suppress,
          &error_list_file);
}

}  // namespace todoku::api
