// SPDX-License-Identifier: Apache-2.0
// What becomes of each field that another service takes. One table a service: requests are checked
// by it, and docs/doors.md shows it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/bilingual.h"
#include "intake/problem.h"

namespace todoku::api::doors {

enum class Service : std::uint8_t { resend, postmark, sendgrid, ses };

enum class Taking : std::uint8_t {
  taken,     // becomes something of the mail
  holds,     // asks for what holds anyway, whatever its value is
  only_off,  // likewise where it is false, "None", empty or an object of such; else refused
  refused,   // has no counterpart
};

struct Field {
  std::string_view path;  // "personalizations[].to[].email"
  Taking taking = Taking::taken;
  Sentence note;  // what it becomes, or why it is not taken
};

// Every field that the service documents; of SES those of SendEmail.
[[nodiscard]] std::span<const Field> fields_of(Service service);
// Postmark's /email/withTemplate.
[[nodiscard]] std::span<const Field> fields_of_templates();
// SES's SendBulkEmail.
[[nodiscard]] std::span<const Field> fields_of_bulk();

// Adds a problem for each member that is not taken. Absent and null are the same, and so is what is
// refused and empty: it asks for nothing. Of a member that is taken and has none below it in the
// table nothing is looked into.
void check_fields(const boost::json::object& object, std::span<const Field> fields,
                  intake::Problems& problems);

// The table as docs/doors.md has it.
[[nodiscard]] std::string table_of(std::span<const Field> fields, Language language);

}  // namespace todoku::api::doors
