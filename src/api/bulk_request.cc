// SPDX-License-Identifier: Apache-2.0
#include "api/bulk_request.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "api/fields.h"
#include "api/inline_parts.h"

namespace todoku::api {

intake::BulkRequest read_bulk(Form& form, const intake::Limits& limits,
                              std::span<const Member> known, intake::Problems& problems) {
  const Fields fields(form.object(), {}, problems);
  intake::BulkRequest request{.content = read_content(fields),
                              .at_most_once = fields.at_most_once().value_or(false),
                              .labels = fields.labels(),
                              .open_tracking = fields.truth("open_tracking")};
  const auto escape = fields.escape();
  request.from_template = fields.from_template(escape);
  // With a template it is the template's where nothing is said of it.
  if (!request.from_template) request.content.escape = escape.value_or(Escape::none);
  refuse_lost_members(form.object(), known, problems);
  request.content.attachments =
      read_inline_parts(fields, limits).value_or(std::vector<Attachment>());
  std::ranges::move(form.attachments, std::back_inserter(request.content.attachments));
  return request;
}

}  // namespace todoku::api
