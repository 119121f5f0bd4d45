// SPDX-License-Identifier: Apache-2.0
#include "http/response_head.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include <fmt/compile.h>
#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::http {
namespace {

bool is_control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet < 0x20 && c != '\t') || octet == 0x7F;
}

// A line break in a value would let whoever chose the value write header fields of ours.
void append_value(std::string& out, std::string_view value) {
  const std::size_t at = out.size();
  out.append(value);
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(at), out.end(), is_control, ' ');
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  append_value(out, value);
  out.append("\r\n");
}

bool is_ours(std::string_view name) {
  return equals_ignoring_case(name, "Content-Length") ||
         equals_ignoring_case(name, "Transfer-Encoding") ||
         equals_ignoring_case(name, "Connection") || equals_ignoring_case(name, "Date");
}

}  // namespace

std::string_view DateText::at(Instant now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second.time_since_epoch().count() != second_) {
    constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const auto day = std::chrono::floor<std::chrono::days>(second);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(second - day);
    const std::size_t weekday = std::chrono::weekday(day).c_encoding();
    const std::size_t month = static_cast<unsigned>(date.month()) - 1;
    fmt::format_to_n(text_.begin(), text_.size(),
                     FMT_COMPILE("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT"),
                     kDays.substr(3 * weekday, 3), static_cast<unsigned>(date.day()),
                     kMonths.substr(3 * month, 3), static_cast<int>(date.year()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
    second_ = second.time_since_epoch().count();
  }
  return {text_.data(), text_.size()};
}

bool has_no_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

void append_response_head(std::string& out, const Response& response, const HeadFacts& facts) {
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("HTTP/1.1 {} {}\r\nDate: {}\r\n"),
                 response.status, reason_phrase(response.status), facts.date);
  if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
  if (facts.framing == Framing::length) {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("Content-Length: {}\r\n"), facts.length);
  } else if (facts.framing == Framing::chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (!facts.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (!facts.is_http_1_1) {
    out.append("Connection: keep-alive\r\n");
  }
  if (!facts.request_id.empty()) append_field(out, "X-Request-Id", facts.request_id);
  for (std::size_t i = 0; i < response.headers.size(); ++i) {
    const Headers::Field field = response.headers[i];
    if (!is_ours(field.name)) append_field(out, field.name, field.value);
  }
  out.append("\r\n");
}

}  // namespace todoku::http
