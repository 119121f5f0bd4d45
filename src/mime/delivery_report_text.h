// SPDX-License-Identifier: Apache-2.0
// What a delivery report says to people. Internal to mime: use compose_delivery_report().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mime/delivery_report.h"

namespace todoku::mime {

// What of the mail comes with the report.
enum class ReturnedPart : std::uint8_t { none, header_section, whole_mail };

// The display name of who reports.
[[nodiscard]] std::string_view reporter_name(Language language);
[[nodiscard]] bool tells_of(const DeliveryReport& report, ReportAction action);
// By the worst that is told of.
[[nodiscard]] std::string_view report_subject(const DeliveryReport& report);
// UTF-8 with CRLF line ends.
[[nodiscard]] std::string report_text(const DeliveryReport& report, ReturnedPart returned);

// `text` from outside for one line: cleaned by header_text(), at most `octets_max` octets.
[[nodiscard]] std::string report_line(std::string_view text, std::size_t octets_max);
// "550 5.1.1 No such user", of several lines made one; our own sentence if the code is 0.
[[nodiscard]] std::string reply_line(const Reply& reply);

}  // namespace todoku::mime
