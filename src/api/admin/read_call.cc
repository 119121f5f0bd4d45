// SPDX-License-Identifier: Apache-2.0
#include "api/admin/read_call.h"

#include <boost/json/object.hpp>

#include "http/json.h"
#include "http/query.h"

namespace todoku::api::admin {
namespace {

Result<void> put_member(operate::Given& given, std::string_view name,
                        const boost::json::value& value) {
  if (value.is_null()) return {};  // as if it were not there
  if (value.is_string()) return given.put(name, std::string(value.get_string()));
  if (value.is_int64()) return given.put(name, value.get_int64());
  if (value.is_bool()) return given.put(name, value.get_bool());
  return given.put(name, std::monostate());
}

Result<void> put_body(operate::Given& given, std::string_view body) {
  http::JsonArena arena{http::JsonArena::Wiped()};
  const auto value = http::parse_json(body.empty() ? "{}" : body, arena);
  // A limit of ours is passed by who asks: to come again later does not help.
  if (!value) return fail(ErrorKind::invalid_input, value.error().detail);
  if (!value->is_object()) {
    return fail(ErrorKind::invalid_input, "the request must be a JSON object");
  }
  for (const auto& member : value->get_object()) {
    if (auto put = put_member(given, std::string_view(member.key()), member.value()); !put) {
      return put;
    }
  }
  return {};
}

}  // namespace

Result<operate::Given> read_call(const operate::Call& call, const http::Request& request,
                                 std::string_view body) {
  operate::Given given(call);
  if (call.has_body()) {
    if (auto put = put_body(given, body); !put) return fail(std::move(put.error()));
  } else if (!body.empty()) {
    return fail(ErrorKind::invalid_input,
                "arguments of this request stand behind its path, and not in a body");
  }
  for (const auto& parameter : request.query_parameters().parameters()) {
    if (call.has_body()) {
      return fail(ErrorKind::invalid_input,
                  "arguments of this request stand in a JSON object, and not behind its path");
    }
    if (auto put = given.put_written(parameter.name, parameter.value); !put) {
      return fail(std::move(put.error()));
    }
  }
  for (const auto& [name, value] : request.parameters.entries()) {
    if (auto put = given.put_written(name, value); !put) return fail(std::move(put.error()));
  }
  if (auto complete = given.complete(); !complete) return fail(std::move(complete.error()));
  return given;
}

}  // namespace todoku::api::admin
