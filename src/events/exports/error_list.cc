// SPDX-License-Identifier: Apache-2.0
#include "events/exports/error_list.h"

#include <string>

#include <fmt/format.h>

#include "base/date_time.h"

namespace todoku::events::exports {
namespace {

constexpr std::int64_t kRowsAtOnce = 1'000;

}  // namespace

Result<void> produce_error_list(store::Store& store, const store::ExportJob& job, Sheet& sheet) {
  auto filter = store::read_error_list_filter(job.account, job.parameters);
  if (!filter) return fail(std::move(filter.error()));
  if (job.language == Language::japanese) {
    sheet.header({"ID", "日時", "メールアドレス", "レスポンスコード", "メッセージ"});
  } else {
    sheet.header({"id", "date", "email", "response_code", "message"});
  }
  std::optional<store::SuppressionPlace> place;
  std::int32_t steps = 0;
  do {
    const auto page = store.read_and_wait([&](store::ReadTransaction& reader) {
      return reader.error_list(*filter, place, 0, kRowsAtOnce);
    });
    if (!page) return fail(page.error());
    for (const store::Suppression& entry : page->entries) {
      if (!store::matches(*filter, entry)) continue;
      const std::string code = entry.cause.code == 0 ? "" : fmt::format("{}", entry.cause.code);
      auto added = sheet.row({fmt::format("{}", entry.cause.email_id),
                              format_date_time(entry.cause.at.value_or(entry.updated)),
                              entry.subject, code, entry.cause.text});
      if (!added) return added;
    }
    place = page->next;
    // How many there are nobody has counted.
    auto told = sheet.at(std::min(99, ++steps));
    if (!told) return told;
  } while (place);
  return {};
}

}  // namespace todoku::events::exports
