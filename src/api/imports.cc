// SPDX-License-Identifier: Apache-2.0
// CSV import: upload, status, error file (contract section 2.13), and what was found out about the
// list. The upload goes to the disk as it arrives and is never in memory.
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "api/api.h"
#include "api/error_download.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/import_upload.h"
#include "api/members.h"
#include "base/bytes.h"
#include "base/log.h"
#include "http/header_value.h"
#include "http/json.h"
#include "http/multipart.h"
#include "http/origin.h"
#include "intake/error_files.h"
#include "intake/uploads.h"

namespace todoku::api {
namespace {

constexpr std::size_t kOptionsOctetsMax = 64 * 1024;
constexpr std::size_t kFramingOctets = 64 * 1024;

struct Upload {
  Upload(Api& api, store::AccountKey account) : file(api.files(), api.uploads(), account) {}
  UploadFile file;
  std::size_t files = 0;  // parts of that name
  std::string options;    // the JSON of the part "data"
};

http::Response field_problem(const Call& call, std::string_view field, intake::Text text) {
  intake::Problems problems;
  problems.add({std::string(field)}, std::move(text));
  return invalid(problems, call.language);
}

// Handles what the parser has found so far. True at the end of the form.
Result<bool> take_events(http::MultipartParser& parser, Upload& upload, std::uint64_t octets_max) {
  while (true) {
    const auto event = parser.next();
    if (!event) return fail(event.error());
    const bool is_file = parser.part_number() > 0 && parser.part().name == "file";
    switch (event->kind) {
      case http::MultipartEvent::Kind::need_more:
        return false;
      case http::MultipartEvent::Kind::part_begin:
        upload.files += is_file ? 1 : 0;
        if (is_file) upload.file.name_charset(parser.part().headers.get("Content-Type"));
        break;
      case http::MultipartEvent::Kind::data:
        if (is_file) {
          upload.file.gather(event->data);
          if (upload.file.octets() > octets_max) {
            return fail(ErrorKind::limit_exceeded, intake::texts::too_large(octets_max).en);
          }
        } else if (parser.part().name == "data") {
          upload.options.append(event->data);
          if (upload.options.size() > kOptionsOctetsMax) {
            return fail(ErrorKind::limit_exceeded, "the part \"data\" is too long");
          }
        }
        break;
      case http::MultipartEvent::Kind::part_end:
        break;
      case http::MultipartEvent::Kind::finished:
        return true;
    }
  }
}

// Why the form could not be taken; nullopt if it was.
Task<std::optional<http::Response>> receive(Call& call, std::string boundary,
                                            std::uint64_t octets_max, Upload& upload) {
  const auto refuse_form = [&](const Error& error) {
    if (error.kind == ErrorKind::limit_exceeded && upload.file.octets() > octets_max) {
      return field_problem(call, "file", intake::texts::too_large(octets_max));
    }
    return refused(400, unreadable_parts(error), call.language);
  };
  http::MultipartParser parser(boundary);
  bool finished = false;
  while (true) {
    const auto piece = co_await call.body.read();
    if (!piece) co_return http::Response();  // the server answers by itself
    if (piece->empty()) break;
    if (finished) continue;
    parser.push(*piece);
    const auto at_end = take_events(parser, upload, octets_max);
    if (!at_end) co_return refuse_form(at_end.error());
    finished = *at_end;
    if (!upload.file.wants_writing()) continue;
    const auto written = co_await upload.file.write();
    if (!written) co_return refused(intake::refusal_of(written.error()), call.language);
  }
  if (!finished) {
    parser.end_of_input();
    const auto at_end = take_events(parser, upload, octets_max);
    if (!at_end) co_return refuse_form(at_end.error());
  }
  if (upload.files == 0) co_return field_problem(call, "file", intake::texts::required());
  if (upload.files > 1) co_return field_problem(call, "file", intake::texts::given_twice());
  const auto kept = co_await upload.file.finish();
  if (!kept) co_return refused(intake::refusal_of(kept.error()), call.language);
  co_return std::nullopt;
}

// {ignore_errors, immediate, keep_duplicates, dry_run}; absent, empty and "null" mean false
// (contract section 2.13).
std::optional<http::Response> read_options(Call& call, const std::string& text,
                                           store::NewImport& request) {
  const std::string_view trimmed = trim(text);
  if (trimmed.empty() || trimmed == "null") return std::nullopt;
  http::JsonArena arena;
  http::JsonReader reader(trimmed, arena);
  const auto read = reader.read_on(trimmed.size());
  if (!read) return refused(400, unreadable_json(reader.fault()), call.language);
  const boost::json::value value = reader.take();
  if (!value.is_object()) {
    return field_problem(call, "data", intake::texts::wrong_type("an object", "オブジェクト"));
  }
  call.unknown = unknown_members(value.get_object(), members::kImport);
  intake::Problems problems;
  const Fields fields(value.get_object(), {}, problems);
  refuse_lost_members(value.get_object(), members::kImport, problems);
  request.ignore_errors = fields.truth("ignore_errors").value_or(false);
  request.immediate = fields.truth("immediate").value_or(false);
  request.keep_duplicates = fields.truth("keep_duplicates").value_or(false);
  request.dry_run = fields.truth("dry_run").value_or(false);
  check_import_options(request, problems);
  if (problems.empty()) return std::nullopt;
  return invalid(problems, call.language);
}

Task<http::Response> import(Api& api, Call& call) {
  if (!path_id(call, "delivery_id")) co_return no_data_found(call);
  const auto boundary = http::multipart_boundary(call.request.headers.get("Content-Type"));
  if (!boundary) {
    intake::Text reason{
        fmt::format("{}: send multipart/form-data with the list in a part \"file\"",
                    boundary.error().detail),
        "Content-Typeがboundary付きのmultipart/form-dataではありません。リストをパート"
        "「file」に入れて送信してください。"};
    co_return container_failure(415, reason, call.request);
  }
  ImportCall importing;
  auto bad = co_await begin_import(api, call, importing);
  if (bad) co_return std::move(*bad);
  const auto place = api.file_places().take(call.account.key);
  if (!place) co_return too_many_files(call);
  Upload upload(api, call.account.key);
  if (importing.key) upload.file.begin_digest();
  bad = co_await receive(call, *boundary, api.intake().limits().import_octets_max, upload);
  if (bad) co_return std::move(*bad);
  store::NewImport request{.language = call.language, .upload = upload.file.name()};
  bad = read_options(call, upload.options, request);
  if (bad) co_return std::move(*bad);
  co_return co_await make_import(api, call, importing, upload.file, std::move(request));
}

Task<Result<store::ImportJob>> find_job(Api& api, store::AccountKey account, store::PublicId id) {
  return api.store().read(
      [account, id](store::ReadTransaction& reader) { return reader.import_job(account, id); });
}

std::string_view status_word(store::ImportStatus status) {
  switch (status) {
    case store::ImportStatus::finished:
      return "FINISHED";
    case store::ImportStatus::failed:
      return "FAILED";
    case store::ImportStatus::system_error:
      return "SYSTEM_ERROR";
    case store::ImportStatus::running:
      break;
  }
  return "IMPORTING";
}

// No key beyond these: one client fails on any other (contract section 2.13).
std::string status_json(const Api& api, const Call& call, const store::ImportJob& job) {
  http::JsonWriter json;
  json.begin_object();
  const bool running = job.status == store::ImportStatus::running;
  json.member("percentage", running ? std::min(job.percentage, 99) : 100);
  json.member("status", status_word(job.status));
  if (!running) {
    json.member("success_count", job.success_count);
    json.member("failed_count", job.failed_count);
    json.member("total_count", job.total_count);
    if (!job.errors.empty()) {
      const std::string& configured = api.options().public_url;
      const std::string base = configured.empty() ? http::origin_of(call.request) : configured;
      json.member(
          "error_file_url",
          fmt::format("{}/api/v1/deliveries/-/emails/import/{}/errorinfo/download", base, job.id));
    }
  }
  json.end_object();
  return json.take();
}

Task<http::Response> status(Api& api, Call& call) {
  const auto id = path_id(call, "job_id");
  if (!id) co_return no_data_found(call);
  const auto job = co_await find_job(api, call.account.key, *id);
  if (!job) co_return refused(intake::refusal_of(job.error()), call.language);
  auto response = http::Response::json(200, status_json(api, call, *job));
  if (job->folded > 0) response.headers.set(kFoldedHeader, std::to_string(job->folded));
  co_return response;
}

// How the list was read and, of a dry run, what it would bring; null as long as the job runs.
Task<http::Response> findings(Api& api, Call& call) {
  const auto id = path_id(call, "job_id");
  if (!id) co_return no_data_found(call);
  const auto job = co_await find_job(api, call.account.key, *id);
  if (!job) co_return refused(intake::refusal_of(job.error()), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.member("job_id", job->id);
  json.member("status", status_word(job->status));
  json.member("dry_run", job->dry_run);
  const bool is_cancelled = job->findings == store::kCancelledFindings;
  json.member("cancelled", is_cancelled);
  if (job->findings.empty() || is_cancelled) {
    json.null_member("list");
  } else {
    json.key("list");
    json.raw(job->findings);
  }
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> cancel_import(Api& api, Call& call) {
  const auto id = path_id(call, "job_id");
  if (!id) co_return no_data_found(call);
  const auto cancelled = co_await api.intake().cancel_import(call.account, *id);
  if (!cancelled) co_return refused(cancelled.error(), call.language);
  co_return id_response(200, "job_id", *id);
}

// The store says that there is one.
http::Response no_error_file(const Call& call, std::string_view name, const Error& error) {
  const bool is_lost = error.kind == ErrorKind::not_found || error.kind == ErrorKind::corrupt;
  if (is_lost || error.kind == ErrorKind::io) {
    log::error("error file of an import cannot be read",
               {{"file", name}, {"reason", error.detail}});
  }
  if (is_lost) return no_data_found(call);
  return refused(503, intake::texts::busy(error.detail), call.language);
}

Task<http::Response> download(Api& api, Call& call) {
  const auto id = path_id(call, "job_id");
  if (!id) co_return no_data_found(call);
  const store::AccountKey account = call.account.key;
  const auto job = co_await find_job(api, account, *id);
  if (!job) co_return refused(intake::refusal_of(job.error()), call.language);
  if (job->errors.empty()) co_return no_data_found(call);
  auto place = api.file_places().take(account);
  if (!place) {
    co_return refused(503, intake::texts::busy("too many files are being sent"), call.language);
  }
  auto open = [&uploads = api.uploads(), errors = job->errors] {
    return intake::open_errors(uploads, errors);
  };
  const auto owner = static_cast<async::FilePool::Owner>(account);
  auto reader = co_await api.files().run(owner, std::move(open));
  if (!reader) co_return no_error_file(call, job->errors, reader.error());
  http::Response response;
  response.content_type = "application/zip";
  response.headers.set("Content-Disposition",
                       fmt::format("attachment; filename=\"import_errors_{}.zip\"", job->id));
  response.source =
      std::make_unique<ErrorDownload>(ErrorDownload::Parts{.files = api.files(),
                                                           .account = account,
                                                           .place = std::move(*place),
                                                           .reader = std::move(*reader),
                                                           .name = job->errors});
  co_return response;
}

}  // namespace

void add_import_routes(Api& api, http::Router& router) {
  using enum http::Method;
  const http::RouteOptions upload{
      .body_max =
          static_cast<std::size_t>(api.intake().limits().import_octets_max) + kFramingOctets,
      .streaming = true};
  api.add(router, post, "/deliveries/{delivery_id}/emails/import", kSend, upload, &import);
  api.add(router, get, "/deliveries/-/emails/import/{job_id}", kSend | store::Scope::read, &status);
  api.add(router, delete_, "/deliveries/-/emails/import/{job_id}", kSend, &cancel_import);
  api.add(router, get, "/deliveries/-/emails/import/{job_id}/findings", kSend | store::Scope::read,
          &findings);
  api.add(router, get, "/deliveries/-/emails/import/{job_id}/errorinfo/download",
          kSend | store::Scope::content, &download);
}

}  // namespace todoku::api
