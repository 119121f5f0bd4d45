// SPDX-License-Identifier: Apache-2.0
#include "http/multipart_reader.h"

#include <fmt/format.h>

namespace todoku::http {

Result<MultipartReader> MultipartReader::open(const Request& request, Body& body,
                                              MultipartLimits limits) {
  const Result<std::string> boundary = multipart_boundary(request.headers.get("Content-Type"));
  if (!boundary) return fail(boundary.error());
  return MultipartReader(body, *boundary, limits);
}

Task<Result<MultipartEvent>> MultipartReader::next() {
  for (;;) {
    Result<MultipartEvent> event = parser_.next();
    if (!event || event->kind != MultipartEvent::Kind::need_more) co_return event;
    const Result<std::string_view> piece = co_await body_->read();
    if (!piece) co_return fail(piece.error());
    if (piece->empty())
      parser_.end_of_input();
    else
      parser_.push(*piece);
  }
}

Task<Result<std::string>> MultipartReader::read_part(std::size_t limit) {
  std::string content;
  for (;;) {
    const Result<MultipartEvent> event = co_await next();
    if (!event) co_return fail(event.error());
    if (event->kind != MultipartEvent::Kind::data) co_return content;
    if (event->data.size() > limit - content.size()) {
      co_return fail(
          ErrorKind::limit_exceeded,
          fmt::format("multipart part \"{}\" is longer than {} octets", part().name, limit));
    }
    content += event->data;
  }
}

Task<Result<void>> MultipartReader::skip_part() {
  for (;;) {
    const Result<MultipartEvent> event = co_await next();
    if (!event) co_return fail(event.error());
    if (event->kind != MultipartEvent::Kind::data) co_return Result<void>();
  }
}

}  // namespace todoku::http
