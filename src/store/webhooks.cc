// SPDX-License-Identifier: Apache-2.0
#include "store/webhooks.h"

#include <fmt/format.h>

#include "store/codec.h"
#include "store/records.h"
#include "store/texts.h"

namespace todoku::store {
namespace {

Result<void> check_wishes(const WebhookWishes& wishes) {
  for (const auto* list : {&wishes.kinds, &wishes.tags, &wishes.domains, &wishes.purposes}) {
    for (const std::string& item : *list) {
      if (auto sound = check_text("a wish of an endpoint", item); !sound) return sound;
    }
  }
  return {};
}

}  // namespace

std::string pack_wishes(const WebhookWishes& wishes) {
  std::string packed;
  for (const auto* list : {&wishes.kinds, &wishes.tags, &wishes.domains, &wishes.purposes}) {
    put_text(packed, pack_list(*list));
  }
  put_varint(packed, wishes.insert_codes ? 1 : 0);
  put_varint(packed, wishes.single ? 1 : 0);
  return packed;
}

Result<WebhookWishes> unpack_wishes(std::string_view packed) {
  WebhookWishes wishes;
  BlobReader in(packed);
  for (auto* list : {&wishes.kinds, &wishes.tags, &wishes.domains, &wishes.purposes}) {
    auto unpacked = unpack_list(in.text());
    if (!unpacked) return fail(std::move(unpacked.error()));
    *list = std::move(*unpacked);
  }
  wishes.insert_codes = in.varint() != 0;
  wishes.single = in.varint() != 0;
  if (in.failed()) return fail(ErrorKind::corrupt, "what an endpoint wants cannot be read");
  return wishes;
}

Result<void> check_sound(const WebhookTerms& terms) {
  auto sound = check_text("URL of an endpoint", terms.shown);
  return sound ? check_wishes(terms.wishes) : sound;
}

Result<void> check_sound(const NewWebhook& webhook) {
  if (webhook.name.empty()) return fail(ErrorKind::invalid_input, "an endpoint needs a name");
  auto sound = check_state(webhook.state);
  if (sound) sound = check_text("name of an endpoint", webhook.name);
  return sound ? check_sound(webhook.terms) : sound;
}

Result<void> check_state(std::string_view state) {
  if (state.size() <= kWebhookStateMax) return {};
  return fail(ErrorKind::invalid_input, "the state of an endpoint is too long");
}

Result<void> check_calls(std::string_view calls) {
  if (calls.size() <= kWebhookCallsMax) return {};
  return fail(ErrorKind::invalid_input, "what is remembered of an endpoint's calls is too long");
}

Result<void> check_one_more(const std::vector<Webhook>& others) {
  if (static_cast<std::int64_t>(others.size()) < kWebhooksMax) return {};
  return fail(ErrorKind::limit_exceeded,
              fmt::format("the account has {} endpoints, and may have no more", kWebhooksMax));
}

Result<void> check_sound(const WebhookProgress& progress) {
  if (auto sound = check_state(progress.state); !sound) return sound;
  for (const std::string& event : progress.set_aside) {
    if (auto sound = check_text("id of an event", event); !sound) return sound;
  }
  return {};
}

}  // namespace todoku::store
