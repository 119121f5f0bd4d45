// SPDX-License-Identifier: Apache-2.0
#include "http/headers.h"

#include "base/bytes.h"

namespace todoku::http {

Headers::Field Headers::operator[](std::size_t index) const {
  const Slot& slot = slots_[index];
  const std::string_view text = text_;
  return {text.substr(slot.name_at, slot.name_size), text.substr(slot.value_at, slot.value_size)};
}

void Headers::add(std::string_view name, std::string_view value) {
  const auto name_at = static_cast<std::uint32_t>(text_.size());
  const auto name_size = static_cast<std::uint32_t>(name.size());
  const auto value_size = static_cast<std::uint32_t>(value.size());
  text_.append(name).append(value);
  slots_.push_back({name_at, name_size, name_at + name_size, value_size});
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(slots_, [&](const Slot& slot) {
    return equals_ignoring_case(std::string_view(text_).substr(slot.name_at, slot.name_size), name);
  });
}

void Headers::clear() {
  text_.clear();
  slots_.clear();
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    // Most fields differ in length already.
    if (slots_[i].name_size != name.size()) continue;
    const Field field = (*this)[i];
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::string_view Headers::get(std::string_view name) const {
  return find(name).value_or(std::string_view());
}

std::size_t Headers::count(std::string_view name) const {
  std::size_t found = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (equals_ignoring_case((*this)[i].name, name)) ++found;
  }
  return found;
}

}  // namespace todoku::http
