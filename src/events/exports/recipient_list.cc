// SPDX-License-Identifier: Apache-2.0
#include "events/exports/recipient_list.h"

#include <algorithm>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/date_time.h"

namespace todoku::events::exports {
namespace {

// A story is half a dozen rows in as many places: of these only so many by one short question.
constexpr store::PublicId kStoriesAtOnce = 50;

struct Whole {
  store::Delivery head;
  std::vector<store::LogRange> ranges;  // oldest first
};

Result<Whole> read_whole(store::Store& store, store::AccountKey account, store::PublicId id) {
  auto whole = store.read_and_wait([&](store::ReadTransaction& reader) -> Result<Whole> {
    auto head = reader.delivery_head(account, id);
    if (!head) return fail(std::move(head.error()));
    auto ranges = reader.log_ranges(head->key);
    if (!ranges) return fail(std::move(ranges.error()));
    return Whole{std::move(*head), std::move(*ranges)};
  });
  if (whole) std::ranges::reverse(whole->ranges);
  if (whole && whole->head.course == store::Course::stopped) {
    return fail(ErrorKind::unavailable, "the delivery is still being stopped");
  }
  return whole;
}

// When a recipient came into its state. Who was cancelled with the whole delivery has no attempt.
std::string time_of(const store::Story& story, const store::Delivery& head) {
  if (const store::Attempt* const last = store::deciding_attempt(story)) {
    return format_date_time(last->at + last->duration);
  }
  if (!is_terminal(story.state)) return {};
  return format_date_time(head.finished.value_or(head.updated));
}

Result<void> add_row(const store::Story& story, const store::Delivery& head, Sheet& sheet) {
  const store::Attempt* const last = store::deciding_attempt(story);
  const int code = last == nullptr ? 0 : store::log_code(last->outcome);
  return sheet.row({fmt::format("{}", story.email_id), story.address, to_string(story.state),
                    time_of(story, head), code == 0 ? "" : fmt::format("{}", code),
                    last == nullptr ? "" : std::string_view(last->outcome.reply.text)});
}

bool takes(const store::RecipientExport& wanted, RecipientState state) {
  return wanted.states.empty() || std::ranges::find(wanted.states, state) != wanted.states.end();
}

std::int64_t size_of(const std::vector<store::LogRange>& ranges) {
  std::int64_t ids = 0;
  for (const store::LogRange& range : ranges) ids += range.end - range.first;
  return ids;
}

}  // namespace

Result<void> produce_recipient_list(store::Store& store, const store::ExportJob& job,
                                    Sheet& sheet) {
  const auto wanted = store::read_recipient_export(job.parameters);
  if (!wanted) return fail(wanted.error());
  const auto whole = read_whole(store, job.account, wanted->delivery);
  if (!whole) return fail(whole.error());
  if (job.language == Language::japanese) {
    sheet.header({"ID", "メールアドレス", "状態", "日時", "レスポンスコード", "メッセージ"});
  } else {
    sheet.header({"id", "email", "state", "time", "response_code", "message"});
  }
  const std::int64_t all = std::max<std::int64_t>(size_of(whole->ranges), 1);
  std::int64_t done = 0;
  for (store::LogRange range : whole->ranges) {
    while (!range.empty()) {
      const store::PublicId end = std::min(range.end, range.first + kStoriesAtOnce);
      std::vector<store::PublicId> asked;
      for (store::PublicId id = range.first; id < end; ++id) asked.push_back(id);
      const auto stories = store.read_and_wait(
          [&](store::ReadTransaction& reader) { return reader.log_stories(job.account, asked); });
      if (!stories) return fail(stories.error());
      for (const store::Story& story : *stories | std::views::reverse) {
        if (story.key.delivery != whole->head.key || !takes(*wanted, story.state)) continue;
        if (auto added = add_row(story, whole->head, sheet); !added) return added;
      }
      done += end - range.first;
      range.first = end;
      auto told = sheet.at(static_cast<std::int32_t>(done * 99 / all));
      if (!told) return told;
    }
  }
  return {};
}

}  // namespace todoku::events::exports
