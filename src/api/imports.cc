// SPDX-License-Identifier: Apache-2.0
// CSV import: upload, status, error file (contract section 2.13). The upload goes to the disk as it
// arrives and is never in memory.
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "api/api.h"
#include "api/fields.h"
#include "api/zip.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "http/header_value.h"
#include "http/json.h"
#include "http/multipart.h"

namespace todoku::api {
namespace {

constexpr std::size_t kOptionsOctetsMax = 64 * 1024;
constexpr std::size_t kFramingOctets = 64 * 1024;

// What is gathered of an upload before it is written.
constexpr std::size_t kSliceOctets = 64 * 1024;

// A file that is removed again unless it is kept. Nothing here waits for the disk but on the pool.
class UploadFile {
 public:
  UploadFile(async::FilePool& pool, const std::filesystem::path& directory)
      : pool_(pool),
        name_("import-" + to_hex(random_octets(12)) + ".upload"),
        path_(directory / name_) {}
  ~UploadFile() {
    if (file_ == nullptr && (kept_ || !made_)) return;
    pool_.post([file = file_, path = path_, kept = kept_] {
      if (file != nullptr) std::fclose(file);
      if (!kept) std::remove(path.c_str());
    });
  }
  UploadFile(const UploadFile&) = delete;
  UploadFile& operator=(const UploadFile&) = delete;

  void gather(std::string_view octets) {
    gathered_ += octets;
    octets_ += octets.size();
  }
  [[nodiscard]] bool wants_writing() const { return gathered_.size() >= kSliceOctets; }
  [[nodiscard]] Task<Result<void>> write() {
    return pool_.run([this] { return write_here(); });
  }
  // On the disk, synced: a job that names it survives power loss together with it.
  [[nodiscard]] Task<Result<void>> finish() {
    return pool_.run([this] { return finish_here(); });
  }
  void keep(bool kept) { kept_ = kept; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t octets() const { return octets_; }

 private:
  Result<void> write_here() {
    if (file_ == nullptr) file_ = std::fopen(path_.c_str(), "wbx");
    if (file_ == nullptr) return failed();
    made_ = true;
    if (std::fwrite(gathered_.data(), 1, gathered_.size(), file_) != gathered_.size()) {
      return failed();
    }
    gathered_.clear();
    return {};
  }
  Result<void> finish_here() {
    if (auto written = write_here(); !written) return written;
    if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) return failed();
    std::fclose(std::exchange(file_, nullptr));
    return {};
  }
  [[nodiscard]] std::unexpected<Error> failed() const {
    return fail(ErrorKind::unavailable, fmt::format("the upload cannot be written: {}",
                                                    std::generic_category().message(errno)));
  }

  async::FilePool& pool_;
  std::string name_;
  std::filesystem::path path_;
  std::string gathered_;  // and not yet written
  std::FILE* file_ = nullptr;
  std::uint64_t octets_ = 0;
  bool made_ = false;
  bool kept_ = false;
};

// One of the uploads that may be under way.
class UploadPlace {
 public:
  explicit UploadPlace(Api& api) : api_(api), taken_(api.take_upload_place()) {}
  ~UploadPlace() {
    if (taken_) api_.give_upload_place_back();
  }
  UploadPlace(const UploadPlace&) = delete;
  UploadPlace& operator=(const UploadPlace&) = delete;
  [[nodiscard]] bool is_taken() const { return taken_; }

