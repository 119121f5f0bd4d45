// SPDX-License-Identifier: Apache-2.0
// todoku events [--follow]
#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "cli/api_session.h"
#include "cli/printable_stream.h"
#include "cli/sender_commands.h"
#include "cli/user_files.h"

namespace todoku::cli {
namespace {

constexpr std::int64_t kPageEvents = 1'000;  // the API's most
constexpr std::size_t kPageOctetsMax = std::size_t{16} << 20U;
constexpr std::size_t kCursorOctetsMax = 256;
constexpr http::JsonLimits kEventLimits{.octets_max = http::EventStreamReader::kOctetsMax,
                                        .depth_max = 64};

// "time kind delivery email code message", what there is of them, on one line whatever a receiver
// said.
void print_event(Session& session, const boost::json::value& event) {
  std::string line = fmt::format("{}  {:<18}", text_of(event, "timestamp"), text_of(event, "kind"));
  const auto add_number = [&](std::string_view name, std::string_view label) {
    if (const auto number = number_of(event, name); number > 0) {
      line += fmt::format("  {}{}", label, number);
    }
  };
  const auto add_text = [&](std::string_view name) {
    if (const auto text = text_of(event, name); !text.empty()) line += "  " + text;
  };
  add_number("delivery_id", "");
  add_text("email");
  add_number("recipients", session.words({"recipients ", "宛先数 "}));
  add_number("code", "");
  add_text("message");
  session.out() << printable(line) << '\n';
}

class EventReader {
 public:
  EventReader(ApiSession& api, const EventSearch& search) : api_(api), search_(search) {}

  int run() {
    if (!find_cursor()) return api_.status();
    if (search_.follow) return follow();
    while (next_page() && !has_enough()) {
    }
    return api_.status();
  }

 private:
  bool find_cursor() {
    cursor_ = search_.cursor;
    if (cursor_.empty() && !search_.cursor_file.empty()) {
      if (!read_cursor()) return false;
    }
    return true;
  }

  // No file is no cursor. Whatever else is none there would be events that are never seen, if it
  // were begun at the latest.
  bool read_cursor() {
    Session& session = api_.session();
    const auto text = read_file(search_.cursor_file, kCursorOctetsMax);
    if (!text && text.error().kind == ErrorKind::not_found) return true;
    if (text) cursor_ = trim(*text);
    const bool broken = cursor_.empty() ||
                        !std::ranges::all_of(cursor_, [](char c) { return c > ' ' && c <= '~'; });
    if (text && !broken) return true;
    api_.fail_with(
        kWrongWords,
        session.words({"there is no cursor in {}{}: it is not known what was seen. Name one with "
                       "--cursor, or remove the file to begin anew",
                       "{} からカーソルを読めません{}。どこまで見たかわかりません。--cursor で"
                       "指定するか、ファイルを削除して最初から始めてください"},
                      search_.cursor_file,
                      text ? "" : fmt::format(" ({})", to_string(text.error().kind))));
    return false;
  }

  [[nodiscard]] bool has_enough() const { return search_.limit && printed_ >= *search_.limit; }

  [[nodiscard]] TargetWriter target() const {
    TargetWriter target("/events");
    target.with("kind[]", search_.kinds)
        .with("delivery_id", search_.delivery)
        .with("email", search_.email)
        .with("tag", search_.tag);
    return target;
  }

  void tell_lost() {
    api_.session().err() << api_.session().words(
        {"todoku: events between the cursor and the first that is kept are lost\n",
         "todoku: 保存期間を過ぎたイベントは取得できません\n"});
  }

  void print(const boost::json::value& event) {
    if (api_.json()) {
      api_.out() << printable_json(boost::json::serialize(event)) << '\n';
    } else {
      print_event(api_.session(), event);
    }
    ++printed_;
  }

  // True if there is more behind it.
  bool next_page() {
    std::int64_t count = kPageEvents;
    if (search_.limit) count = std::min(count, *search_.limit - printed_);
    TargetWriter asked = target();
    asked.with("cursor", cursor_).with("count", std::optional(count));
    const auto page =
        api_.ask({.target = asked.take(), .answered_with = "data", .answer_max = kPageOctetsMax});
    if (page == nullptr) return false;
    if (truth_of(page->value, "lost")) tell_lost();
    for (const auto& event : list_of(page->value, "data")) print(event);
    api_.out().flush();
    const std::string next = text_of(page->value, "next_cursor");
    // More behind the same place would be asked for without an end.
    if (next.empty() || next == cursor_) return false;
    return come_to(next) && truth_of(page->value, "has_more");
  }

  // From now on, or from the cursor. Whoever ends it has seen what there was.
  int follow() {
    return api_.follow({.target = target().take()},
                       {.last_id = cursor_,
                        .take = [this](const http::ServerSentEvent& event) { return take(event); },
                        .came_to =
                            [this](const std::string& id) {
                              api_.out().flush();
                              return come_to(id);
                            }});
  }

  // False: there are enough.
  bool take(const http::ServerSentEvent& event) {
    if (event.type == "lost") tell_lost();
    if (event.type != "message") return true;
    http::JsonArena arena;
    const auto read = http::parse_json(event.data, arena, kEventLimits);
    if (read) print(*read);
    return !has_enough();
  }

  // After what it stands for was printed: who is killed in between, or loses power, sees some
  // events twice, none never. False: it cannot be kept.
  bool come_to(const std::string& cursor) {
    cursor_ = cursor;
    if (search_.cursor_file.empty()) return true;
    if (replace_file(search_.cursor_file, cursor_ + "\n", FileFor::whom_umask_lets)) return true;
    api_.fail_with(kWrongWords, api_.session().words({"cannot write {}", "{} に書き込めません"},
                                                     search_.cursor_file));
    return false;
  }

  ApiSession& api_;
  const EventSearch& search_;
  std::string cursor_;
  std::int64_t printed_ = 0;
};

}  // namespace

int show_events(Session& session, const EventSearch& search) {
  ApiSession api(session);
  return EventReader(api, search).run();
}

}  // namespace todoku::cli
