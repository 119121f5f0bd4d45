// SPDX-License-Identifier: Apache-2.0
#include "api/export_answers.h"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "api/error_download.h"
#include "base/log.h"
#include "http/json.h"
#include "http/origin.h"

namespace todoku::api {
namespace {

std::string_view word_of(store::ExportStatus status) {
  switch (status) {
    case store::ExportStatus::running:
      return "EXPORTING";
    case store::ExportStatus::finished:
      return "FINISHED";
    case store::ExportStatus::failed:
      return "FAILED";
  }
  return "";
}

Task<Result<store::ExportJob>> find_export(Api& api, const Call& call, store::ExportKind kind) {
  const auto id = path_id(call, "job_id");
  if (!id) co_return fail(ErrorKind::not_found, "there is no such job");
  co_return co_await api.store().read(
      [account = call.account.key, kind, id = *id](store::ReadTransaction& reader) {
        return reader.export_job(account, kind, id);
      });
}

}  // namespace

Task<http::Response> export_status(Api& api, Call& call, const ExportPlace& place) {
  const auto job = co_await find_export(api, call, place.kind);
  if (!job) co_return refused(intake::refusal_of(job.error()), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.member("percentage", job->percentage);
  json.member("status", word_of(job->status));
  json.member("total_count", job->total);
  if (!job->file.empty()) {
    const std::string& configured = api.options().public_url;
    const std::string base = configured.empty() ? http::origin_of(call.request) : configured;
    json.member(place.url_member,
                fmt::format("{}/api/v1{}", base, fmt::format(fmt::runtime(place.path), job->id)));
  }
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> export_download(Api& api, Call& call, const ExportPlace& place) {
  const auto job = co_await find_export(api, call, place.kind);
  if (!job) co_return refused(intake::refusal_of(job.error()), call.language);
  if (job->file.empty()) co_return no_data_found(call);
  auto file_place = api.file_places().take(call.account.key);
  if (!file_place) {
    co_return refused(503, intake::texts::busy("too many files are being sent"), call.language);
  }
  auto open = [&uploads = api.uploads(), file = job->file] { return uploads.open(file); };
  auto reader = co_await api.files().run(static_cast<async::FilePool::Owner>(call.account.key),
                                         std::move(open));
  if (!reader) {
    const ErrorKind kind = reader.error().kind;
    log::error("export cannot be read", {{"file", job->file}, {"reason", reader.error().detail}});
    if (kind == ErrorKind::not_found || kind == ErrorKind::corrupt) co_return no_data_found(call);
    co_return refused(503, intake::texts::busy(reader.error().detail), call.language);
  }
  http::Response response;
  response.content_type = "application/zip";
  response.headers.set("Content-Disposition",
                       fmt::format("attachment; filename=\"{}_{}.zip\"", place.file_name, job->id));
  response.source =
      std::make_unique<ErrorDownload>(ErrorDownload::Parts{.files = api.files(),
                                                           .account = call.account.key,
                                                           .place = std::move(*file_place),
                                                           .reader = std::move(*reader),
                                                           .name = job->file});
  co_return response;
}

}  // namespace todoku::api
