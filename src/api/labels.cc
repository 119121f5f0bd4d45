// SPDX-License-Identifier: Apache-2.0
#include "api/labels.h"

#include <string>

#include "api/api.h"

namespace todoku::api {
namespace {

// Of its own: the contract's detail has its keys and no others.
Task<http::Response> labels_of(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto head = co_await api.store().read(
      [account = call.account.key, id = *id](store::ReadTransaction& reader) {
        return reader.delivery_head(account, id);
      });
  if (!head) co_return refused(intake::refusal_of(head.error()), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.member("delivery_id", head->id);
  label_members(json, head->labels, head->type);
  json.end_object();
  co_return http::Response::json(200, json.take());
}

}  // namespace

void label_members(http::JsonWriter& json, const Labels& labels, DeliveryType type) {
  json.key("tags");
  json.begin_array();
  for (const std::string& tag : labels.tags) json.value(tag);
  json.end_array();
  text_or_null(json, "list_id", labels.list_id);
  json.member("purpose", to_string(purpose_of(labels.purpose, type)));
}

void no_label_members(http::JsonWriter& json) {
  json.key("tags");
  json.begin_array();
  json.end_array();
  json.null_member("list_id");
  json.null_member("purpose");
}

void add_label_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::get, "/deliveries/{delivery_id}/labels", kRead, &labels_of);
}

}  // namespace todoku::api
