// SPDX-License-Identifier: Apache-2.0
// The header row of a list of recipients (contract section 2.13): `email`, then full insert-code
// keys; and where the sender has them for each, `reference` and `metadata:NAME` (mail/attached.h)
// among them. Pure. What is said of one that is none says what was found and what to write instead.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "intake/limits.h"
#include "intake/problem.h"
#include "mime/insert_code.h"

namespace todoku::intake {

inline constexpr std::string_view kReferenceColumn = "reference";
// Before the name of a member. No insert code has a colon.
inline constexpr std::string_view kMetadataColumn = "metadata:";

// Whether a column holds something that is attached to the recipient, and no value of a code.
[[nodiscard]] bool is_attached_column(std::string_view name);

// The names of the columns. Taken off are blanks and invisible characters around a name, of which
// no key and no `email` can have any, and empty cells at the end, which spreadsheets leave. Where
// braces are codes, a bare name ("first_name") is one of them. Errors: a clause without a full
// stop.
[[nodiscard]] std::expected<std::vector<std::string>, Text> read_list_header(
    std::vector<std::string> fields, const Limits& limits,
    mime::KeyForms forms = mime::KeyForms::contract);

}  // namespace todoku::intake
