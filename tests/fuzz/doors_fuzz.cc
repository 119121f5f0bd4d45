// SPDX-License-Identifier: Apache-2.0
// Requests of other services' clients: the first octet says at which door, the rest is its JSON.
// Oracles: a member that no table has is a problem; what is told of a problem is JSON of the
// service's own.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "api/doors/failures.h"
#include "api/doors/fields.h"
#include "api/doors/postmark.h"
#include "api/doors/resend.h"
#include "api/doors/sendgrid.h"
#include "api/doors/ses.h"
#include "base/check.h"
#include "http/json.h"

namespace todoku::api::doors {
namespace {

const intake::Limits kLimits;
constexpr std::size_t kMailsLookedAt = 3;

struct Read {
  Service service{};
  std::span<const Field> fields;
  intake::Problems problems;
};

template <class Mails>
intake::Problems problems_of(const Mails& mails) {
  intake::Problems problems = mails.problems();
  for (std::size_t i = 0; i < std::min(mails.size(), kMailsLookedAt); ++i) {
    problems.add_others(mails.mail(i).problems);
  }
  return problems;
}

Read read_at(char door, const boost::json::object& object) {
  switch (door) {
    case 'r':
      return {Service::resend, fields_of(Service::resend), resend::read(object, kLimits).problems};
    case 'p':
      return {Service::postmark, fields_of(Service::postmark),
              postmark::read(object, kLimits).letter.problems};
    case 'g':
      return {Service::sendgrid, fields_of(Service::sendgrid),
              problems_of(sendgrid::Mails(object, kLimits))};
    case 'b':
      return {Service::ses, fields_of_bulk(), problems_of(ses::Bulk(object, kLimits))};
    default:
      return {Service::ses, fields_of(Service::ses),
              ses::read_email(object, kLimits).letter.problems};
  }
}

bool has_unknown(const boost::json::object& object, std::span<const Field> fields) {
  return std::ranges::any_of(object, [fields](const auto& member) {
    const std::string_view name(member.key().data(), member.key().size());
    return !member.value().is_null() &&
           std::ranges::find(fields, name, &Field::path) == fields.end();
  });
}

void run(std::string_view input) {
  if (input.empty()) return;
  http::JsonArena arena;
  const auto json =
      http::parse_json(input.substr(1), arena, {.elements_max = 2'000, .keeps_literals = true});
  if (!json || !json->is_object()) return;
  const Read read = read_at(input.front(), json->get_object());
  check(!has_unknown(json->get_object(), read.fields) || !read.problems.empty(),
        "nothing is dropped in silence");
  http::JsonArena told;
  const std::string body =
      failure_body(read.service, failure_of(read.service, read.problems, Language::japanese));
  check(http::parse_json(body, told).has_value(), "a refusal is JSON");
}

}  // namespace
}  // namespace todoku::api::doors

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::api::doors::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
