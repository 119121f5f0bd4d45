// SPDX-License-Identifier: Apache-2.0
#include "api/doors/members.h"

#include <boost/json/value.hpp>

#include "http/json.h"

namespace todoku::api::doors {
namespace {

bool is_word(const boost::json::value& value) {
  return value.is_string() && !http::number_literal(value);
}

std::string to_std(const boost::json::string& text) {
  return {text.data(), text.size()};
}

}  // namespace

const boost::json::value* Members::find(std::string_view name) const {
  const boost::json::value* const found = object_.if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

Path Members::path_to(std::string_view name) const {
  Path path = path_;
  path.emplace_back(name);
  return path;
}

void Members::wrong_type(std::string_view name, std::string_view en, std::string_view ja) const {
  problems_.add(path_to(name), intake::texts::wrong_type(en, ja));
}

std::optional<std::string> Members::text(std::string_view name) const {
  const auto* const value = find(name);
  if (value == nullptr) return std::nullopt;
  if (is_word(*value)) return to_std(value->get_string());
  wrong_type(name, "a string", "文字列");
  return std::nullopt;
}

std::optional<std::string> Members::scalar(std::string_view name) const {
  const auto* const value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool() ? "true" : "false";
  if (value->is_int64()) return std::to_string(value->get_int64());
  if (value->is_uint64()) return std::to_string(value->get_uint64());
  if (const auto literal = http::number_literal(*value)) return std::string(*literal);
  if (value->is_string()) return to_std(value->get_string());
  wrong_type(name, "a string, a number or a boolean", "文字列、数値または真偽値");
  return std::nullopt;
}

std::optional<bool> Members::truth(std::string_view name) const {
  const auto* const value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  wrong_type(name, "true or false", "trueまたはfalse");
  return std::nullopt;
}

std::optional<std::int64_t> Members::number(std::string_view name) const {
  const auto* const value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  wrong_type(name, "a whole number", "整数");
  return std::nullopt;
}

const boost::json::object* Members::object(std::string_view name) const {
  const auto* const value = find(name);
  if (value == nullptr) return nullptr;
  if (value->is_object()) return &value->get_object();
  wrong_type(name, "an object", "オブジェクト");
  return nullptr;
}

std::optional<Members> Members::members(std::string_view name) const {
  const boost::json::object* const found = object(name);
  if (found == nullptr) return std::nullopt;
  return Members(*found, path_to(name), problems_);
}

const boost::json::array* Members::array(std::string_view name) const {
  const auto* const value = find(name);
  if (value == nullptr) return nullptr;
  if (value->is_array()) return &value->get_array();
  wrong_type(name, "an array", "配列");
  return nullptr;
}

Members::Texts Members::texts(std::string_view name) const {
  Texts all;
  const boost::json::array* const list = array(name);
  if (list == nullptr) return all;
  for (std::size_t i = 0; i < list->size(); ++i) {
    Path path = path_to(name);
    path.push_back(std::to_string(i));
    if (is_word((*list)[i])) {
      all.emplace_back(to_std((*list)[i].get_string()), std::move(path));
    } else {
      problems_.add(std::move(path), intake::texts::wrong_type("a string", "文字列"));
    }
  }
  return all;
}

Members::Texts Members::texts_or_text(std::string_view name) const {
  const auto* const value = find(name);
  if (value != nullptr && value->is_array()) return texts(name);
  Texts one;
  if (auto given = text(name)) one.emplace_back(std::move(*given), path_to(name));
  return one;
}

void Members::each_object(std::string_view name, std::size_t max,
                          const std::function<void(const Members&)>& take) const {
  const boost::json::array* const list = array(name);
  if (list == nullptr) return;
  if (list->size() > max) {
    problems_.add(path_to(name), intake::texts::too_many(max));
    return;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    Path path = path_to(name);
    path.push_back(std::to_string(i));
    if ((*list)[i].is_object()) {
      take(Members((*list)[i].get_object(), std::move(path), problems_));
    } else {
      problems_.add(std::move(path), intake::texts::wrong_type("an object", "オブジェクト"));
    }
  }
}

void Members::each_scalar(
    std::string_view name,
    const std::function<void(std::string_view, const std::string&)>& take) const {
  const auto below = members(name);
  if (!below) return;
  for (const auto& member : below->object_) {
    const std::string_view key(member.key().data(), member.key().size());
    if (const auto value = below->scalar(key)) take(key, *value);
  }
}

}  // namespace todoku::api::doors
