// SPDX-License-Identifier: Apache-2.0
// CSV import: upload, status, error file (contract section 2.13). The upload goes to the disk as it
// arrives and is never in memory.
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "api/api.h"
#include "api/error_download.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/members.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/sha256_stream.h"
#include "http/header_value.h"
#include "http/json.h"
#include "http/multipart.h"
#include "http/origin.h"
#include "intake/error_files.h"
#include "intake/fingerprint.h"
#include "intake/uploads.h"

namespace todoku::api {
namespace {

constexpr std::size_t kOptionsOctetsMax = 64 * 1024;
constexpr std::size_t kFramingOctets = 64 * 1024;

// What is gathered of an upload before it is written.
constexpr std::size_t kSliceOctets = 64 * 1024;

// An upload that is gone again unless a job names it. Nothing here waits for the disk but on the
// pool.
class UploadFile {
 public:
  UploadFile(async::FilePool& pool, intake::Uploads& uploads, store::AccountKey account)
      : pool_(pool),
        uploads_(uploads),
        owner_(static_cast<async::FilePool::Owner>(account)),
        name_(intake::upload_name(to_hex(random_octets(12)))) {}
  ~UploadFile() {
    if (writer_ == nullptr && (named_ || !complete_)) return;
    // A writer takes what it has written with it, unless that is complete.
    pool_.post(owner_, [writer = std::move(writer_), &uploads = uploads_, name = name_,
                        complete = complete_]() mutable {
      writer.reset();
      if (complete) uploads.remove(name);
    });
  }
  UploadFile(const UploadFile&) = delete;
  UploadFile& operator=(const UploadFile&) = delete;

  void gather(std::string_view octets) {
    gathered_ += octets;
    octets_ += octets.size();
    if (digest_) digest_->add(octets);
  }
  // Before anything is gathered: its digest will be asked for.
  void begin_digest() { digest_.emplace(); }
  [[nodiscard]] Sha256 digest() { return digest_->finish(); }
  [[nodiscard]] bool wants_writing() const { return gathered_.size() >= kSliceOctets; }
  [[nodiscard]] Task<Result<void>> write() {
    return pool_.run(owner_, [this] { return write_here(); });
  }
  // Complete and kept: a job that names it survives power loss together with it.
  [[nodiscard]] Task<Result<void>> finish() {
    return pool_.run(owner_, [this] { return finish_here(); });
  }
  // A job may name it from now on, or none does.
  void set_named(bool named) { named_ = named; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t octets() const { return octets_; }

 private:
  Result<void> write_here() {
    if (writer_ == nullptr) {
      auto created = uploads_.create(name_);
      if (!created) return fail(std::move(created.error()));
      writer_ = std::move(*created);
    }
    auto written = writer_->write(gathered_);
    gathered_.clear();
    return written;
  }
  Result<void> finish_here() {
    if (auto written = write_here(); !written) return written;
    if (auto kept = writer_->keep(); !kept) return kept;
    complete_ = true;
    writer_.reset();
    return {};
  }

  async::FilePool& pool_;
  intake::Uploads& uploads_;
  const async::FilePool::Owner owner_;
  std::string name_;
  std::string gathered_;  // and not yet written
  std::optional<Sha256Stream> digest_;
  std::unique_ptr<intake::Uploads::Writer> writer_;
  std::uint64_t octets_ = 0;
  bool complete_ = false;
  bool named_ = false;
};

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

// {ignore_errors, immediate, keep_duplicates}; absent, empty and "null" mean false (contract
// section 2.13).
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
  if (problems.empty()) return std::nullopt;
  return invalid(problems, call.language);
}

// Takes the place of a request that has a key, and says whether the key is known: then the state of
// the delivery is not what decides.
Task<intake::Answer<bool>> begin_keyed(Api& api, const store::IdempotencyKey& key,
                                       std::optional<intake::Repeats::Place>& place) {
  auto begun = api.intake().repeats().begin(key);
  if (!begun) co_return std::unexpected(std::move(begun.error()));
  place.emplace(std::move(*begun));
  co_return co_await api.intake().repeats().is_known(key);
}

// From here the job may refer to the file, even if its commit is only seen after a crash: where
// that is not known either, the file stays until the importer's next sweep.
Task<intake::Answer<intake::Made>> make_job(Api& api, Call& call, store::PublicId delivery,
                                            UploadFile& file, store::NewImport request,
                                            std::optional<store::IdempotencyKey> key,
                                            const std::optional<intake::Repeats::Place>& place) {
  const auto make = [&](intake::Repeatable its) {
    file.set_named(true);
    return api.intake().import(call.account, delivery, std::move(request), its);
  };
  intake::Answer<intake::Made> made;
  if (key) {
    const auto fingerprint = intake::fingerprint_of(delivery, request, file.digest());
    made = co_await api.intake().repeats().within(*place, {.key = *key, .fingerprint = fingerprint},
                                                  make);
  } else {
    made = co_await api.intake().repeats().once(std::nullopt, make);
  }
  file.set_named(made ? !made->replayed : made.error().kind == ErrorKind::io);
  co_return made;
}

Task<http::Response> import(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  auto key = key_of_request(call, store::KeyedRoute::import);
  if (!key) co_return std::move(key.error());
  const auto boundary = http::multipart_boundary(call.request.headers.get("Content-Type"));
  if (!boundary) {
    intake::Text reason{
        fmt::format("{}: send multipart/form-data with the list in a part \"file\"",
                    boundary.error().detail),
        "Content-Typeがboundary付きのmultipart/form-dataではありません。リストをパート"
        "「file」に入れて送信してください。"};
    co_return container_failure(415, reason, call.request);
  }
  std::optional<intake::Repeats::Place> keyed;
  bool is_known = false;
  if (*key) {
    const auto known = co_await begin_keyed(api, **key, keyed);
    if (!known) co_return refused(known.error(), call.language);
    is_known = *known;
  }
  if (!is_known) {
    const auto allowed = co_await api.intake().may_import(call.account, *id);
    if (!allowed) co_return refused(allowed.error(), call.language);
  }

  const std::uint64_t octets_max = api.intake().limits().import_octets_max;
  const auto place = api.file_places().take(call.account.key);
  if (!place) {
    const Error error{ErrorKind::unavailable, "too many files are being uploaded"};
    co_return refused(intake::refusal_of(error), call.language);
  }
  Upload upload(api, call.account.key);
  if (*key) upload.file.begin_digest();
  auto bad = co_await receive(call, *boundary, octets_max, upload);
  if (bad) co_return std::move(*bad);
  store::NewImport request{.language = call.language, .upload = upload.file.name()};
  bad = read_options(call, upload.options, request);
  if (bad) co_return std::move(*bad);
  // An upload may have taken minutes.
  bad = co_await api.ask_again(call);
  if (bad) co_return std::move(*bad);
  const auto made = co_await make_job(api, call, *id, upload.file, std::move(request), *key, keyed);
  co_return made_response(call, made, 201, "job_id");
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
  api.add(router, get, "/deliveries/-/emails/import/{job_id}/errorinfo/download",
          kSend | store::Scope::content, &download);
}

}  // namespace todoku::api
