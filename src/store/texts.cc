// SPDX-License-Identifier: Apache-2.0
#include "store/texts.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::store {
namespace {

Result<void> check_texts(
    std::initializer_list<std::pair<std::string_view, std::string_view>> texts) {
  for (const auto& [what, text] : texts) {
    if (auto sound = check_text(what, text); !sound) return sound;
  }
  return {};
}

Result<void> check_recipient(const NewRecipient& recipient) {
  auto sound = check_texts({{"address", recipient.address}, {"domain", recipient.domain}});
  for (const InsertCode& code : recipient.insert_codes) {
    if (sound) sound = check_texts({{"insert code", code.key}, {"insert code", code.value}});
  }
  return sound;
}

Result<void> check_recipients(const std::vector<NewRecipient>& recipients) {
  for (const NewRecipient& recipient : recipients) {
    if (auto sound = check_recipient(recipient); !sound) return sound;
  }
  return {};
}

Result<void> check_content(const Content& content) {
  auto sound = check_texts({{"from", content.from.address},
                            {"from", content.from.name},
                            {"subject", content.subject},
                            {"text part", content.text_part},
                            {"HTML part", content.html_part},
                            {"unsubscribe address", content.list_unsubscribe_mailto},
                            {"unsubscribe URL", content.list_unsubscribe_url}});
  if (sound && content.reply_to) {
    sound = check_texts(
        {{"reply-to", content.reply_to->address}, {"reply-to", content.reply_to->name}});
  }
  for (const ExtraHeader& header : content.headers) {
    if (!sound) break;
    sound = check_texts({{"name of a header field", header.name}, {"header field", header.value}});
  }
  for (const Attachment& attachment : content.attachments) {
    if (!sound) break;
    sound = check_texts({{"name of an attachment", attachment.file_name},
                         {"type of an attachment", attachment.mime_type},
                         {"id of an inline part", attachment.content_id}});
  }
  return sound;
}

}  // namespace

Result<void> check_text(std::string_view what, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::invalid_input, fmt::format("{} holds a NUL character", what));
  }
  if (!is_utf8(text)) return fail(ErrorKind::invalid_input, fmt::format("{} is not UTF-8", what));
  return {};
}

Result<void> check_relayed_data(const NewDelivery& delivery) {
  if (!delivery.relayed_data) return {};
  const auto& attachments = delivery.content.attachments;
  if (attachments.size() == 1 && attachments.front().data.empty()) return {};
  return fail(ErrorKind::invalid_input, "a message in pieces is the data of its only attachment");
}

Result<void> check_sound(const Accept& accept) {
  if (accept.recipients.empty()) {
    return fail(ErrorKind::invalid_input, "a transaction needs at least one recipient");
  }
  if (accept.idempotency && accept.idempotency->key.account != accept.delivery.account) {
    return fail(ErrorKind::invalid_input, "the idempotency key is of another account");
  }
  auto sound = check_content(accept.delivery.content);
  if (sound) sound = check_relayed_data(accept.delivery);
  if (sound) sound = check_recipients(accept.recipients);
  return sound;
}

Result<void> check_sound(const StageRows& stage) {
  return check_recipients(stage.recipients);
}

Result<void> check_sound(const BellWork& work) {
  Result<void> sound;
  const auto check_source = [&sound](const BellChannel& channel) {
    if (sound) sound = check_text("egress source", channel.source);
  };
  for (const Bell& bell : work.rung) check_source(bell.channel);
  for (const HeldBell& held : work.acknowledged) check_source(held.bell.channel);
  for (const GivenBack& given : work.given_back) check_source(given.held.bell.channel);
  for (const BellsWanted& wanted : work.wanted) check_source(wanted.channel);
  return sound;
}

Result<void> check_sound(const OutcomeRecord& outcome) {
  const RecipientState state = outcome.outcome.state;
  if (state == RecipientState::pending || state > RecipientState::unknown) {
    return fail(ErrorKind::invalid_input, "an outcome cannot be pending");
  }
  // Of a delay further on somebody else tries again.
  const bool waits =
      state == RecipientState::deferred && !(outcome.if_taken && is_told_delay(outcome.outcome));
  if (waits != outcome.wait.has_value()) {
    return fail(ErrorKind::invalid_input,
                "an outcome has a time to wait if and only if it is deferred");
  }
  return {};
}

}  // namespace todoku::store
