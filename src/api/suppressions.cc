// SPDX-License-Identifier: Apache-2.0
// The account's suppression list, a resource of our own: list, look up, add, remove, CSV in and
// out.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "api/api.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/list_query.h"
#include "api/members.h"
#include "async/yield.h"
#include "base/date_time.h"
#include "base/sha256_stream.h"
#include "http/header_value.h"
#include "http/json.h"
#include "http/multipart.h"
#include "intake/fingerprint.h"
#include "intake/suppression_lists.h"

namespace todoku::api {
namespace {

constexpr std::size_t kImportOctetsMax = std::size_t{16} << 20U;
constexpr std::size_t kCursorMax = 400;
// Of a form, before others get their turn.
constexpr std::size_t kCsvTurnOctets = std::size_t{64} * 1024;

void write_entry(http::JsonWriter& json, const store::Suppression& entry) {
  json.begin_object();
  json.member("email", entry.subject);
  json.member("of", entry.account == store::kInstallation ? "installation" : "account");
  json.member("reason", to_string(entry.reason));
  json.member("scope", to_string(entry.scope));
  if (!entry.list_id.empty()) json.member("list_id", entry.list_id);
  // What the operator wrote for himself, and whose mail was the cause, is not its accounts' to
  // know.
  const bool ours = entry.account != store::kInstallation;
  if (ours && !entry.note.empty()) json.member("note", entry.note);
  if (ours && (entry.cause.at || entry.cause.code != 0)) {
    json.key("cause");
    json.begin_object();
    json.member("response_code", fmt::format("{}", entry.cause.code));
    json.member("response_message", entry.cause.text);
    date_or_null(json, "time", entry.cause.at);
    if (entry.cause.delivery_id != 0) json.member("delivery_id", entry.cause.delivery_id);
    if (entry.cause.email_id != 0) json.member("maillog_id", entry.cause.email_id);
    json.end_object();
  }
  date_or_null(json, "expires_time", entry.expires);
  date_or_null(json, "created_time", entry.created);
  date_or_null(json, "updated_time", entry.updated);
  json.end_object();
}

void write_entries(http::JsonWriter& json, const std::vector<store::Suppression>& entries) {
  json.begin_array();
  for (const store::Suppression& entry : entries) write_entry(json, entry);
  json.end_array();
}

Task<http::Response> look_suppression(Api& api, Call& call, std::string email) {
  intake::SuppressionLists lists(api.store());
  const auto found = co_await lists.look(call.account.key, std::move(email));
  if (!found) co_return refused(found.error(), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.member("email", found->subject);
  json.key("data");
  write_entries(json, found->entries);
  json.key("removed");
  json.begin_array();
  for (const store::SuppressionChange& change : found->removals) {
    json.begin_object();
    json.member("reason", to_string(change.reason));
    if (!change.list_id.empty()) json.member("list_id", change.list_id);
    json.member("why", change.why);
    json.member("actor", change.actor);
    json.member("time", format_date_time(change.at));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> list_suppressions(Api& api, Call& call) {
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  const ListQuery reader(query, problems);
  std::string email = reader.text("email", 300);
  std::string cursor = reader.text("cursor", kCursorMax);
  const std::int64_t limit = reader.number("limit", 100);
  if (!problems.empty()) co_return invalid(problems, call.language);
  if (!email.empty()) co_return co_await look_suppression(api, call, std::move(email));
  intake::SuppressionLists lists(api.store());
  const auto page = co_await lists.page(call.account.key, std::move(cursor), limit);
  if (!page) co_return refused(page.error(), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  write_entries(json, page->entries);
  if (page->next.empty()) {
    json.null_member("next");
  } else {
    json.member("next", page->next);
  }
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> add_suppression(Api& api, Call& call) {
  auto key = key_of_request(call, store::KeyedRoute::suppression);
  if (!key) co_return std::move(key.error());
  Form form;
  auto bad = co_await read_form(api, call, false, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kSuppression);
  intake::Problems problems;
  const Fields fields(form.object(), {}, problems);
  intake::SuppressionRequest request{.address = fields.text("email").value_or(""),
                                     .reason = fields.text("reason").value_or(""),
                                     .scope = fields.text("scope").value_or(""),
                                     .list_id = fields.text("list_id").value_or(""),
                                     .note = fields.text("note").value_or(""),
                                     .days = {}};
  if (const auto* days = form.object().if_contains("days"); days != nullptr && !days->is_null()) {
    if (days->is_int64()) {
      request.days = days->get_int64();
    } else {
      problems.add({"days"}, intake::texts::wrong_type("a number", "数値"));
    }
  }
  if (!problems.empty()) co_return invalid(problems, call.language);
  intake::Repeatable repeatable;
  if (*key) repeatable = {.key = **key, .fingerprint = intake::fingerprint_of(request)};
  intake::SuppressionLists lists(api.store());
  const std::string email = request.address;
  const auto make = [&](intake::Repeatable its) {
    return lists.add(call.account.key, std::move(request), its);
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  if (!made) co_return refused(made.error(), call.language);
  const bool added = made->answer != 0;
  http::JsonWriter json;
  json.begin_object();
  json.member("email", stop_subject(email).value_or(email));
  json.member("added", added);
  json.end_object();
  auto response = http::Response::json(added ? 201 : 200, json.take());
  if (made->replayed) response.headers.set(kReplayedHeader, "true");
  co_return response;
}

Task<http::Response> remove_suppression(Api& api, Call& call) {
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  const ListQuery reader(query, problems);
  intake::SuppressionRemoval removal{.address = reader.text("email", 300),
                                     .reason = reader.text("reason", 20),
                                     .list_id = {},
                                     .why = reader.text("why", 500)};
  if (query.find("list_id") != nullptr) {
    removal.list_id = reader.text("list_id", kListIdCharactersMax);
  }
  if (!problems.empty()) co_return invalid(problems, call.language);
  intake::SuppressionLists lists(api.store());
  const auto removed =
      co_await lists.remove(call.account.key, std::move(removal),
                            call.key == 0 ? call.actor : fmt::format("API key {}", call.key));
  if (!removed) co_return refused(removed.error(), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.key("removed");
  write_entries(json, *removed);
  json.end_object();
  co_return http::Response::json(200, json.take());
}

// The part "file" of a form.
struct FilePart {
  std::size_t files = 0;  // parts of that name
  std::string octets;
};

// Takes what the parser has found so far. True at the end of the form.
Result<bool> take_events(http::MultipartParser& parser, FilePart& file) {
  while (true) {
    const auto event = parser.next();
    if (!event) return fail(event.error());
    const bool is_file = parser.part_number() > 0 && parser.part().name == "file";
    switch (event->kind) {
      case http::MultipartEvent::Kind::need_more:
        return false;
      case http::MultipartEvent::Kind::part_begin:
        file.files += is_file ? 1 : 0;
        break;
      case http::MultipartEvent::Kind::data:
        if (is_file) file.octets += event->data;
        break;
      case http::MultipartEvent::Kind::part_end:
        break;
      case http::MultipartEvent::Kind::finished:
        return true;
    }
  }
}

// Why the form could not be taken; nullopt if it was.
Task<std::optional<http::Response>> read_file_part(const Call& call, std::string boundary,
                                                   FilePart& file) {
  http::MultipartParser parser(boundary);
  Result<bool> finished = false;
  for (std::string_view body = call.body.text(); finished && !*finished;) {
    if (body.empty()) parser.end_of_input();
    const std::string_view piece = body.substr(0, kCsvTurnOctets);
    body.remove_prefix(piece.size());
    parser.push(piece);
    finished = take_events(parser, file);
    co_await async::give_way();
  }
  if (!finished) co_return refused(400, unreadable_parts(finished.error()), call.language);
  if (file.files == 1) co_return std::nullopt;
  intake::Problems problems;
  problems.add({"file"},
               file.files == 0 ? intake::texts::required() : intake::texts::given_twice());
  co_return invalid(problems, call.language);
}

// A list is the body itself, of whatever type clients send a file as, or comes in a form, as where
// recipients are imported.
Task<std::optional<http::Response>> read_list(const Call& call, FilePart& file,
                                              std::string_view& list) {
  const std::string_view content_type = call.request.headers.get("Content-Type");
  const std::string type = http::media_type(content_type);
  list = call.body.text();
  if (type == "multipart/form-data") {
    auto boundary = http::multipart_boundary(content_type);
    if (!boundary) co_return refused(400, unreadable_parts(boundary.error()), call.language);
    auto bad = co_await read_file_part(call, std::move(*boundary), file);
    list = file.octets;
    co_return bad;
  }
  if (type != "application/json" && !type.starts_with("multipart/")) co_return std::nullopt;
  co_return container_failure(
      415,
      {fmt::format("Content type '{}' not supported here: send the list as text/csv, or as the "
                   "part \"file\" of multipart/form-data",
                   type),
       fmt::format("ここではContent-Type「{}」は使えません。リストをtext/csvとして、または"
                   "multipart/form-dataのパート「file」に入れて送信してください。",
                   type)},
      call.request);
}

// In pieces, so that others get their turn.
Task<Sha256> digest_of_list(std::string_view list) {
  constexpr std::size_t kPiece = std::size_t{256} * 1024;
  Sha256Stream stream;
  while (!list.empty()) {
    stream.add(list.substr(0, kPiece));
    list.remove_prefix(std::min(kPiece, list.size()));
    co_await async::give_way();
  }
  co_return stream.finish();
}

Task<http::Response> import_suppressions(Api& api, Call& call) {
  auto key = key_of_request(call, store::KeyedRoute::suppression_import);
  if (!key) co_return std::move(key.error());
  FilePart file;
  std::string_view list;
  auto bad = co_await read_list(call, file, list);
  if (bad) co_return std::move(*bad);
  intake::SuppressionLists lists(api.store());
  intake::Repeatable repeatable;
  if (*key) repeatable = store::IdempotencyRecord{**key, co_await digest_of_list(list)};
  std::optional<intake::ImportedSuppressions> told;
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines): awaited where it stands
  const auto make = [&](intake::Repeatable its) -> Task<intake::Answer<void>> {
    auto taken = co_await lists.import(call.account.key, list, its);
    if (!taken) co_return std::unexpected(std::move(taken.error()));
    told = std::move(*taken);
    co_return intake::Answer<void>{};
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  if (!made) co_return refused(made.error(), call.language);
  if (made->replayed) {
    auto again = co_await lists.told_again(call.account.key, list, made->answer);
    if (!again) co_return refused(again.error(), call.language);
    told = std::move(*again);
  }
  http::JsonWriter json;
  json.begin_object();
  json.member("added", told->added);
  json.member("changed", told->changed);
  json.member("failed", told->failed);
  json.key("errors");
  json.begin_array();
  for (const intake::BadSuppressionRow& row : told->errors) {
    json.begin_object();
    json.member("row", static_cast<std::int64_t>(row.row));
    json.member("message", row.reason.in(call.language));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  auto response = http::Response::json(200, json.take());
  if (made->replayed) response.headers.set(kReplayedHeader, "true");
  co_return response;
}

// Pages of the list as the client takes them.
class SuppressionDownload final : public http::BodySource {
 public:
  SuppressionDownload(store::Store& store, store::AccountKey account)
      : lists_(store), account_(account) {}

  Task<Result<std::string_view>> read() override {
    text_.clear();
    if (!begun_) {
      begun_ = true;
      text_ = intake::suppression_csv_header();
    }
    while (!over_ && text_.empty()) {
      auto done = co_await add_page();
      if (!done) co_return fail(std::move(done.error()));
    }
    co_return std::string_view(text_);
  }

 private:
  Task<Result<void>> add_page() {
    const auto page = co_await lists_.page(account_, cursor_, 1'000);
    if (!page) co_return fail(ErrorKind::unavailable, "the list cannot be read");
    for (const store::Suppression& entry : page->entries) {
      intake::append_suppression_csv(text_, entry);
    }
    cursor_ = page->next;
    over_ = cursor_.empty();
    co_return Result<void>{};
  }

  intake::SuppressionLists lists_;
  const store::AccountKey account_;
  std::string cursor_;
  std::string text_;
  bool begun_ = false;
  bool over_ = false;
};

Task<http::Response> export_suppressions(Api& api, Call& call) {
  http::Response response;
  response.content_type = "text/csv; charset=utf-8";
  response.headers.set("Content-Disposition", "attachment; filename=\"suppressions.csv\"");
  response.source = std::make_unique<SuppressionDownload>(api.store(), call.account.key);
  co_return response;
}

}  // namespace

void add_suppression_routes(Api& api, http::Router& router) {
  using enum http::Method;
  const auto opened_by = static_cast<store::Scopes>(store::Scope::suppress);
  api.add(router, get, "/suppressions", opened_by, &list_suppressions);
  api.add(router, post, "/suppressions", opened_by, &add_suppression);
  api.add(router, delete_, "/suppressions", opened_by, &remove_suppression);
  api.add(router, get, "/suppressions/export", opened_by, &export_suppressions);
  api.add(router, post, "/suppressions/import", opened_by,
          http::RouteOptions{.body_max = kImportOctetsMax}, &import_suppressions);
}

}  // namespace todoku::api
