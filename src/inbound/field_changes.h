// SPDX-License-Identifier: Apache-2.0
// The header section of a mail as filters see and change it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace todoku::inbound {

struct RawField {
  std::string_view name;   // without blanks before the colon
  std::string_view value;  // behind the colon, with folds, without the last line end
};

struct SplitMail {
  std::vector<RawField> fields;
  std::string_view body;  // behind the blank line, or from the first line on that is no field
};

// Views of `octets`.
[[nodiscard]] SplitMail split_mail(std::string_view octets);

struct FieldChange {
  enum class Kind : std::uint8_t {
    add,     // behind all others
    insert,  // before the field number `index`, from 0; beyond them all: behind
    change,  // of the fields of that name the one number `index`, from 1; there is none: it is
             // added
    remove,  // likewise; there is none: nothing
  };
  Kind kind = Kind::add;
  std::uint32_t index = 0;
  std::string name;
  std::string value;  // behind the colon

  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

// `name: value` as it can stand in a header section, whatever a filter wrote: each line of the
// value but the first begins with white space, none is blank, and there is no NUL or lone CR.
// Empty: the name is none.
[[nodiscard]] std::string field_text(std::string_view name, std::string_view value);

// The mail with all of the changes, one after the other. What names no field is left out.
[[nodiscard]] std::string with_changes(std::string_view octets,
                                       std::span<const FieldChange> changes);

}  // namespace todoku::inbound
