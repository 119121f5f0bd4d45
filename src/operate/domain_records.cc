// SPDX-License-Identifier: Apache-2.0
#include "operate/domain_records.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "access/domain_proof.h"
#include "operate/key_rotation.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

constexpr std::int64_t kSigningKeysPage = 100;

// Of keys that rotate by themselves: where their CNAMEs lead, and those that nothing signs with.
Result<void> put_slots(store::ReadTransaction& reader, const store::DomainPlace& place,
                       std::vector<doctor::DomainKey>& keys) {
  auto row = reader.key_slots_of(place.account, place.domain);
  if (!row) return fail(std::move(row.error()));
  if (!*row) return {};
  const auto at_hand = slots_at_hand(std::move(**row));
  if (!at_hand) return fail(at_hand.error());
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    // One that is given up needs no CNAME any more.
    const bool is_free = at_hand->slots.slots[slot].stage == SlotStage::free;
    if (at_hand->slots.ending && is_free) continue;
    const auto names = slot_names(place.account, place.domain, at_hand->slots.zone, slot);
    if (!names) return fail(names.error());
    for (const SlotName& name : *names) {
      const auto signing = std::ranges::find(keys, name.selector, &doctor::DomainKey::selector);
      if (signing != keys.end()) {
        signing->alias = name.alias;
      } else {
        keys.push_back({.selector = name.selector,
                        .record = {},
                        .domain = place.domain,
                        .alias = name.alias,
                        .is_idle = true});
      }
    }
  }
  return {};
}

DomainRecord plain(const doctor::WantedRecord& wanted) {
  return {.name = wanted.name,
          .type = wanted.type,
          .value = wanted.value,
          .purpose = {.en = std::string(wanted.purpose.en), .ja = std::string(wanted.purpose.ja)},
          .problem = wanted.problem,
          .is_optional = wanted.is_optional,
          .is_for_later = wanted.is_for_later,
          .is_elsewhere = wanted.is_elsewhere};
}

RecordState state_seen(const doctor::WantedRecord& record, bool is_whole) {
  if (record.is_there) return RecordState::published;
  // Nobody has looked into the zone of another.
  if (!is_whole || record.is_elsewhere) return RecordState::not_checked;
  return record.replaces ? RecordState::different : RecordState::missing;
}

// Which come and go while the zone stays as it is.
bool is_of_keys_or_proof(const doctor::DomainWish& wish, std::string_view name) {
  return name.contains("._domainkey.") || name == wish.proof_name;
}

struct Kept {
  store::Domain claim;
  store::DomainCheck check;
  std::vector<doctor::DomainKey> keys;
};

Result<Kept> read_kept(store::ReadTransaction& reader, store::AccountKey account,
                       const std::string& domain) {
  auto claim = reader.domain(account, domain);
  if (!claim) return fail(std::move(claim.error()));
  auto check = reader.domain_check(account, domain);
  if (!check) return fail(std::move(check.error()));
  auto keys = signing_keys(reader, {account, domain});
  if (!keys) return fail(std::move(keys.error()));
  return Kept{.claim = std::move(*claim), .check = std::move(*check), .keys = std::move(*keys)};
}

}  // namespace

Result<std::vector<doctor::DomainKey>> signing_keys(store::ReadTransaction& reader,
                                                    const store::DomainPlace& place) {
  for (std::string_view at = place.domain; !at.empty();) {
    std::vector<doctor::DomainKey> keys;
    // Just before the first key of the domain: no selector is empty.
    const store::DkimPlace before{
        .account = place.account, .domain = std::string(at), .selector = {}};
    const auto listed = reader.dkim_keys(before, kSigningKeysPage);
    if (!listed) return fail(listed.error());
    for (const store::DkimKey& key : *listed) {
      if (key.account != place.account || key.domain != at) break;
      keys.push_back({.selector = key.selector, .record = key.dns_record, .domain = key.domain});
    }
    if (auto put = put_slots(reader, {place.account, std::string(at)}, keys); !put) {
      return fail(std::move(put.error()));
    }
    if (!keys.empty()) return keys;
    const std::size_t dot = at.find('.');
    at = dot == std::string_view::npos ? std::string_view() : at.substr(dot + 1);
  }
  return std::vector<doctor::DomainKey>();
}

