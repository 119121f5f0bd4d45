// SPDX-License-Identifier: Apache-2.0
// A list of any length as the body of a request: NDJSON or CSV, plain or compressed as gzip. It
// goes to the disk as it arrives, expanded, and becomes an import like that of a form: a stream
// that breaks has left nothing.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "api/api.h"
#include "api/file_places.h"
#include "api/import_upload.h"
#include "api/list_query.h"
#include "http/gzip_reader.h"
#include "http/header_value.h"
#include "http/query.h"

namespace todoku::api {
namespace {

constexpr std::size_t kCompressedMore = std::size_t{1} << 20U;  // what gzip may add to its text
// An account's lists that come in or wait for their import take as much of the disk as so many of
// the largest: compressed, a few megabytes would fill it.
constexpr std::uint64_t kListsTogether = 4;
// What waits is asked for anew when a list has grown by so much.
constexpr std::uint64_t kLookAfter = std::uint64_t{256} << 20U;

std::optional<store::ImportForm> form_of(std::string_view content_type) {
  const std::string type = http::media_type(content_type);
  constexpr std::array<std::string_view, 4> kNdjson{"application/x-ndjson", "application/ndjson",
                                                    "application/jsonl", "application/x-jsonlines"};
  if (std::ranges::find(kNdjson, type) != kNdjson.end()) return store::ImportForm::ndjson;
  if (type == "text/csv") return store::ImportForm::csv;
  return std::nullopt;
}

http::Response unknown_form(const Call& call) {
  return container_failure(
      415,
      {"Content type not supported: send a recipient a line as application/x-ndjson, or a list as "
       "text/csv",
       "このContent-Typeには対応していません。1行に1件のapplication/x-ndjson、またはtext/csvで送信"
       "してください。"},
      call.request);
}

// Why the options cannot be taken; nullopt if they were read.
std::optional<http::Response> read_options(Call& call, store::NewImport& request) {
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  const ListQuery reader(query, problems);
  request.ignore_errors = reader.truth("ignore_errors");
  request.immediate = reader.truth("immediate");
  request.keep_duplicates = reader.truth("keep_duplicates");
  request.dry_run = reader.truth("dry_run");
  check_import_options(request, problems);
  call.unknown = reader.unread();
  if (problems.empty()) return std::nullopt;
  return invalid(problems, call.language);
}

class ListStream {
 public:
  ListStream(Api& api, Call& call, FilePlaces::Place& place)
      : octets_max_(api.intake().limits().stream_octets_max),
        api_(api),
        call_(call),
        place_(place),
        file_(api.files(), api.uploads(), call.account.key) {
    if (is_gzip(call.request)) gzip_ = std::make_unique<http::GzipReader>();
  }

  [[nodiscard]] UploadFile& file() { return file_; }
  // Why the list was not taken; nullopt: it is kept.
  Task<std::optional<http::Response>> receive() {
    while (true) {
      const auto piece = co_await call_.body.read();
      if (!piece) co_return http::Response();  // the server answers by itself
      if (piece->empty()) break;
      auto bad = gzip_ == nullptr ? co_await take(*piece) : co_await expand(*piece);
      if (bad) co_return std::move(*bad);
    }
    if (gzip_ != nullptr) {
      if (const auto whole = gzip_->finish(); !whole) co_return broken(whole.error());
    }
    const auto kept = co_await file_.finish();
    if (!kept) co_return refused(intake::refusal_of(kept.error()), call_.language);
    co_return std::nullopt;
  }

