// SPDX-License-Identifier: Apache-2.0
#include "api/admin/failures.h"

#include "http/json.h"

namespace todoku::api::admin {
namespace {

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_input:
    case ErrorKind::unsupported:
      return 400;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::limit_exceeded:
      return 503;
    case ErrorKind::unauthorized:
    case ErrorKind::closed:
    case ErrorKind::io:
    case ErrorKind::corrupt:
    case ErrorKind::cancelled:
      return 500;
  }
  return 500;
}

}  // namespace

http::Response failure(int status, std::string_view sentence) {
  http::JsonWriter json;
  json.begin_object();
  json.member("error", sentence);
  json.end_object();
  return http::Response::json(status, json.take());
}

http::Response failure(const Error& error) {
  return failure(status_of(error.kind), error.detail);
}

}  // namespace todoku::api::admin
