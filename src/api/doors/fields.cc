// SPDX-License-Identifier: Apache-2.0
#include "api/doors/fields.h"

#include <algorithm>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"

namespace todoku::api::doors {
namespace {

constexpr std::size_t kShownOctets = 64;  // of a name that somebody else wrote

std::string_view view(const boost::json::string& text) {
  return {text.data(), text.size()};
}

bool asks_for_nothing(const boost::json::value& value) {
  if (value.is_null()) return true;
  if (value.is_string()) return value.get_string().empty();
  if (value.is_array()) return value.get_array().empty();
  return value.is_object() && value.get_object().empty();
}

bool is_off(const boost::json::value& value) {
  if (asks_for_nothing(value)) return true;
  if (value.is_bool()) return !value.get_bool();
  if (value.is_string()) {
    const std::string_view text = view(value.get_string());
    return equals_ignoring_case(text, "none") || equals_ignoring_case(text, "false");
  }
  if (!value.is_object()) return false;
  // {"enable": false, "text": "..."}: what it would be does not matter.
  const boost::json::value* const enable = value.get_object().if_contains("enable");
  return enable != nullptr && is_off(*enable);
}

// Goes through an object by its table.
class Walk {
 public:
  Walk(std::span<const Field> fields, intake::Problems& problems)
      : fields_(fields), problems_(problems) {}

  // `path`: in the table, with its full stop; `place`: in the request.
  void look(const boost::json::object& object, const std::string& path,
            const std::vector<std::string>& place) {
    for (const auto& member : object) {
      if (member.value().is_null()) continue;
      const std::string_view name(member.key().data(), member.key().size());
      std::vector<std::string> here = place;
      here.emplace_back(utf8_prefix(name, kShownOctets));
      look_at(member.value(), fmt::format("{}{}", path, name), std::move(here));
    }
  }

 private:
  void look_at(const boost::json::value& value, const std::string& path,
               std::vector<std::string> place) {
    // A name that looks like a path is no field, whatever stands in the table at that path.
    const bool is_name = place.back().find_first_of(".[") == std::string::npos;
    const auto found = std::ranges::find(fields_, path, &Field::path);
    if (!is_name || found == fields_.end()) {
      problems_.add(std::move(place), {"is a field that is not known here, and would be lost.",
                                       "ここでは知られていない項目で、失われます。"});
      return;
    }
    switch (found->taking) {
      case Taking::holds:
        return;
      case Taking::only_off:
        if (!is_off(value)) refuse(*found, std::move(place));
        return;
      case Taking::refused:
        if (!asks_for_nothing(value)) refuse(*found, std::move(place));
        return;
      case Taking::taken:
        look_into(value, path, place);
        return;
    }
  }

  void look_into(const boost::json::value& value, const std::string& path,
                 const std::vector<std::string>& place) {
    if (value.is_object()) {
      const std::string below = path + ".";
      if (has_below(below)) look(value.get_object(), below, place);
      return;
    }
    const std::string below = path + "[].";
    if (!value.is_array() || !has_below(below)) return;
    const boost::json::array& list = value.get_array();
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!list[i].is_object()) continue;
      std::vector<std::string> here = place;
      here.push_back(std::to_string(i));
      look(list[i].get_object(), below, here);
    }
  }

  [[nodiscard]] bool has_below(std::string_view path) const {
    return std::ranges::any_of(fields_,
                               [path](const Field& field) { return field.path.starts_with(path); });
  }

  void refuse(const Field& field, std::vector<std::string> place) {
    problems_.add(std::move(place), {fmt::format("is not supported: {}", field.note.en),
                                     fmt::format("には対応していません: {}", field.note.ja)});
  }

  std::span<const Field> fields_;
  intake::Problems& problems_;
};

Sentence word_of(Taking taking) {
  switch (taking) {
    case Taking::taken:
      return {"taken", "使う"};
    case Taking::holds:
      return {"holds anyway", "常にそのとおり"};
    case Taking::only_off:
      return {"taken when off", "オフなら可"};
    case Taking::refused:
      return {"refused", "拒否"};
  }
  return {};
}

}  // namespace

void check_fields(const boost::json::object& object, std::span<const Field> fields,
                  intake::Problems& problems) {
  Walk(fields, problems).look(object, {}, {});
}

std::string table_of(std::span<const Field> fields, Language language) {
  std::string out = language == Language::japanese ? "| 項目 | 扱い | 説明 |\n| --- | --- | --- |\n"
                                                   : "| field | | |\n| --- | --- | --- |\n";
  for (const Field& field : fields) {
    out += fmt::format("| `{}` | {} | {} |\n", field.path, word_of(field.taking).in(language),
                       field.note.in(language));
  }
  return out;
}

}  // namespace todoku::api::doors
