// SPDX-License-Identifier: Apache-2.0
#include "api/import_upload.h"

#include <utility>

#include "api/answers.h"
#include "api/idempotency.h"
#include "base/bytes.h"
#include "http/header_value.h"
#include "intake/fingerprint.h"

namespace todoku::api {
namespace {

// What is gathered of an upload before it is written.
constexpr std::size_t kWrittenAtOnce = 64 * 1024;

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

}  // namespace

UploadFile::UploadFile(async::FilePool& pool, intake::Uploads& uploads, store::AccountKey account)
    : pool_(pool),
      uploads_(uploads),
      owner_(static_cast<async::FilePool::Owner>(account)),
      name_(intake::upload_name(to_hex(random_octets(12)))) {}

UploadFile::~UploadFile() {
  if (writer_ == nullptr && (named_ || !complete_)) return;
  // A writer takes what it has written with it, unless that is complete.
  pool_.post(owner_, [writer = std::move(writer_), &uploads = uploads_, name = name_,
                      complete = complete_]() mutable {
    writer.reset();
    if (complete) uploads.remove(name);
  });
}

void UploadFile::name_charset(std::string_view content_type) {
  const auto type = http::parse_parameterized(content_type);
  if (const std::string* const charset = type.find("charset")) charset_.name(*charset);
}

void UploadFile::gather(std::string_view octets) {
  gathered_ += octets;
  octets_ += octets.size();
  if (digest_) digest_->add(octets);
}

bool UploadFile::wants_writing() const {
  return gathered_.size() >= kWrittenAtOnce;
}

Result<void> UploadFile::write_here() {
  if (writer_ == nullptr) {
    auto created = uploads_.create(name_);
    if (!created) return fail(std::move(created.error()));
    writer_ = std::move(*created);
  }
  charset_.push(gathered_);
  auto written = writer_->write(gathered_);
  gathered_.clear();
  return written;
}

Result<void> UploadFile::finish_here() {
  if (auto written = write_here(); !written) return written;
  if (auto kept = writer_->keep(); !kept) return kept;
  complete_ = true;
  writer_.reset();
  return {};
}

Task<std::optional<http::Response>> begin_import(Api& api, Call& call, ImportCall& import) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  import.delivery = *id;
  auto key = key_of_request(call, store::KeyedRoute::import);
  if (!key) co_return std::move(key.error());
  import.key = *key;
  bool is_known = false;
  if (import.key) {
    const auto known = co_await begin_keyed(api, *import.key, import.keyed);
    if (!known) co_return refused(known.error(), call.language);
    is_known = *known;
  }
  if (!is_known) {
    const auto allowed = co_await api.intake().may_import(call.account, import.delivery);
    if (!allowed) co_return refused(allowed.error(), call.language);
  }
  co_return std::nullopt;
}

void check_import_options(const store::NewImport& request, intake::Problems& problems) {
  if (!request.dry_run || !request.immediate) return;
  problems.add({"dry_run"}, {"sends nothing: it excludes immediate.",
                             "何も送信しません。immediateと同時には指定できません。"});
}

Task<http::Response> make_import(Api& api, Call& call, ImportCall& import, UploadFile& file,
                                 store::NewImport request) {
  // An upload may have taken minutes.
  auto bad = co_await api.ask_again(call);
  if (bad) co_return std::move(*bad);
  add_warning(call, file.charset_warning(request.form));
  request.asked_by = call.asked_by();
  const auto made = co_await make_job(api, call, import.delivery, file, std::move(request),
                                      import.key, import.keyed);
  co_return made_response(call, made, 201, "job_id");
}

http::Response too_many_files(const Call& call) {
  const Error error{ErrorKind::unavailable, "too many files are being uploaded"};
  return refused(intake::refusal_of(error), call.language);
}

}  // namespace todoku::api
