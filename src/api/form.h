// SPDX-License-Identifier: Apache-2.0
// The body of a request that is JSON, or JSON with attachments in multipart/form-data
// (blastengine-api.md section 2.2).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "api/api.h"
#include "http/json.h"
#include "mail/content.h"

namespace todoku::api {

// Keep it where it was made: `json` lives in `arena`.
struct Form {
  http::JsonArena arena;
  std::optional<boost::json::value> json;  // an object, once the form was read (read_value apart)
  std::vector<Attachment> attachments;     // and inline parts, which have an id

  [[nodiscard]] const boost::json::object& object() const { return json->get_object(); }
};

// Fills `form` from the body. No body, "{}" and "null" are an empty object where `may_be_empty`.
// Of lists that are longer than any that is allowed, and of attachments, only as many are kept as
// are needed to see that; a large body is read with pauses for others.
// The response says what is wrong; nullopt if nothing is.
[[nodiscard]] Task<std::optional<http::Response>> read_form(const Api& api, const Call& call,
                                                            bool may_be_empty, Form& form);

// The same of JSON alone, within `limits`: multipart/form-data is refused, too.
[[nodiscard]] Task<std::optional<http::Response>> read_object(const Call& call,
                                                              http::JsonLimits limits, Form& form);

// Any JSON value, however its type is declared. What is wrong with it, if anything is.
[[nodiscard]] Task<std::optional<intake::Text>> read_value(std::string_view text,
                                                           http::JsonLimits limits, Form& form);
// Whether a media type says that the body is something else than JSON.
[[nodiscard]] bool is_no_json(std::string_view media_type);

// Why a JSON text cannot be taken, for who sent it.
[[nodiscard]] intake::Text unreadable_json(const http::JsonFault& fault);
// The same for a multipart body.
[[nodiscard]] intake::Text unreadable_parts(const Error& error);

}  // namespace todoku::api
