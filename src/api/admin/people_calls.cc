// SPDX-License-Identifier: Apache-2.0
#include "api/admin/people_calls.h"

#include <string>

#include "api/admin/asker.h"
#include "api/admin/failures.h"
#include "api/admin/people_json.h"

namespace todoku::api::admin {

using http::Response;
using operate::Given;
using operate::Operations;

namespace {

Response told_done(const Result<void>& done) {
  return done ? Response::json(200, R"({"done":true})") : failure(done.error());
}

Response person_link(const Result<operate::PersonLink>& link) {
  return link ? Response::json(201, person_link_json(*link)) : failure(link.error());
}

}  // namespace

Task<Response> operator_link(Operations& operations, Given given) {
  co_return person_link(co_await operations.link_for_operator(asker_of(given)));
}

Task<Response> list_people(Operations& operations, Given given) {
  const auto people = co_await operations.people_of(given.text("account"));
  co_return people ? Response::json(200, people_json(*people)) : failure(people.error());
}

Task<Response> invite_person(Operations& operations, Given given) {
  const std::string language = given.text("language");
  co_return person_link(
      co_await operations.invite_person({.account = given.text("account"),
                                         .email = given.text("email"),
                                         .name = given.text("name"),
                                         .role = given.text("role"),
                                         .language = language.empty() ? "en" : language},
                                        asker_of(given)));
}

Task<Response> link_person(Operations& operations, Given given) {
  co_return person_link(co_await operations.link_for_person(given.text("email"), asker_of(given)));
}

Task<Response> suspend_person(Operations& operations, Given given) {
  const auto put = co_await operations.suspend_person(
      given.text("email"), given.truth("suspended").value_or(true), asker_of(given));
  co_return told_done(put);
}

Task<Response> remove_person(Operations& operations, Given given) {
  const auto removed = co_await operations.remove_person(given.text("email"), asker_of(given));
  co_return told_done(removed);
}

}  // namespace todoku::api::admin
