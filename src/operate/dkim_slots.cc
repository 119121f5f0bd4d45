// SPDX-License-Identifier: Apache-2.0
// Operations on DKIM keys that rotate by themselves (key_slots.h): a domain is set up for them,
// they are shown, changed before their time, and given up. Who moves them on is the role events.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "mailauth/dkim/dns_record.h"
#include "operate/account_names.h"
#include "operate/key_rotation.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

using mailauth::dkim::KeyName;

// "12/example.jp"; a domain has no slash.
std::string place_text(const store::KeySlotsRow& row) {
  return fmt::format("{}/{}", static_cast<std::int64_t>(row.account), row.domain);
}

Result<store::DomainPlace> parse_slots_place(std::string_view text) {
  // Behind the rows of the platform.
  if (text.empty()) return store::DomainPlace{.account = store::AccountKey{1}, .domain = {}};
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::int64_t account = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + slash, account);
  if (error != std::errc() || end != text.data() + slash || slash == text.size()) {
    return fail(ErrorKind::invalid_input, "there is no such place in the list of keys");
  }
  return store::DomainPlace{.account = store::AccountKey{account},
                            .domain = std::string(text.substr(slash + 1))};
}

Result<KeySlotsView> slots_view(std::string account, store::KeySlotsRow row, const SlotPace& pace,
                                Instant now) {
  auto at_hand = slots_at_hand(std::move(row));
  if (!at_hand) return fail(std::move(at_hand.error()));
  KeySlotsView view{.account = std::move(account),
                    .domain = at_hand->row.domain,
                    .slots = std::move(at_hand->slots),
                    .names = {},
                    .next = {},
                    .now = now};
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    auto names = slot_names(at_hand->row.account, view.domain, view.slots.zone, slot);
    if (!names) return fail(std::move(names.error()));
    view.names[slot] = std::move(*names);
  }
  view.next = due_work(view.slots, pace, now);
  return view;
}

Result<Page<KeySlotsView>> read_slot_views(store::ReadTransaction& reader,
                                           const store::DomainPlace& after, std::int64_t limit,
                                           std::optional<store::AccountKey> only,
                                           const SlotPace& pace, Instant now) {
  auto rows = reader.key_slots(after, limit);
  if (!rows) return fail(std::move(rows.error()));
  Page<KeySlotsView> page;
  if (static_cast<std::int64_t>(rows->size()) == limit) page.next = place_text(rows->back());
  AccountNames names;
  for (store::KeySlotsRow& row : *rows) {
    if (only && row.account != *only) {
      page.next.clear();
      break;
    }
    auto name = names.of(reader, row.account);
    if (!name) return fail(std::move(name.error()));
    if (!*name) continue;
    auto view = slots_view(**std::move(name), std::move(row), pace, now);
    if (!view) return fail(std::move(view.error()));
    page.views.push_back(std::move(*view));
  }
  return page;
}

std::unexpected<Error> no_slots(const std::string& domain) {
  return fail(ErrorKind::not_found,
              fmt::format("the DKIM keys of {} do not rotate by themselves: todoku domain setup {} "
                          "--by cname",
                          domain, domain));
}

}  // namespace

Task<Result<Page<KeySlotsView>>> Operations::key_slots(std::string account_name, std::string after,
                                                       std::int64_t limit) {
  auto place = parse_slots_place(after);
  if (!place) co_return fail(std::move(place.error()));
  std::optional<store::AccountKey> only;
  if (!account_name.empty()) {
    auto found = co_await account(account_name);
    if (!found) co_return fail(std::move(found.error()));
    only = found->key;
    if (place->account < *only) *place = {.account = *only, .domain = {}};
  }
  auto page = co_await store_.read([place = *place, limit, only, pace = options_.slot_pace,
                                    now = store_.clock().now()](store::ReadTransaction& reader) {
    return read_slot_views(reader, place, limit, only, pace, now);
  });
  co_return page;
}

