// SPDX-License-Identifier: Apache-2.0
#include "delivery/letter.h"

#include <utility>

#include "delivery/feedback_id.h"
#include "delivery/stored_content.h"
#include "mail/address.h"

namespace todoku::delivery {

Result<std::shared_ptr<const Letter>> make_letter(const store::Delivery& delivery,
                                                  LetterMessage message, LetterTerms terms,
                                                  KeyRing& keys, std::optional<OwnSender> sender) {
  std::shared_ptr<const mailauth::dkim::Signer> signer;
  if (!delivery.signing.empty()) {
    auto signing = keys.pinned(delivery.account, delivery.signing);
    if (!signing) return fail("signing keys", std::move(signing.error()));
    signer = std::move(signing->signer);
  }
  const std::size_t octets = message.memory_octets() + sizeof(Letter);
  return std::make_shared<const Letter>(
      Letter{.delivery = delivery.key,
             .account = delivery.account,
             .weight = terms.weight,
             .traffic = delivery.traffic,
             .at_most_once = delivery.at_most_once,
             .sandbox = terms.sandbox,
             .purpose = purpose_of(delivery.labels.purpose, delivery.type),
             .list_id = delivery.labels.list_id,
             .started = delivery.started.value_or(delivery.created),
             .signer = std::move(signer),
             .sender = std::move(sender),
             .message = std::move(message),
             .bytes = octets});
}

bool goes_in_slices(std::uint64_t octets, const Options& options) {
  // Letters in flight are beyond the bound of the cache, so even one that would fit is large if a
  // few dozen like it, each on its way somewhere, would fill the cache once more.
  constexpr std::size_t kPartsOfCache = 64;
  return octets > options.content_cache_bytes / kPartsOfCache;
}

LetterContent LetterContent::of(Content content, const Options& options) {
  std::uint64_t octets = 0;
  for (const Attachment& attachment : content.attachments) octets += attachment.data.size();
  LetterContent made{.content = std::move(content), .data_outside = {}};
  if (!goes_in_slices(octets, options)) return made;
  if (const auto& relayed = made.content.relayed) {
    made.relayed_head = made.content.attachments.front().data.substr(0, relayed->head_octets);
  }
  for (Attachment& attachment : made.content.attachments) {
    made.data_outside.push_back(attachment.data.size());
    attachment.data = {};
  }
  return made;
}

namespace {

Result<LetterMessage> relayed_message(const store::Delivery& delivery, LetterContent content,
                                      store::Store& store) {
  const RelayedEnvelope& envelope = *content.content.relayed;
  const RelayedMessage::Options options{.added = {}, .smtputf8 = envelope.smtputf8};
  if (content.content.attachments.size() != 1) {
    return fail(ErrorKind::corrupt, "a relayed message without its octets");
  }
  if (content.data_outside.empty()) {
    auto whole =
        RelayedMessage::build(std::move(content.content.attachments.front().data), options);
    if (!whole) return fail(std::move(whole.error()));
    return LetterMessage(std::move(*whole));
  }
  const std::uint64_t head = content.relayed_head.size();
  const std::uint64_t body = content.data_outside.front() - head;
  auto message = RelayedMessage::of_head(content.relayed_head,
                                         {.outside = body,
                                          .has_leading_dot = envelope.has_leading_dot,
                                          .is_eight_bit = envelope.is_eight_bit,
                                          .has_long_line = envelope.has_long_line},
                                         options);
  if (!message) return fail(std::move(message.error()));
  OutsideContent outside{.source = std::make_shared<const StoredContent>(store, delivery.key),
                         .parts = {{.offset = head, .octets = body}}};
  return LetterMessage(std::move(*message), std::move(outside));
}

}  // namespace

Result<std::shared_ptr<const Letter>> make_letter(const store::Delivery& delivery,
                                                  LetterContent content, LetterTerms terms,
                                                  KeyRing& keys, const Options& options,
                                                  store::Store& store) {
  if (content.content.relayed) {
    const RelayedEnvelope& envelope = *content.content.relayed;
    std::optional<OwnSender> sender;
    if (envelope.mail_from.empty() || !options.return_path_receives) {
      sender = {envelope.mail_from, static_cast<DsnReturn>(envelope.ret), envelope.envid};
    }
    auto message = relayed_message(delivery, std::move(content), store);
    if (!message) return fail("message", std::move(message.error()));
    return make_letter(delivery, std::move(*message), terms, keys, std::move(sender));
  }
  OutsideContent outside;
  for (const std::uint64_t octets : content.data_outside) {
    outside.parts.push_back({.number = outside.parts.size(), .octets = octets, .in_base64 = true});
  }
  const mime::Identity identity{.delivery = static_cast<std::int64_t>(delivery.key),
                                .message_id_domain = options.message_id_domain,
                                .secret = options.instance_secret};
  const bool is_advertisement =
      purpose_of(delivery.labels.purpose, delivery.type) == Purpose::advertisement;
  auto message = mime::MessageTemplate::build(
      std::move(content.content),
      {.date_offset_minutes = options.date_offset_minutes,
       .feedback_id = feedback_id(delivery, options.message_id_domain),
       .data_outside = std::move(content.data_outside),
       .pixel_url = options.pixel_url,
       .unsubscribe_url = is_advertisement ? options.unsubscribe_url : std::string(),
       .unsubscribe_mailto = is_advertisement ? options.unsubscribe_mailto : std::string(),
       .content_id_tail = mime::content_id_tail(identity)});
  if (!message) return fail("message", std::move(message.error()));
  if (!outside.parts.empty()) {
    outside.source = std::make_shared<const StoredContent>(store, delivery.key);
  }
  LetterMessage letter = outside.parts.empty()
                             ? LetterMessage(std::move(*message))
                             : LetterMessage(std::move(*message), std::move(outside));
  letter.set_tokens({.account = delivery.account,
                     .list_id = delivery.labels.list_id,
                     .opens = options.open_tokens,
                     .unsubscribes = options.unsubscribe_tokens});
  return make_letter(delivery, std::move(letter), terms, keys);
}

}  // namespace todoku::delivery
