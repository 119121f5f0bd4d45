// SPDX-License-Identifier: Apache-2.0
#include "api/preview_request.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "api/bulk_request.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/members.h"
#include "api/steering_request.h"
#include "api/update_request.h"
#include "intake/check.h"
#include "intake/draft_look.h"

namespace todoku::api {
namespace {

bool is_known(std::span<const Member> known, std::string_view name) {
  return std::ranges::find(known, name, &Member::name) != known.end();
}

// Whether it says more than whom the mail is to be shown for.
bool says_of_delivery(const Form& form) {
  return !form.attachments.empty() || std::ranges::any_of(form.object(), [](const auto& member) {
    return !is_known(members::kWhomToShow, {member.key().data(), member.key().size()});
  });
}

// The content as an update would leave it.
void apply_change(const store::DraftChange& change, Content& content, Labels& labels) {
  intake::apply_fields(change, content);
  if (change.tags) labels.tags = *change.tags;
  if (change.list_id) labels.list_id = *change.list_id;
  if (change.purpose) labels.purpose = *change.purpose;
  if (!change.inline_parts) return;
  std::erase_if(content.attachments,
                [](const Attachment& file) { return !file.content_id.empty(); });
  content.attachments.insert(content.attachments.end(), change.inline_parts->begin(),
                             change.inline_parts->end());
}

// An update is judged where it is carried out, too. What is wrong with it, if anything is.
Task<std::optional<intake::Refusal>> read_changes(Api& api, const Call& call, Form& form,
                                                  PreviewWish& wish, intake::Problems problems) {
  auto request = read_update(form, api.intake().limits(), problems);
  auto looked_at = co_await api.intake().look_at_update(call.account, *wish.delivery,
                                                        std::move(request), std::move(problems));
  if (!looked_at) co_return std::move(looked_at.error());
  if (looked_at->recipients) {
    wish.recipients.emplace();
    for (const store::NewRecipient& each : *looked_at->recipients) {
      wish.recipients->push_back(
          {.key = {}, .address = each.address, .insert_codes = each.insert_codes});
    }
  }
  wish.change = [change = std::move(looked_at->change)](Content& content, Labels& labels) {
    apply_change(change, content, labels);
  };
  co_return std::nullopt;
}

void read_type(const Form& form, PreviewWish& wish, intake::Problems& problems) {
  const auto type = Fields(form.object(), {}, problems).text("delivery_type");
  if (!type) return;
  const auto known = delivery_type_from_contract(*type);
  const bool is_one = known && *known != DeliveryType::smtp;
  if (is_one) wish.type = *known;
  if (!is_one) {
    problems.add({"delivery_type"}, intake::texts::not_one_of(*type, "TRANSACTION, BULK"));
  }
}

// What is wrong with it, if anything is.
Task<std::optional<intake::Refusal>> read_whole(Api& api, Call& call, Form& form, PreviewWish& wish,
                                                intake::Problems problems) {
  read_type(form, wish, problems);
  const bool is_bulk = wish.type == DeliveryType::bulk;
  const auto known = is_bulk ? std::span<const Member>(members::kPreviewOfBulk)
                             : std::span<const Member>(members::kPreviewOfMail);
  call.unknown = unknown_members(form.object(), known);
  auto request = read_bulk(form, api.intake().limits(), known, problems);
  if (is_bulk) request.steering = read_steering(Fields(form.object(), {}, problems));
  auto looked_at = co_await api.intake().look_at_content(call.account, std::move(request),
                                                         std::move(problems), wish.type);
  if (!looked_at) co_return std::move(looked_at.error());
  wish.change = [delivery = std::move(*looked_at)](Content& content, Labels& labels) {
    content = delivery.content;
    labels = delivery.labels;
  };
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
  std::optional<intake::Refusal> wrong;
  if (!delivery) {
    wrong = co_await read_whole(api, call, form, wish, std::move(problems));
  } else {
    call.unknown = unknown_members(form.object(), members::kPreviewOfStored);
    if (says_of_delivery(form)) {
      wrong = co_await read_changes(api, call, form, wish, std::move(problems));
    } else if (!problems.empty()) {
      wrong = intake::Refusal{ErrorKind::invalid_input, std::move(problems)};
    }
  }
  if (wrong) co_return std::unexpected(refused(*wrong, call.language));
  if (!delivery && wish.type == DeliveryType::transaction) {
    // It stands in the header of every copy.
    const std::string to = wish.email.empty() ? std::string(kPreviewedAddress) : wish.email;
    wish.change = [change = std::move(wish.change), to](Content& content, Labels& labels) {
      change(content, labels);
      content.header_to = {to};
    };
  }
  co_return wish;
}

}  // namespace todoku::api
