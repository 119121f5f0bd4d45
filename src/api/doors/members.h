// SPDX-License-Identifier: Apache-2.0
// Reads the members of an object as other services' clients send them, and names those of a wrong
// type. Stricter than api/fields.h: these services take no "true" for true.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "api/doors/letter.h"
#include "intake/problem.h"

namespace todoku::api::doors {

// Absent and null are the same; nullopt, nullptr or nothing also where a type is wrong, and then a
// problem was added.
class Members {
 public:
  Members(const boost::json::object& object, Path path, intake::Problems& problems)
      : object_(object), path_(std::move(path)), problems_(problems) {}

  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
  // A number or a boolean, too, as its text.
  [[nodiscard]] std::optional<std::string> scalar(std::string_view name) const;
  [[nodiscard]] std::optional<bool> truth(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const;
  [[nodiscard]] const boost::json::object* object(std::string_view name) const;
  [[nodiscard]] std::optional<Members> members(std::string_view name) const;
  [[nodiscard]] const boost::json::array* array(std::string_view name) const;
  // {text, its path}
  using Texts = std::vector<std::pair<std::string, Path>>;
  [[nodiscard]] Texts texts(std::string_view name) const;
  [[nodiscard]] Texts texts_or_text(std::string_view name) const;
  // Of the list's objects; of more than `max` none.
  void each_object(std::string_view name, std::size_t max,
                   const std::function<void(const Members&)>& take) const;
  // {name: value} of scalars.
  void each_scalar(std::string_view name,
                   const std::function<void(std::string_view, const std::string&)>& take) const;

  [[nodiscard]] Path path_to(std::string_view name) const;
  [[nodiscard]] intake::Problems& problems() const { return problems_; }

 private:
  [[nodiscard]] const boost::json::value* find(std::string_view name) const;
  void wrong_type(std::string_view name, std::string_view en, std::string_view ja) const;

  const boost::json::object& object_;
  Path path_;
  intake::Problems& problems_;
};

}  // namespace todoku::api::doors
