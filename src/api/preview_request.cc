// SPDX-License-Identifier: Apache-2.0
#include "api/preview_request.h"

#include <string>
#include <utility>

#include "api/bulk_request.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/members.h"
#include "api/update_request.h"
#include "intake/check.h"
#include "intake/draft_look.h"

namespace todoku::api {
namespace {

// The content as an update would leave it.
void apply_update(const intake::UpdateRequest& update, Content& content) {
  intake::apply_fields(update, content);
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

// What is wrong with it, if anything is.
Task<std::optional<intake::Problems>> read_whole(Api& api, const Call& call, Form& form,
                                                 PreviewWish& wish, intake::Problems problems) {
  if (const auto type = Fields(form.object(), {}, problems).text("delivery_type")) {
    const auto known = delivery_type_from_contract(*type);
    const bool is_one = known && *known != DeliveryType::smtp;
    if (is_one) wish.type = *known;
    if (!is_one) {
      problems.add({"delivery_type"}, intake::texts::not_one_of(*type, "TRANSACTION, BULK"));
    }
  }
  auto request = read_bulk(form, api.intake().limits(), members::kPreview, problems);
  auto looked_at = co_await api.intake().look_at_content(call.account, std::move(request),
                                                         std::move(problems), wish.type);
  if (!looked_at) co_return std::move(looked_at.error().problems);
  wish.labels = std::move(looked_at->labels);
  wish.change = [content = std::move(looked_at->content)](Content& out) { out = content; };
  co_return std::nullopt;
}

void read_whom(const Api& api, const Call& call, const Form& form, PreviewWish& wish,
               intake::Problems& problems) {
  const intake::Limits& limits = api.intake().limits();
  const Fields fields(form.object(), {}, problems);
  auto whom = fields.recipient(limits.insert_codes_max);
  const bool are_given = fields.is_given("insert_code") || fields.is_given("data");
  const http::Query query = call.request.query_parameters();
  if (const auto* named = query.find("email")) whom.email = named->literal;
  const bool is_named = !whom.email.empty();
  if (!is_named) whom.email = kPreviewedAddress;
  intake::Problems found;
  auto recipient = intake::check_recipient(whom, {}, limits, found);
  problems.add_others(std::move(found));
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
  read_whom(api, call, form, wish, problems);
  if (!delivery) {
    call.unknown = unknown_members(form.object(), members::kPreview);
    auto wrong = co_await read_whole(api, call, form, wish, problems);
    if (wrong) problems = std::move(*wrong);
  } else {
    call.unknown = unknown_members(form.object(), members::kPreviewOfStored);
    const bool is_empty = form.object().empty() && form.attachments.empty();
    if (!is_empty) read_changes(api, call, form, wish, problems);
  }
  if (!problems.empty()) co_return std::unexpected(invalid(problems, call.language));
  if (!delivery && wish.type == DeliveryType::transaction) {
    // It stands in the header of every copy.
    const std::string to = wish.email.empty() ? std::string(kPreviewedAddress) : wish.email;
    wish.change = [change = std::move(wish.change), to](Content& content) {
      change(content);
      content.header_to = {to};
    };
  }
  co_return wish;
}

}  // namespace todoku::api