Task<Result<KeySlotsView>> Operations::alter_key_slots(std::string account_name, std::string domain,
                                                       SlotsChange change) {
  const auto name = KeyName::parse(domain, "s");
  if (!name) co_return fail(name.error());
  const auto owner = co_await account(account_name);
  if (!owner) co_return fail(owner.error());
  auto altered = co_await store_.write(
      store::WritePriority::accept,
      [key = owner->key, domain = name->domain, change = std::move(change),
       now = store_.clock().now()](
          store::WriteTransaction& transaction) -> Result<store::KeySlotsRow> {
        auto row = transaction.read().key_slots_of(key, domain);
        if (!row) return fail(std::move(row.error()));
        if (!*row) {
          *row = store::KeySlotsRow{
              .account = key, .domain = domain, .revision = 0, .look = {}, .state = {}};
        }
        const bool is_new = (*row)->revision == 0;
        auto at_hand = is_new ? Result<SlotsAtHand>(SlotsAtHand{.row = **row, .slots = {}})
                              : slots_at_hand(std::move(**row));
        if (!at_hand) return fail(std::move(at_hand.error()));
        if (auto done = change(at_hand->slots, is_new, now); !done) {
          return fail(std::move(done.error()));
        }
        at_hand->row.state = pack_slots(at_hand->slots);
        at_hand->row.look = now;  // whoever rotates finds out what comes next
        const auto put = transaction.put_key_slots(at_hand->row);
        if (!put) return fail(put.error());
        if (!*put) {
          return fail(ErrorKind::conflict,
                      fmt::format("the keys of {} were changed at this moment: try again", domain));
        }
        return std::move(at_hand->row);
      });
  if (!altered) co_return fail(std::move(altered.error()));
  co_return slots_view(account_name, std::move(*altered), options_.slot_pace, store_.clock().now());
}

Task<Result<KeySlotsView>> Operations::add_key_slots(std::string account_name, std::string domain) {
  const std::string zone = options_.platform_zone;
  if (zone.empty()) {
    co_return fail(
        ErrorKind::unsupported,
        "dkim.platform_zone is not configured: there is no zone for CNAMEs to lead into");
  }
  const auto name = KeyName::parse(domain, "s");
  if (!name) co_return fail(name.error());
  const auto owner = co_await account(account_name);
  if (!owner) co_return fail(owner.error());
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (auto names = slot_names(owner->key, name->domain, zone, slot); !names) {
      co_return fail(std::move(names.error()));
    }
  }
  co_return co_await alter_key_slots(
      account_name, domain, [zone](KeySlots& slots, bool is_new, Instant /*now*/) -> Result<void> {
        if (is_new) slots.zone = zone;
        slots.ending = false;
        if (slots.zone == zone) return {};
        return fail(ErrorKind::conflict,
                    fmt::format("its CNAMEs lead into {}, not into {}: end that first, by `todoku "
                                "domain setup --by txt`",
                                slots.zone, zone));
      });
}

Task<Result<KeySlotsView>> Operations::rotate_key_slots(std::string account_name,
                                                        std::string domain) {
  co_return co_await alter_key_slots(
      account_name, domain,
      [domain](KeySlots& slots, bool is_new, Instant /*now*/) -> Result<void> {
        if (is_new) return no_slots(domain);
        if (slots.ending) {
          return fail(
              ErrorKind::conflict,
              fmt::format("the keys of {} in the platform's zone are being given up", domain));
        }
        const bool is_under_way = std::ranges::any_of(slots.slots, [](const KeySlot& slot) {
          return slot.stage == SlotStage::published || slot.stage == SlotStage::settling;
        });
        if (!is_under_way) slots.asked = true;
        return {};
      });
}

Task<Result<KeySlotsView>> Operations::look_at_key_slots(std::string account_name,
                                                         std::string domain) {
  co_return co_await alter_key_slots(
      account_name, domain,
      [domain](KeySlots& slots, bool is_new, Instant /*now*/) -> Result<void> {
        if (is_new) return no_slots(domain);
        ask_for_look(slots);
        return {};
      });
}

Task<Result<KeySlotsView>> Operations::end_key_slots(std::string account_name, std::string domain) {
  co_return co_await alter_key_slots(
      account_name, domain, [domain](KeySlots& slots, bool is_new, Instant now) -> Result<void> {
        if (is_new) return no_slots(domain);
        end_slots(slots, now);
        return {};
      });
}

}  // namespace todoku::operate
