// SPDX-License-Identifier: Apache-2.0
#include "api/members.h"

#include <algorithm>
#include <cstddef>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace todoku::api {
namespace {

constexpr std::size_t kNamesMax = 10;
constexpr std::size_t kNameOctetsMax = 64;

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

std::string unknown_members(const boost::json::object& object, std::span<const Member> known) {
  UnknownMembers unknown;
  unknown.look_into(object, known, "");
  return unknown.text();
}

}  // namespace todoku::api
