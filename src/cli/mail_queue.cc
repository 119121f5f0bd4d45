// SPDX-License-Identifier: Apache-2.0
#include "cli/mail_queue.h"

#include <cstdint>

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <sysexits.h>

#include "base/printable.h"
#include "cli/request.h"
#include "cli/session.h"
#include "http/json.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

void print_class(const boost::json::value& queue, Language language, std::ostream& out) {
  const std::int64_t waiting = number_of(queue, "waiting");
  const std::int64_t aside = number_of(queue, "set_aside");
  if (waiting == 0) return;
  const std::string name = printable(text_of(queue, "class"));
  if (language == Language::japanese) {
    fmt::print(out, "{}: 宛先 {} 件", name, waiting);
    if (aside > 0) fmt::print(out, "、うち {} 件は隔離中: todoku stuck", aside);
  } else {
    fmt::print(out, "{}: {} recipient{}", name, waiting, waiting == 1 ? "" : "s");
    if (aside > 0) fmt::print(out, ", {} of them set aside: todoku stuck", aside);
  }
  out << '\n';
}

}  // namespace

int show_mail_queue(const std::optional<std::string>& config, Host& host, std::ostream& out,
                    std::ostream& err) {
  constexpr const char* kEmpty = "Mail queue is empty\n";
  const Language language = host.language();
  const auto operations =
      host.admin(config, {.begin_new = false, .may_begin = false, .language = language});
  if (!operations) {
    out << kEmpty;
    err << Sentence{"mailq: no mail of yours waits here; what waits at the engine is shown to who "
                    "administrates it (todoku status)\n",
                    "mailq: "
                    "あなたのメールはここに残っていません。エンジンで待っているメールは管理者が"
                    "確認できます（todoku status）\n"}
               .in(language);
    return EX_OK;
  }
  const auto answer = (*operations)->call(request_of(operate::Given(operate::calls::kStatus)));
  if (!answer || !answer->ok()) {
    fmt::print(err, "mailq: {}\n",
               !answer ? answer.error().detail
                       : fmt::format("the engine answered with status {}", answer->status));
    return EX_UNAVAILABLE;
  }
  http::JsonArena arena;
  const auto status = http::parse_json(answer->body, arena);
  if (!status) {
    fmt::print(err, "mailq: {}\n", status.error().detail);
    return EX_UNAVAILABLE;
  }
  std::int64_t all = 0;
  for (const auto& queue : list_of(*status, "queues")) {
    all += number_of(queue, "waiting");
    print_class(queue, language, out);
  }
  // In these words and no others: programs look for them.
  if (all == 0) {
    out << kEmpty;
  } else {
    fmt::print(out, "Total requests: {}\n", all);
  }
  return EX_OK;
}

}  // namespace todoku::cli