 private:
  Api& api_;
  const bool taken_;
};

struct Upload {
  explicit Upload(Api& api) : file(api.files(), api.options().data_directory) {}
  UploadFile file;
  bool has_file = false;
  std::string options;  // the JSON of the part "data"
};

http::Response field_problem(const Call& call, std::string_view field, intake::Text text) {
  intake::Problems problems;
  problems.add({std::string(field)}, std::move(text));
  return http::Response::json(400, error_body(problems, call.language));
}

http::Response unreadable(const Call& call, const Error& error) {
  if (error.kind == ErrorKind::unavailable) {
    return refused(
        intake::Refusal::of(ErrorKind::unavailable, intake::texts::unavailable(error.detail)),
        call.language);
  }
  return refused(400,
                 {fmt::format("the request cannot be read: {}.", error.detail),
                  fmt::format("リクエストを読み取れません: {}", error.detail)},
                 call.language);
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
        upload.has_file |= is_file;
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

Task<Result<void>> receive(Call& call, std::string boundary, std::uint64_t octets_max,
                           Upload& upload) {
  http::MultipartParser parser(boundary);
  bool finished = false;
  while (true) {
    const auto piece = co_await call.body.read();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) break;
    if (finished) continue;
    parser.push(*piece);
    const auto at_end = take_events(parser, upload, octets_max);
    if (!at_end) co_return fail(at_end.error());
    finished = *at_end;
    if (!upload.file.wants_writing()) continue;
    const auto written = co_await upload.file.write();
    if (!written) co_return fail(written.error());
  }
  if (!finished) {
    parser.end_of_input();
    const auto at_end = take_events(parser, upload, octets_max);
    if (!at_end) co_return fail(at_end.error());
  }
  co_return co_await upload.file.finish();
}

// {ignore_errors, immediate}; absent, empty and "null" mean false (contract section 2.13).
std::optional<http::Response> read_options(const Call& call, const std::string& text,
                                           intake::ImportRequest& request) {
  const std::string_view trimmed = trim(text);
  if (trimmed.empty() || trimmed == "null") return std::nullopt;
  http::JsonArena arena;
  const auto value = http::parse_json(trimmed, arena);
  if (!value) return unreadable(call, value.error());
  if (!value->is_object()) {
    return field_problem(call, "data", intake::texts::wrong_type("an object", "オブジェクト"));
  }
  intake::Problems problems;
  const Fields fields(value->get_object(), {}, problems);
  request.ignore_errors = fields.truth("ignore_errors").value_or(false);
  request.immediate = fields.truth("immediate").value_or(false);
  if (problems.empty()) return std::nullopt;
  return http::Response::json(400, error_body(problems, call.language));
}

Task<http::Response> import(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto boundary = http::multipart_boundary(call.request.headers.get("Content-Type"));
  if (!boundary) {
    co_return container_failure({.status = 415, .reason = boundary.error().detail}, call.request);
  }
  const auto allowed = co_await api.intake().may_import(call.account, *id);
  if (!allowed) co_return refused(allowed.error(), call.language);

  const std::uint64_t octets_max = api.intake().limits().import_octets_max;
  const UploadPlace place(api);
  if (!place.is_taken()) {
    co_return unreadable(call, {ErrorKind::unavailable, "too many files are being uploaded"});
  }
  Upload upload(api);
  const auto received = co_await receive(call, *boundary, octets_max, upload);
  if (!received) {
    if (received.error().kind == ErrorKind::limit_exceeded) {
      co_return field_problem(call, "file", intake::texts::too_large(octets_max));
    }
    co_return unreadable(call, received.error());
  }
  if (!upload.has_file) co_return field_problem(call, "file", intake::texts::required());
  intake::ImportRequest request{.upload = upload.file.name()};
  if (auto bad = read_options(call, upload.options, request)) co_return std::move(*bad);
  // From here the job may refer to the file, even if its commit is only seen after a crash.
  upload.file.keep(true);
  const auto job = co_await api.intake().import(call.account, *id, std::move(request));
  if (!job) {
    upload.file.keep(false);
    co_return refused(job.error(), call.language);
  }
  co_return id_response(201, "job_id", *job);
}

Task<Result<store::ImportJob>> find_job(Api& api, store::AccountKey account, store::PublicId id) {
  return api.store().read(
      [account, id](store::ReadTransaction& reader) { return reader.import_job(account, id); });
}

// No key beyond these: one client fails on any other (contract section 2.13).
std::string status_json(const Api& api, const Call& call, const store::ImportJob& job) {
  http::JsonWriter json;
  json.begin_object();
  const bool running = job.status == store::ImportStatus::running;
  json.member("percentage", running ? std::min(job.percentage, 99) : 100);
  switch (job.status) {
    case store::ImportStatus::running:
      json.member("status", "IMPORTING");
      break;
    case store::ImportStatus::finished:
      json.member("status", "FINISHED");
      break;
    case store::ImportStatus::failed:
      json.member("status", "FAILED");
      break;
    case store::ImportStatus::system_error:
      json.member("status", "SYSTEM_ERROR");
      break;
  }
  if (!running) {
    json.member("success_count", job.success_count);
    json.member("failed_count", job.failed_count);
    json.member("total_count", job.total_count);
    if (!job.errors.empty()) {
      std::string base = api.options().public_url;
      if (base.empty()) {
        base = fmt::format("{}://{}", call.request.is_secure ? "https" : "http",
                           call.request.headers.get("Host"));
      }
      json.member(
          "error_file_url",
          fmt::format("{}/api/v1/deliveries/-/emails/import/{}/errorinfo/download", base, job.id));
    }
  }
  json.end_object();
  return json.take();
}

http::Response not_read(const Call& call, const Error& error) {
  if (error.kind == ErrorKind::not_found) return no_data_found(call);
  return refused(
      intake::Refusal::of(ErrorKind::unavailable, intake::texts::unavailable(error.detail)),
      call.language);
}

Task<http::Response> status(Api& api, Call& call) {
  const auto id = path_id(call, "job_id");
  if (!id) co_return no_data_found(call);
  const auto job = co_await find_job(api, call.account.key, *id);
  if (!job) co_return not_read(call, job.error());
  co_return http::Response::json(200, status_json(api, call, *job));
}

Task<http::Response> download(Api& api, Call& call) {
  const auto id = path_id(call, "job_id");
  if (!id) co_return no_data_found(call);
  const auto job = co_await find_job(api, call.account.key, *id);
  if (!job) co_return not_read(call, job.error());
  if (job->errors.empty()) co_return no_data_found(call);
  auto zipped = [file = api.options().data_directory / job->errors,
                 name = fmt::format("import_errors_{}.csv", job->id)] {
    return zip_file(file, name);
  };
  auto archive = co_await api.files().run(std::move(zipped));
  if (!archive) co_return not_read(call, archive.error());
  http::Response response;
  response.content_type = "application/zip";
  response.headers.set("Content-Disposition",
                       fmt::format("attachment; filename=\"import_errors_{}.zip\"", job->id));
  response.body = std::move(*archive);
  co_return response;
}

}  // namespace

void add_import_routes(Api& api, http::Router& router) {
  using enum http::Method;
  const http::RouteOptions upload{
      .body_max =
          static_cast<std::size_t>(api.intake().limits().import_octets_max) + kFramingOctets,
      .streaming = true};
  api.add(router, post, "/deliveries/{delivery_id}/emails/import", upload, &import);
  api.add(router, get, "/deliveries/-/emails/import/{job_id}", &status);
  api.add(router, get, "/deliveries/-/emails/import/{job_id}/errorinfo/download", &download);
}

}  // namespace todoku::api
