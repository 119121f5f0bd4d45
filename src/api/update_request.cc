// SPDX-License-Identifier: Apache-2.0
#include "api/update_request.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>

#include "api/fields.h"
#include "api/inline_parts.h"
#include "api/members.h"
#include "api/steering_request.h"
#include "intake/check.h"

namespace todoku::api {
namespace {

std::vector<intake::RecipientRequest> read_recipients(const boost::json::array& list,
                                                      const intake::Limits& limits,
                                                      intake::Problems& problems) {
  std::vector<intake::RecipientRequest> recipients;
  for (std::size_t i = 0; i < list.size(); ++i) {
    intake::Path path{"to", std::to_string(i)};
    if (!list[i].is_object()) {
      problems.add(std::move(path), intake::texts::wrong_type("an object", "オブジェクト"));
      recipients.emplace_back();
      continue;
    }
    const Fields fields(list[i].get_object(), std::move(path), problems);
    recipients.push_back(fields.recipient(limits.insert_codes_max));
  }
  return recipients;
}

}  // namespace

intake::UpdateRequest read_update(Form& form, const intake::Limits& limits,
                                  intake::Problems& problems) {
  const Fields fields(form.object(), {}, problems);
  intake::UpdateRequest request;
  request.from = fields.mailbox("from");
  request.reply_to = fields.mailbox("reply_to");
  if (request.reply_to && request.reply_to->address.empty()) request.reply_to.reset();
  request.subject = fields.text("subject");
  request.text_part = fields.text("text_part");
  request.html_part = fields.text("html_part");
  if (const auto unsubscribe = fields.fields("list_unsubscribe")) {
    request.list_unsubscribe_mailto = unsubscribe->text("mailto");
    request.list_unsubscribe_url = unsubscribe->text("url");
    request.list_unsubscribe_one_click = unsubscribe->truth("one_click");
  }
  request.headers = fields.headers(intake::kHeadersMax);
  request.inline_parts = read_inline_parts(fields, limits);
  // Beyond them the form was not read.
  if (form.attachments.size() > limits.attachments_max) {
    problems.add({"inline"}, intake::texts::too_many(limits.attachments_max));
  }
  for (Attachment& file : form.attachments) {
    if (file.content_id.empty()) continue;
    if (!request.inline_parts) request.inline_parts.emplace();
    request.inline_parts->push_back(std::move(file));
  }
  if (const auto* to = fields.array("to", limits.update_recipients_max)) {
    request.to = read_recipients(*to, limits, problems);
  }
  request.keep_duplicates = fields.truth("keep_duplicates").value_or(false);
  request.at_most_once = fields.at_most_once();
  request.labels = fields.labels();
  request.steering = read_steering(fields);
  refuse_lost_members(form.object(), members::kUpdate, problems);
  return request;
}

}  // namespace todoku::api
