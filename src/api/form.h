// SPDX-License-Identifier: Apache-2.0
// The body of a request that is JSON, or JSON with attachments in multipart/form-data
// (blastengine-api.md section 2.2).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "api/api.h"
#include "http/json.h"
#include "mail/content.h"

namespace todoku::api {

// Keep it where it was made: `json` lives in `arena`.
struct Form {
  http::JsonArena arena;
  boost::json::value json;  // always an object
  std::vector<Attachment> attachments;

  [[nodiscard]] const boost::json::object& object() const { return json.get_object(); }
};

// Fills `form` from the body. No body, "{}" and "null" are an empty object where `may_be_empty`.
// The response says what is wrong; nullopt if nothing is.
[[nodiscard]] std::optional<http::Response> read_form(const Call& call, bool may_be_empty,
                                                      Form& form);

}  // namespace todoku::api
