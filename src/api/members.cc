// SPDX-License-Identifier: Apache-2.0
#include "api/members.h"

#include <algorithm>
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
        tell(path, name);
      } else if (!found->inside.empty()) {
        look_into_value(member.value(), found->inside, fmt::format("{}{}", path, name));
      }
    }
  }

  [[nodiscard]] std::string text() const {
    return count_ > kNamesMax ? fmt::format("{} and {} more", names_, count_ - kNamesMax) : names_;
  }

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

  void tell(std::string_view path, std::string_view name) {
    if (++count_ > kNamesMax) return;
    if (count_ > 1) names_ += ", ";
    names_ += path;
    for (const char c : name.substr(0, kNameOctetsMax)) {
      names_ += c > ' ' && c <= '~' && c != ',' ? c : '?';
    }
  }

  std::string names_;
  std::size_t count_ = 0;
};

}  // namespace

void refuse_lost_members(const boost::json::object& object, std::span<const Member> known,
                         intake::Problems& problems) {
  for (const std::string_view ours :
       {"duplicate_policy", "keep_duplicates", "send_at", "expires_in"}) {
    const bool is_read = std::ranges::find(known, ours, &Member::name) != known.end();
    if (is_read && object.contains(ours)) continue;  // what else there is says it once more
    for (const auto& member : object) {
      const std::string_view name(member.key().data(), member.key().size());
      if (member.value().is_null() || !is_nearly(name, ours)) continue;
      if (name != ours) {
        problems.add({std::string(ours)}, intake::texts::written_otherwise(name, ours));
      } else if (ours == "duplicate_policy") {
        problems.add({std::string(ours)}, intake::texts::not_taken_here());
      } else if (ours != "keep_duplicates") {
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
