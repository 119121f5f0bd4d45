// SPDX-License-Identifier: Apache-2.0
#include "store/suppressions.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"
#include "store/personal_data.h"
#include "store/texts.h"

namespace todoku::store {

Result<void> check_sound(const NewSuppression& entry) {
  if (!entry.subject.contains('@') && !entry.subject.starts_with(kErasedSubject)) {
    return fail(ErrorKind::invalid_input, "what is suppressed is neither an address nor a domain");
  }
  if ((entry.scope == StopScope::list) == entry.list_id.empty()) {
    return fail(ErrorKind::invalid_input, "an entry for a list names it, and no other does");
  }
  if (is_opt_out(entry.reason) && entry.scope == StopScope::all) {
    return fail(ErrorKind::invalid_input,
                "an opt-out or a complaint stops advertisements or a list, never all mail");
  }
  for (const auto& [what, text] : {std::pair("an address", std::string_view(entry.subject)),
                                   std::pair("a list", std::string_view(entry.list_id)),
                                   std::pair("a note", std::string_view(entry.note)),
                                   std::pair("a cause", std::string_view(entry.cause.text))}) {
    if (auto sound = check_text(what, text); !sound) return sound;
  }
  return {};
}

void take_reason(std::optional<StopReason>& first, const Suppression& entry, Purpose purpose,
                 std::string_view list_id) {
  if (!stops(entry.scope, entry.list_id, purpose, list_id)) return;
  if (!first || entry.reason < *first) first = entry.reason;
}

bool matches(const ErrorListFilter& filter, const Suppression& entry) {
  if (!filter.subject.empty() && filter.subject != entry.subject) return false;
  return filter.codes.empty() ||
         std::ranges::find(filter.codes, entry.cause.code) != filter.codes.end();
}

// Numbers with blanks between: from, until (-1: open), newest first, codes; then the subject.
std::string written(const ErrorListFilter& filter) {
  std::string text = fmt::format("{} {} {} {}", filter.from ? to_epoch_ms(*filter.from) : -1,
                                 filter.until ? to_epoch_ms(*filter.until) : -1,
                                 filter.newest_first ? 1 : 0, filter.codes.size());
  for (const int code : filter.codes) text += fmt::format(" {}", code);
  return text + ' ' + filter.subject;
}

Result<ErrorListFilter> read_error_list_filter(AccountKey account, std::string_view text) {
  bool sound = true;
  const auto number = [&] {
    std::int64_t read = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
    const auto octets = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || octets >= text.size() || text[octets] != ' ') {
      sound = false;
      return std::int64_t{0};
    }
    text.remove_prefix(octets + 1);
    return read;
  };
  ErrorListFilter filter{.account = account, .from = {}, .until = {}};
  const std::int64_t from = number();
  const std::int64_t until = number();
  if (from >= 0) filter.from = from_epoch_ms(from);
  if (until >= 0) filter.until = from_epoch_ms(until);
  filter.newest_first = number() != 0;
  for (std::int64_t codes = number(); sound && codes > 0; --codes) {
    filter.codes.push_back(static_cast<int>(number()));
  }
  filter.subject = text;
  if (!sound) return fail(ErrorKind::corrupt, "the parameters of an export cannot be read");
  return filter;
}

bool is_none(const StopCause& cause) {
  return cause.code == 0 && cause.text.empty() && !cause.at && cause.delivery_id == 0 &&
         cause.email_id == 0;
}

std::string_view cut_stop_text(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t left = kStopTextCharactersMax; left > 0 && end < text.size(); --left) {
    end += std::max<std::size_t>(decode_utf8(text.substr(end)).octets, 1);
  }
  return text.substr(0, end);
}

}  // namespace todoku::store
