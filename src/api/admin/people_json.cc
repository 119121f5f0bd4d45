// SPDX-License-Identifier: Apache-2.0
#include "api/admin/people_json.h"

#include "access/roles.h"
#include "api/admin/shown_time.h"
#include "http/json.h"

namespace todoku::api::admin {

std::string people_json(const std::vector<operate::PersonRow>& people) {
  http::JsonWriter json;
  json.begin_object();
  json.key("people");
  json.begin_array();
  for (const operate::PersonRow& row : people) {
    json.begin_object();
    json.member("email", row.person.address());
    json.member("name", row.person.name);
    json.member("role", access::to_string(row.person.role));
    json.member("account", row.account);
    json.member("language", row.person.language);
    json.member("suspended", row.person.suspended);
    json.member("invited", row.person.password_hash.empty());
    json.member("second_factor", !row.person.sealed_totp.empty());
    add_shown_time(json, "created", row.person.created);
    add_shown_time(json, "seen", row.person.seen);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

std::string person_link_json(const operate::PersonLink& link) {
  http::JsonWriter json;
  json.begin_object();
  json.member("url", link.url.view());
  if (!link.email.empty()) json.member("email", link.email);
  add_shown_time(json, "end", link.end);
  json.end_object();
  return json.take();
}

}  // namespace todoku::api::admin