std::vector<DomainRecord> seen_records(const std::vector<doctor::WantedRecord>& records,
                                       bool is_whole) {
  std::vector<DomainRecord> seen;
  for (const doctor::WantedRecord& record : records) {
    seen.push_back(plain(record));
    seen.back().state = state_seen(record, is_whole);
  }
  return seen;
}

std::vector<DomainRecord> records_now(const doctor::DomainWish& wish,
                                      const std::vector<doctor::WantedRecord>& wanted,
                                      const std::vector<DomainRecord>& seen) {
  std::vector<DomainRecord> now;
  for (const doctor::WantedRecord& record : wanted) {
    const bool comes_and_goes = is_of_keys_or_proof(wish, record.name);
    if (!comes_and_goes && !seen.empty()) continue;
    now.push_back(plain(record));
    const auto its = std::ranges::find_if(seen, [&](const DomainRecord& each) {
      return each.name == record.name && each.type == record.type && each.value == record.value;
    });
    if (its != seen.end()) now.back().state = its->state;
  }
  for (const DomainRecord& each : seen) {
    if (!is_of_keys_or_proof(wish, each.name)) now.push_back(each);
  }
  return now;
}

Task<Result<DomainRecordsView>> Operations::domain_records(std::string account_name,
                                                           std::string domain) {
  auto name = access::claimable_domain(domain);
  if (!name) co_return fail(std::move(name.error()));
  auto owner = co_await account(account_name);
  if (!owner) co_return fail(std::move(owner.error()));
  auto kept =
      co_await store_.read([key = owner->key, name = *name](store::ReadTransaction& reader) {
        return read_kept(reader, key, name);
      });
  if (!kept) co_return fail(std::move(kept.error()));
  auto history = unpack_history(kept->check.found);
  if (!history) co_return fail(std::move(history.error()));
  doctor::DomainWish wish;
  wish.domain = *name;
  wish.platform = options_.platform;
  wish.keys = std::move(kept->keys);
  if (kept->claim.state != store::DomainState::proven) {
    wish.proof_name = access::proof_name(*name);
    wish.proof_value = access::proof_value(kept->claim.token);
  }
  const auto wanted = doctor::wanted_records(wish, {});
  if (!wanted) co_return fail(wanted.error());
  DomainRecordsView view;
  view.account = std::move(account_name);
  view.domain = std::move(*name);
  if (!history->records.empty()) view.checked = history->checked;
  view.records = records_now(wish, *wanted, history->records);
  view.has_keys = !wish.keys.empty();
  view.unknown_sources = wish.platform.unknown_sources;
  co_return view;
}

Task<Result<DomainRecordsView>> Operations::make_domain_keys(std::string account_name,
                                                             std::string domain) {
  auto before = co_await domain_records(account_name, domain);
  if (!before) co_return fail(std::move(before.error()));
  if (before->has_keys) {
    co_return fail(ErrorKind::conflict,
                   fmt::format("mail of {} is signed already: whoever runs todoku changes its keys "
                               "(todoku domain rotate {})",
                               before->domain, before->domain));
  }
  for (const char* const algorithm : {"rsa", "ed25519"}) {
    const auto made = co_await add_dkim_key({.account = account_name,
                                             .domain = before->domain,
                                             .selector = {},
                                             .algorithm = algorithm,
                                             .private_key = {},
                                             .only_first = true});
    if (!made) co_return fail(made.error());
  }
  co_return co_await domain_records(std::move(account_name), std::move(domain));
}

}  // namespace todoku::operate
