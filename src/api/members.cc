// SPDX-License-Identifier: Apache-2.0
#include "api/members.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::api {
namespace {

constexpr std::size_t kNamesMax = 10;
constexpr std::size_t kNameOctetsMax = 64;

// The same but for the case of letters and what stands between words.
bool is_nearly(std::string_view name, std::string_view known) {
  const auto next = [](std::string_view& text) {
    while (!text.empty() && std::string_view("_- ").contains(text.front())) text.remove_prefix(1);
    if (text.empty()) return '\0';
    const char letter = ascii_lower(text.front());
    text.remove_prefix(1);
    return letter;
  };
  for (;;) {
    const char wanted = next(known);
    if (next(name) != wanted) return false;
    if (wanted == '\0') return true;
  }
}

// Goes through what came beside what is known; no deeper than that is.
class UnknownMembers {
 public:
  void look_into(const boost::json::object& object, std::span<const Member> known,
                 const std::string& path) {
    for (const auto& member : object) {
      const std::string_view name(member.key().data(), member.key().size());
      const auto found = std::ranges::find(known, name, &Member::name);
      if (found == known.end()) {
        names_.add(path, name);
      } else if (!found->inside.empty()) {
        look_into_value(member.value(), found->inside, fmt::format("{}{}", path, name));
      }
    }
  }

  [[nodiscard]] std::string text() const { return names_.text(); }

 private:
  void look_into_value(const boost::json::value& value, std::span<const Member> known,
                       const std::string& path) {
    if (value.is_object()) look_into(value.get_object(), known, path + ".");
    if (!value.is_array()) return;
    std::size_t index = 0;
    for (const boost::json::value& element : value.get_array()) {
      if (element.is_object()) {
        look_into(element.get_object(), known, fmt::format("{}[{}].", path, index));
      }
      ++index;
    }
  }

  UnreadNames names_;
};

}  // namespace

void UnreadNames::add(std::string_view path, std::string_view name) {
  if (++count_ > kNamesMax) return;
  if (count_ > 1) names_ += ", ";
  names_ += path;
  for (const char c : name.substr(0, kNameOctetsMax)) {
    names_ += c > ' ' && c <= '~' && c != ',' ? c : '?';
  }
}

std::string UnreadNames::text() const {
  return count_ > kNamesMax ? fmt::format("{} and {} more", names_, count_ - kNamesMax) : names_;
}

// What todoku adds to the contract and a slip would turn into something else than was meant.
constexpr std::array<std::string_view, 10> kOurs{
    "duplicate_policy", "keep_duplicates", "send_at", "expires_in", "open_tracking",
    "purpose",          "list_id",         "tags",    "headers",    "inline_parts"};

namespace {

bool takes(std::span<const Member> known, std::string_view name) {
  return std::ranges::find(known, name, &Member::name) != known.end();
}

// Habits from other services, whose mail would go out otherwise than was meant: at once, or without
// its files.
void refuse_habits(const boost::json::object& object, std::span<const Member> known,
                   intake::Problems& problems) {
  const auto* const files = object.if_contains("attachments");
  const bool has_files = files != nullptr && files->is_array() && !files->get_array().empty();
  if (has_files && takes(known, "subject")) {
    problems.add({"attachments"},
                 {"files are parts named \"file\" of a multipart/form-data request.",
                  "添付ファイルはmultipart/form-dataの \"file\" パートで送信してください。"});
  }
  const auto* const when = object.if_contains("reservation_time");
  if (when != nullptr && !when->is_null() && takes(known, "to") && takes(known, "subject") &&
      !takes(known, "keep_duplicates")) {
    problems.add(
        {"reservation_time"},
        {"is of the commit of a bulk; a transaction waits until its send_at.",
         "一斉配信のcommitで指定する項目です。トランザクションではsend_atを指定してください。"});
  }
}

}  // namespace

void refuse_lost_members(const boost::json::object& object, std::span<const Member> known,
                         intake::Problems& problems) {
  refuse_habits(object, known, problems);
  for (const std::string_view ours : kOurs) {
    if (takes(known, ours) && object.contains(ours))
      continue;  // what else there is says it once more
    for (const auto& member : object) {
      const std::string_view name(member.key().data(), member.key().size());
      if (member.value().is_null() || !is_nearly(name, ours)) continue;
      if (name != ours) {
        problems.add({std::string(ours)}, intake::texts::written_otherwise(name, ours));
      } else if (ours == "duplicate_policy") {
        problems.add({std::string(ours)}, intake::texts::not_taken_here());
      } else if (ours == "send_at" || ours == "expires_in") {
        problems.add({std::string(ours)}, intake::texts::only_of_transactions());
      }
      break;
    }
  }
}

std::string unknown_members(const boost::json::object& object, std::span<const Member> known) {
  UnknownMembers unknown;
  unknown.look_into(object, known, "");
  return unknown.text();
}

}  // namespace todoku::api
