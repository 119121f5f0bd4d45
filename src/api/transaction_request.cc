// SPDX-License-Identifier: Apache-2.0
#include "api/transaction_request.h"

#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>

#include "api/fields.h"
#include "api/inline_parts.h"
#include "api/members.h"

namespace todoku::api {
namespace {

// One address. A list with a single entry is what one client sends and means the same.
std::string read_to(const Fields& fields, const boost::json::object& object) {
  const boost::json::value* to = object.if_contains("to");
  if (to == nullptr || !to->is_array()) return fields.text("to").value_or("");
  if (to->get_array().size() == 1) return std::move(fields.texts("to", 1).front());
  fields.wrong_type(
      "to", "one e-mail address as a string (others stand in cc and bcc, or in mails of a batch)",
      "1件のメールアドレス (文字列。ほかの宛先はcc・bcc、またはバッチのmailsへ)");
  return {};
}

}  // namespace

intake::TransactionRequest read_transaction(const boost::json::object& object,
                                            const intake::Limits& limits,
                                            intake::Problems& problems) {
  const Fields fields(object, {}, problems);
  intake::TransactionRequest request;
  request.content = read_content(fields);
  const auto escape = fields.escape();
  request.from_template = fields.from_template(escape);
  // With a template it is the template's where nothing is said of it.
  if (!request.from_template) request.content.escape = escape.value_or(Escape::none);
  request.at_most_once = fields.at_most_once().value_or(false);
  // Nobody who gave an empty time has asked for "at once".
  for (const std::string_view name : {"send_at", "expires_in"}) fields.refuse_empty(name);
  request.send_at = fields.date("send_at");
  request.expires_in = fields.seconds("expires_in");
  request.labels = fields.labels();
  request.open_tracking = fields.truth("open_tracking");
  request.content.attachments =
      read_inline_parts(fields, limits).value_or(std::vector<Attachment>());
  refuse_lost_members(object, members::kTransaction, problems);
  request.to = read_to(fields, object);
  request.cc = fields.texts("cc", limits.cc_max);
  request.bcc = fields.texts("bcc", limits.bcc_max);
  request.insert_codes = fields.codes_and_data(limits.insert_codes_max);
  request.attached = fields.attached();
  return request;
}

}  // namespace todoku::api
