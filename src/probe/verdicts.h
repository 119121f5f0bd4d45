// SPDX-License-Identifier: Apache-2.0
// What a receiver found of a mail's SPF, DKIM and DMARC, as it wrote into the header
// (Authentication-Results, RFC 8601). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace todoku::probe {

// In the receiver's words: "pass", "fail", "none"; empty: it said nothing of that.
struct Verdicts {
  std::string spf;
  std::string dkim;
  std::string dmarc;
  std::string
      said_by;  // the authserv-id of the topmost field, whoever's it is; empty: there is none
};

inline constexpr std::size_t kVerdictOctetsMax = 64;

// Of a header section. Only fields whose authserv-id is `authserv_id` or a name below it count, for
// anybody on the way may write one (RFC 8601 section 7.1); empty: none does. Of several results of
// a method the topmost counts, but one that passed among those of the same field: a mail may have
// several signatures.
[[nodiscard]] Verdicts read_verdicts(std::string_view header, std::string_view authserv_id);

// Whether its Subject has `token`, a word, in it.
[[nodiscard]] bool has_subject_with(std::string_view header, std::string_view token);

}  // namespace todoku::probe
