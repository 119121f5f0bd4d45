// SPDX-License-Identifier: Apache-2.0
#include "api/preview_request.h"

#include <iterator>
#include <string>
#include <utility>

#include "api/fields.h"
#include "api/form.h"
#include "api/inline_parts.h"
#include "api/members.h"
#include "api/update_request.h"
#include "intake/check.h"

namespace todoku::api {
namespace {

// The content as an update would leave it.
void apply_update(const intake::UpdateRequest& update, Content& content) {
  const auto put = [](const auto& changed, auto& field) {
    if (changed) field = *changed;
  };
  put(update.from, content.from);
  if (update.reply_to) content.reply_to = *update.reply_to;
  put(update.subject, content.subject);
  put(update.text_part, content.text_part);
  put(update.html_part, content.html_part);
  put(update.list_unsubscribe_mailto, content.list_unsubscribe_mailto);
  put(update.list_unsubscribe_url, content.list_unsubscribe_url);
  put(update.list_unsubscribe_one_click, content.list_unsubscribe_one_click);
  put(update.headers, content.headers);
  if (!update.inline_parts) return;
  std::erase_if(content.attachments,
                [](const Attachment& file) { return !file.content_id.empty(); });
  content.attachments.insert(content.attachments.end(), update.inline_parts->begin(),
                             update.inline_parts->end());
}

void read_changes(const Api& api, const Call& call, Form& form, PreviewWish& wish,
                  intake::Problems& problems) {
  const intake::Limits& limits = api.intake().limits();
  auto update = read_update(form, limits, problems);
  intake::Problems found;
  intake::check_update(update, limits, found);
  if (update.from) {
    intake::check_sender(*update.from, call.account.key, api.intake().senders(), found);
  }
  problems.add_others(std::move(found));
  wish.change = [update = std::move(update)](Content& content) { apply_update(update, content); };
}

void read_whole(const Api& api, const Call& call, Form& form, PreviewWish& wish,
                intake::Problems& problems) {
  const intake::Limits& limits = api.intake().limits();
  const Fields fields(form.object(), {}, problems);
  Content content = read_content(fields);
  const auto labels = fields.labels();
  (void)fields.at_most_once();  // decides nothing here, but is judged
  const bool opens = fields.truth("open_tracking").value_or(call.account.open_tracking);
  refuse_lost_members(form.object(), members::kPreview, problems);
  if (const auto type = fields.text("delivery_type")) {
    const auto known = delivery_type_from_contract(*type);
    const bool is_one = known && *known != DeliveryType::smtp;
    if (is_one) wish.type = *known;
    if (!is_one) {
      problems.add({"delivery_type"}, intake::texts::not_one_of(*type, "TRANSACTION, BULK"));
    }
  }
  content.attachments = read_inline_parts(fields, limits).value_or(std::vector<Attachment>());
  std::ranges::move(form.attachments, std::back_inserter(content.attachments));
  content.text_from_html = call.account.text_from_html;
  content.open_tracking = limits.open_tracking && opens;
  intake::Problems found;
  intake::check_content(content, limits, found);
  intake::check_sender(content.from, call.account.key, api.intake().senders(), found);
  wish.labels = intake::check_labels(labels, found);
  intake::check_unsubscribe_link(content, purpose_of(wish.labels.purpose, wish.type), limits,
                                 found);
  problems.add_others(std::move(found));
  wish.change = [content = std::move(content)](Content& out) { out = content; };
}

void read_whom(const Api& api, const Call& call, const Form& form, PreviewWish& wish,
               intake::Problems& problems) {
  const intake::Limits& limits = api.intake().limits();
  const Fields fields(form.object(), {}, problems);
  auto whom = fields.recipient(limits.insert_codes_max);
  const bool are_given = fields.is_given("insert_code");
  const http::Query query = call.request.query_parameters();
  if (const auto* named = query.find("email")) whom.email = named->literal;
  const bool is_named = !whom.email.empty();
  if (!is_named) whom.email = kPreviewedAddress;
  intake::Problems found;
  auto recipient = intake::check_recipient(whom, {}, limits, found);
  problems.add_others(std::move(found));
  if (!wish.delivery && wish.type == DeliveryType::transaction) {
    // It stands in the header of every copy.
    wish.change = [change = std::move(wish.change), to = recipient.address](Content& content) {
      change(content);
      content.header_to = {to};
    };
  }
  if (is_named) wish.email = std::move(recipient.address);
  if (are_given) wish.insert_codes = std::move(recipient.insert_codes);
}

}  // namespace

Task<std::expected<PreviewWish, http::Response>> read_preview(
    Api& api, Call& call, std::optional<store::PublicId> delivery) {
  Form form;
  auto bad = co_await read_form(api, call, delivery.has_value(), form);
  if (bad) co_return std::unexpected(std::move(*bad));
  PreviewWish wish;
  wish.delivery = delivery;
  intake::Problems problems;
  if (!delivery) {
    call.unknown = unknown_members(form.object(), members::kPreview);
    read_whole(api, call, form, wish, problems);
  } else {
    call.unknown = unknown_members(form.object(), members::kPreviewOfStored);
    const bool is_empty = form.object().empty() && form.attachments.empty();
    if (!is_empty) read_changes(api, call, form, wish, problems);
  }
  read_whom(api, call, form, wish, problems);
  if (!problems.empty()) co_return std::unexpected(invalid(problems, call.language));
  co_return wish;
}

}  // namespace todoku::api
