// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/call_answer.h"

#include <charconv>
#include <chrono>

#include "base/bytes.h"

namespace todoku::events::webhooks {
namespace {

// RFC 9110 section 10.2.3, the form in seconds. A date would need the receiver's clock to be right;
// without one we choose the wait ourselves.
std::optional<Milliseconds> retry_after(const http::Headers& headers) {
  const std::string_view text = trim(headers.get("Retry-After"));
  std::uint32_t seconds = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

// Standard Webhooks, "Delivery success and failure".
CallAnswer judge_answer(const Result<http::ClientResponse>& response) {
  using How = CallAnswer::How;
  if (!response) {
    return {.how = response.error().kind == ErrorKind::limit_exceeded ? How::busy : How::refused};
  }
  const int status = response->status;
  if (status >= 200 && status < 300) return {.how = How::accepted};
  if (status == 410) return {.how = How::gone};
  const auto wait = retry_after(response->headers);
  if (status == 429 || (status == 503 && wait)) return {.how = How::throttled, .retry_after = wait};
  return {.how = How::refused};
}

}  // namespace todoku::events::webhooks
