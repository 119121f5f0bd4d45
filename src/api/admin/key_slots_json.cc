// SPDX-License-Identifier: Apache-2.0
#include "api/admin/key_slots_json.h"

#include <fmt/format.h>

#include "api/admin/shown_time.h"
#include "http/json.h"

namespace todoku::api::admin {
namespace {

using http::JsonWriter;
using operate::KeySlotsView;
using operate::SlotStage;
using operate::SlotWork;

// What the domain as a whole is in.
std::string_view state_of(const operate::KeySlots& slots) {
  if (slots.ending) return "ending";
  std::string_view state = "new";
  for (const operate::KeySlot& slot : slots.slots) {
    if (slot.stage == SlotStage::published) return "publishing";
    if (slot.stage == SlotStage::settling) return "settling";
    if (slot.stage == SlotStage::leaving || slot.stage == SlotStage::drained) state = "overlap";
    if (slot.stage == SlotStage::signing && state == "new") state = "signing";
  }
  return state;
}

std::string_view step_of(const operate::SlotDue& next, const operate::KeySlots& slots) {
  switch (next.work) {
    case SlotWork::none:
    case SlotWork::watch:
      return "none";
    case SlotWork::make_keys:
      return "make_keys";
    case SlotWork::publish:
      return "write_zone";
    case SlotWork::look:
      return slots.slots[next.slot].stage == SlotStage::settling ? "sign" : "look";
    case SlotWork::count:
      return "wait_for_mail";
    case SlotWork::free_slot:
      return "remove_old_keys";
    case SlotWork::look_for_others:
      return "wait_for_other_keys";
    case SlotWork::remove:
      return "end";
  }
  return "none";
}

void add_keys(JsonWriter& json, const KeySlotsView& view, std::size_t slot) {
  const auto& keys = view.slots.slots[slot].keys;
  json.key("keys");
  json.begin_array();
  for (std::size_t i = 0; i < view.names[slot].size(); ++i) {
    const operate::SlotName& name = view.names[slot][i];
    json.begin_object();
    json.member("selector", name.selector);
    json.member("algorithm", i == 0 ? "rsa-sha256" : "ed25519-sha256");
    json.member("dns_name", name.name);
    json.member("alias", name.alias);
    json.member("dns_record", i < keys.size() ? keys[i].dns_record : std::string());
    json.member("zone_entry", fmt::format("{}. IN CNAME {}.\n", name.name, name.alias));
    json.end_object();
  }
  json.end_array();
}

void add_view(JsonWriter& json, const KeySlotsView& view) {
  const operate::KeySlots& slots = view.slots;
  json.begin_object();
  json.member("account", view.account);
  json.member("domain", view.domain);
  json.member("zone", slots.zone);
  json.member("state", state_of(slots));
  json.member("asked", slots.asked);
  json.member("stalled", is_stalled(slots, view.now));
  json.member("gone", is_gone(slots, view.now));
  json.key("next");
  json.begin_object();
  json.member("step", step_of(view.next, slots));
  if (view.next.work != SlotWork::none) add_shown_time(json, "at", view.next.at);
  json.end_object();
  // What is gone is worse than what new keys wait for.
  const operate::SlotTrouble told =
      is_gone(slots, view.now) ? operate::trouble_of_signing(slots)
                               : operate::SlotTrouble{slots.fault, slots.where, slots.fault_since};
  if (told.fault != operate::SlotFault::none) {
    json.key("waits");
    json.begin_object();
    json.member("code", to_string(told.fault));
    json.member("where", told.where);
    json.member("sentence", fault_words(told.fault, told.where, Language::english));
    json.member("sentence_ja", fault_words(told.fault, told.where, Language::japanese));
    add_shown_time(json, "since", told.since);
    json.end_object();
  }
  json.key("slots");
  json.begin_array();
  for (std::size_t slot = 0; slot < operate::kSlots; ++slot) {
    json.begin_object();
    json.member("slot", slot == 0 ? "a" : "b");
    json.member("state", to_string(slots.slots[slot].stage));
    if (slots.slots[slot].since != Instant{}) {
      add_shown_time(json, "since", slots.slots[slot].since);
    }
    json.member("in_zone", slots.slots[slot].in_zone);
    add_keys(json, view, slot);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

}  // namespace

std::string key_slots_json(const operate::Page<KeySlotsView>& page) {
  JsonWriter json;
  json.begin_object();
  json.key("domains");
  json.begin_array();
  for (const KeySlotsView& view : page.views) add_view(json, view);
  json.end_array();
  if (!page.next.empty()) json.member("next", page.next);
  json.end_object();
  return json.take();
}

std::string key_slots_json(const KeySlotsView& view) {
  JsonWriter json;
  add_view(json, view);
  return json.take();
}

}  // namespace todoku::api::admin
