// SPDX-License-Identifier: Apache-2.0
#include "events/exports/open_report.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "base/date_time.h"

namespace todoku::events::exports {
namespace {

constexpr std::int64_t kOpensAtOnce = 100;

struct Page {
  std::vector<store::OpenRecord> opens;
  std::map<store::PublicId, std::string> addresses;
};

Result<Page> read_page(store::ReadTransaction& reader, store::AccountKey account,
                       store::LogRange range) {
  auto opens = reader.opens_in(account, range, kOpensAtOnce);
  if (!opens) return fail(std::move(opens.error()));
  Page page{.opens = std::move(*opens), .addresses = {}};
  std::vector<store::PublicId> ids;
  std::ranges::transform(page.opens, std::back_inserter(ids), &store::OpenRecord::id);
  const auto stories = reader.log_stories(account, ids);
  if (!stories) return fail(stories.error());
  for (const store::Story& story : *stories) page.addresses[story.email_id] = story.address;
  return page;
}

std::string date_or_nothing(std::optional<Instant> instant) {
  return instant ? format_date_time(*instant) : std::string();
}

Result<std::vector<store::LogRange>> ranges_of(store::Store& store, const store::ExportJob& job) {
  store::PublicId delivery = 0;
  const char* const end = job.parameters.data() + job.parameters.size();
  const auto [read, error] = std::from_chars(job.parameters.data(), end, delivery);
  if (error != std::errc() || read != end) {
    return fail(ErrorKind::corrupt, "the job does not say of which delivery");
  }
  auto ranges = store.read_and_wait(
      [&](store::ReadTransaction& reader) -> Result<std::vector<store::LogRange>> {
        const auto head = reader.delivery_head(job.account, delivery);
        if (!head) return fail(head.error());
        return reader.log_ranges(head->key);
      });
  if (ranges) std::ranges::reverse(*ranges);
  return ranges;
}

}  // namespace

Result<void> produce_open_report(store::Store& store, const store::ExportJob& job, Sheet& sheet) {
  const auto ranges = ranges_of(store, job);
  if (!ranges) return fail(ranges.error());
  if (job.language == Language::japanese) {
    sheet.header({"ID", "メールアドレス", "開封日時", "最終開封日時", "開封回数", "先読み日時"});
  } else {
    sheet.header({"id", "email", "open_time", "last_open_time", "open_times", "prefetch_time"});
  }
  std::size_t done = 0;
  for (store::LogRange range : *ranges) {
    while (!range.empty()) {
      const auto page = store.read_and_wait(
          [&](store::ReadTransaction& reader) { return read_page(reader, job.account, range); });
      if (!page) return fail(page.error());
      for (const store::OpenRecord& open : page->opens) {
        range.first = open.id + 1;
        if (!open.opened && !open.prefetched) continue;  // complained without loading images
        const auto address = page->addresses.find(open.id);
        if (address == page->addresses.end()) continue;
        auto added = sheet.row({fmt::format("{}", open.id), address->second,
                                date_or_nothing(open.opened), date_or_nothing(open.opened_last),
                                fmt::format("{}", open.times), date_or_nothing(open.prefetched)});
        if (!added) return added;
      }
      if (static_cast<std::int64_t>(page->opens.size()) < kOpensAtOnce) break;
      auto told = sheet.at(static_cast<std::int32_t>(done * 99 / ranges->size()));
      if (!told) return told;
    }
    ++done;
  }
  return {};
}

}  // namespace todoku::events::exports