 private:
  Task<std::optional<http::Response>> expand(std::string_view octets) {
    gzip_->push(octets);
    while (true) {
      const auto piece = gzip_->next();
      if (!piece) co_return broken(piece.error());
      if (piece->empty()) co_return std::nullopt;
      auto bad = co_await take(*piece);
      if (bad) co_return std::move(*bad);
    }
  }
  Task<std::optional<http::Response>> take(std::string_view octets) {
    if (octets.size() > octets_max_ - file_.octets()) {
      const intake::Text limit = intake::texts::too_large(octets_max_);
      co_return container_failure(413, {"The list " + limit.en, "リストが" + limit.ja},
                                  call_.request);
    }
    auto full = co_await no_room_for(octets.size());
    if (full) co_return std::move(*full);
    file_.gather(octets);
    if (!file_.wants_writing()) co_return std::nullopt;
    const auto written = co_await file_.write();
    if (!written) co_return refused(intake::refusal_of(written.error()), call_.language);
    co_return std::nullopt;
  }
  // Why the account's lists together may not grow by so much; nullopt: they may.
  Task<std::optional<http::Response>> no_room_for(std::uint64_t octets) {
    if (file_.octets() >= look_at_) {
      look_at_ = file_.octets() + kLookAfter;
      const auto waiting = co_await octets_waiting();
      if (!waiting) co_return refused(waiting.error(), call_.language);
      waiting_ = *waiting;
    }
    place_.grow(octets);
    const std::uint64_t together = waiting_ + api_.file_places().octets_of(call_.account.key);
    if (together <= kListsTogether * octets_max_) co_return std::nullopt;
    const std::uint64_t most = kListsTogether * octets_max_;
    co_return container_failure(
        429,
        {fmt::format("The account's lists that wait for their import, with this one, take more "
                     "than {} bytes, {} times limits.stream_bytes_max: send it again when they "
                     "are imported",
                     most, kListsTogether),
         fmt::format("インポートを待つリストとこのリストの合計が{}バイト（limits.stream_bytes_maxの"
                     "{}倍）を超えます。インポートが終わってから、もう一度送信してください。",
                     most, kListsTogether)},
        call_.request);
  }
  // Of the lists that wait for their import or are in it. One that is gone meanwhile takes nothing.
  Task<intake::Answer<std::uint64_t>> octets_waiting() {
    auto names = co_await api_.intake().waiting_lists(call_.account.key);
    if (!names) co_return std::unexpected(std::move(names.error()));
    const auto owner = static_cast<async::FilePool::Owner>(call_.account.key);
    const auto octets = co_await api_.files().run(owner, [&]() -> Result<std::uint64_t> {
      std::uint64_t sum = 0;
      for (const std::string& name : *names) {
        const auto list = api_.uploads().open(name);
        if (list) sum += (*list)->size();
      }
      return sum;
    });
    if (!octets) co_return std::unexpected(intake::refusal_of(octets.error()));
    co_return *octets;
  }
  http::Response broken(const Error& error) const {
    return refused(400,
                   {fmt::format("the body cannot be expanded: {}.", error.detail),
                    "本文を展開できません。gzipが途中で切れているか、壊れています。"},
                   call_.language);
  }

  const std::uint64_t octets_max_;
  Api& api_;
  Call& call_;
  FilePlaces::Place& place_;
  std::unique_ptr<http::GzipReader> gzip_;
  UploadFile file_;
  std::uint64_t look_at_ = 0;  // how large the list is then
  std::uint64_t waiting_ = 0;
};

Task<http::Response> stream_list(Api& api, Call& call) {
  if (!path_id(call, "delivery_id")) co_return no_data_found(call);
  const auto form = form_of(call.request.headers.get("Content-Type"));
  if (!form) co_return unknown_form(call);
  store::NewImport request{.language = call.language, .form = *form};
  auto bad = read_options(call, request);
  if (bad) co_return std::move(*bad);
  ImportCall importing;
  bad = co_await begin_import(api, call, importing);
  if (bad) co_return std::move(*bad);
  auto place = api.file_places().take(call.account.key);
  if (!place) co_return too_many_files(call);
  ListStream list(api, call, *place);
  if (importing.key) list.file().begin_digest();
  list.file().name_charset(call.request.headers.get("Content-Type"));
  bad = co_await list.receive();
  if (bad) co_return std::move(*bad);
  request.upload = list.file().name();
  co_return co_await make_import(api, call, importing, list.file(), std::move(request));
}

}  // namespace

void add_list_stream_routes(Api& api, http::Router& router) {
  const http::RouteOptions upload{
      .body_max =
          static_cast<std::size_t>(api.intake().limits().stream_octets_max) + kCompressedMore,
      .streaming = true,
      .gzip = true};
  api.add(router, http::Method::post, "/deliveries/{delivery_id}/emails/stream", kSend, upload,
          &stream_list);
}

}  // namespace todoku::api
