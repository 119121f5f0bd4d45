// SPDX-License-Identifier: Apache-2.0
// Reads a multipart request body part by part while it arrives.
//
//   Result<MultipartReader> reader = MultipartReader::open(request, body);
//   for (;;) {
//     const Result<MultipartEvent> event = co_await reader->next();
//     ...
//   }
#pragma once

#include <cstddef>
#include <string>

#include "http/message.h"
#include "http/multipart.h"

namespace todoku::http {

class MultipartReader {
 public:
  // `body` must outlive the reader. Errors: invalid_input if the request is no multipart/form-data.
  [[nodiscard]] static Result<MultipartReader> open(const Request& request, Body& body,
                                                    MultipartLimits limits = {});

  // The next event but need_more. Errors: those of Body::read() and MultipartParser::next().
  [[nodiscard]] Task<Result<MultipartEvent>> next();
  [[nodiscard]] const Part& part() const { return parser_.part(); }

  // After part_begin: the part's whole content. Errors: as next(), and limit_exceeded beyond
  // `limit` octets.
  [[nodiscard]] Task<Result<std::string>> read_part(std::size_t limit);
  // After part_begin: goes to the part's end.
  [[nodiscard]] Task<Result<void>> skip_part();

 private:
  MultipartReader(Body& body, const std::string& boundary, MultipartLimits limits)
      : body_(&body), parser_(boundary, limits) {}

  Body* body_;
  MultipartParser parser_;
};

}  // namespace todoku::http
