// SPDX-License-Identifier: Apache-2.0
// What can be said of a message by looking at it: its header, its size, what its parts are, and
// whether one click unsubscribes. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/finding.h"
#include "doctor/preflight_authentication.h"

namespace todoku::doctor {

// Gmail shows so much of a message's HTML, and cuts off the rest.
inline constexpr std::size_t kGmailHtmlOctets = std::size_t{102} * 1'024;
// The usual limit of mail servers (Postfix: message_size_limit).
inline constexpr std::size_t kMessageOctetsUsual = 10'240'000;
inline constexpr std::size_t kMessageOctetsForPhones = 2'000'000;
inline constexpr std::size_t kLineOctetsAllowed = 998;  // RFC 5322 section 2.1.1

// What the delivery says, for one recipient: its insert codes are put in.
struct SampleContent {
  bool is_bulk = false;
  bool is_advertisement = false;
  std::string from_name;
  std::string text;                // text_part; empty: none
  std::string html;                // html_part; empty: none
  bool text_is_made = false;       // a text part is made from the HTML
  bool braces_are_codes = false;   // of a template: {{name}} is an insert code
  bool charset_fell_back = false;  // UTF-8 although ISO-2022-JP was asked for
};

// Who is among the recipients, as far as that changes what matters.
struct AudienceReceivers {
  bool docomo = false;
  bool carriers = false;  // one of docomo, au, SoftBank
};

// `signatures`: of this sample. They cover what is needed for one-click, or do not.
[[nodiscard]] std::vector<Finding> mail_findings(const SampleMail& sample,
                                                 std::span<const CheckedSignature> signatures,
                                                 const SampleContent& content,
                                                 AudienceReceivers receivers);

// A recipient whose mail cannot be made.
struct NotMade {
  std::string recipient;
  bool is_too_large = false;  // with its values; else it cannot be converted for the way
};
[[nodiscard]] std::vector<Finding> findings_of_not_made(std::span<const NotMade> not_made);

// An insert code for which some of the sampled recipients have no value, or all.
struct MissingCode {
  std::string key;
  std::size_t without = 0;
  std::string known{};    // where nobody has one: the codes that there are, with blanks between
  bool required = false;  // of a template: who has no value is refused
};
[[nodiscard]] std::vector<Finding> code_findings(std::span<const MissingCode> missing,
                                                 std::size_t sampled);

}  // namespace todoku::doctor
