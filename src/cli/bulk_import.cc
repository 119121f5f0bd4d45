// SPDX-License-Identifier: Apache-2.0
// todoku bulk import: a list into a draft, as a stream, or only looked at.
#include <utility>

#include <fmt/format.h>
#include <fmt/ostream.h>

#include "cli/import_job.h"
#include "cli/sender_commands.h"
#include "cli/user_files.h"

namespace todoku::cli {
namespace {

constexpr std::size_t kListOctetsMax = std::size_t{1} << 30U;
constexpr std::size_t kDomainsShown = 10;

bool is_ndjson(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path.ends_with(".ndjson") || path.ends_with(".jsonl");
}

ApiRequest to_stream(const BulkImport& options, std::string list) {
  const auto word = [](bool truth) { return std::string_view(truth ? "true" : ""); };
  const bool ndjson = options.ndjson || is_ndjson(options.list);
  TargetWriter target(fmt::format("/deliveries/{}/emails/stream", options.delivery));
  target.with("ignore_errors", word(options.ignore_errors))
      .with("keep_duplicates", word(options.keep_duplicates))
      .with("dry_run", word(options.dry_run));
  // RFC 1952 section 2.3.1: what is compressed says so by its first octets.
  const bool is_gzip = list.starts_with("\x1F\x8B");
  return {.method = "POST",
          .target = target.take(),
          .body = std::move(list),
          .content_type = ndjson ? "application/x-ndjson" : "text/csv",
          .content_encoding = is_gzip ? "gzip" : "",
          .idempotency_key = options.idempotency_key,
          .answered_with = "job_id",
          .timeout = kUploadTimeout};
}

const boost::json::value* member(const boost::json::value& value, std::string_view name) {
  return value.is_object() ? value.get_object().if_contains(name) : nullptr;
}

// Elements of an array of objects, as "name number" each.
void print_counts(std::ostream& out, const boost::json::value* list, std::string_view name,
                  std::string_view count) {
  if (list == nullptr || !list->is_array()) return;
  std::size_t shown = 0;
  for (const boost::json::value& each : list->get_array()) {
    const std::int64_t number = number_of(each, count);
    if (number == 0 || ++shown > kDomainsShown) continue;
    fmt::print(out, "  {:<24} {}\n", text_of(each, name), number);
  }
}

void print_findings(ApiSession& api, const boost::json::value& value) {
  std::ostream& out = api.out();
  const boost::json::value* const list = member(value, "list");
  if (list == nullptr) return;
  for (const std::string_view name : {"form", "encoding", "encoding_by", "separator"}) {
    const std::string text = text_of(*list, name);
    if (!text.empty()) fmt::print(out, "{:<12} {}\n", name, text);
  }
  if (const auto* const there = member(*list, "already_there")) {
    if (const std::int64_t count = number_of(*there, "recipients"); count > 0) {
      api.session().err() << api.session().words(
                                 {"{} rows have an address that the draft had before: it gets two "
                                  "mails.",
                                  "下書きにすでにあるアドレスが {} 行あります。2 通ずつ届きます。"},
                                 count)
                          << '\n';
    }
  }
  const boost::json::value* const check = member(*list, "check");
  if (check == nullptr) return;
  for (const std::string_view name :
       {"rows", "recipients", "malformed", "duplicates", "suppressed"}) {
    fmt::print(out, "{:<12} {}\n", name, number_of(*check, name));
  }
  fmt::print(out, "domains\n");
  print_counts(out, member(*check, "domains"), "domain", "recipients");
  fmt::print(out, "missing\n");
  print_counts(out, member(*check, "codes"), "key", "missing");
}

int tell_findings(ApiSession& api, std::int64_t job) {
  const auto read = api.ask({.target = fmt::format("/deliveries/-/emails/import/{}/findings", job),
                             .answered_with = "job_id"});
  if (read == nullptr) return api.status();
  if (api.json()) {
    api.print_json(*read);
  } else {
    print_findings(api, read->value);
  }
  return kDone;
}

bool cancel_job(ApiSession& api, std::int64_t job) {
  const auto read = api.ask({.method = "DELETE",
                             .target = fmt::format("/deliveries/-/emails/import/{}", job),
                             .answered_with = "job_id"});
  if (read == nullptr) return false;
  if (api.json()) {
    api.print_json(*read);
  } else {
    api.session().say({"Import {} was cancelled; its draft is as before.",
                       "インポート {} を取り消しました。下書きは元のままです。"},
                      job);
  }
  return true;
}

// The user wants an end: nothing of the list is to come in behind their back.
int end_early(ApiSession& api, std::int64_t job) {
  Session& session = api.session();
  if (!cancel_job(api, job)) {
    session.err()
        << session.words(
               {"Whether import {0} has ended is not known: todoku bulk import --cancel {0}",
                "インポート {0} が終わったか確認できません: todoku bulk import --cancel {0}"},
               job)
        << '\n';
  }
  return kInterrupted;
}

}  // namespace

int bulk_import(Session& session, const BulkImport& options) {
  ApiSession api(session);
  if (options.cancel != 0) return cancel_job(api, options.cancel) ? kDone : api.status();
  if (options.delivery == 0 || options.list.empty()) {
    return api.fail_with(
        kWrongWords, session.words({"bulk import takes the delivery's number and --list FILE, "
                                    "or --cancel JOB",
                                    "bulk import には配信の番号と --list FILE、または --cancel JOB "
                                    "を指定してください"}));
  }
  // From here on an end that the user wants is told what it leaves.
  if (!api.wait(std::chrono::milliseconds(0))) return kInterrupted;
  auto list = read_octets(options.list, session.host().input(), kListOctetsMax);
  if (!list) return api.fail_with(kWrongWords, list.error().detail);
  BulkImport keyed = options;
  if (keyed.idempotency_key.empty()) keyed.idempotency_key = fresh_key();
  const auto made = api.ask(to_stream(keyed, std::move(*list)));
  if (made == nullptr) return api.status();
  const std::int64_t job = number_of(made->value, "job_id");
  ImportEnd end;
  const int status = await_import(api, job, end);
  if (status == kInterrupted) return end_early(api, job);
  if (status != kDone && !end.is_empty) return status;
  const int told = tell_findings(api, job);
  if (status != kDone || told != kDone) return status != kDone ? status : told;
  if (!options.dry_run && !api.json()) {
    session.say(
        {"The list is in delivery {0}; todoku bulk commit {0} --at now sends it.",
         "リストを配信 {0} に取り込みました。todoku bulk commit {0} --at now で送信します。"},
        options.delivery);
  }
  return kDone;
}

}  // namespace todoku::cli
