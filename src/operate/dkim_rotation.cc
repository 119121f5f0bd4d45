// SPDX-License-Identifier: Apache-2.0
// A new DKIM key without a moment in which mail fails: made and published, and signing only then;
// the old one's record stays for as long as mail may be checked with it.
//
//   make_next_dkim_keys() -> (published) -> begin_next_dkim_keys() -> (nothing is under way that
//   began before) -> (7 days) -> retire_dkim_keys()
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "operate/dkim_parts.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

using mailauth::dkim::KeyName;

// Keys that wait are in a setting of their domain, where nothing that signs looks: a line each, of
// selector, algorithm, when it was made, and in base64 the sealed private key and the record.
std::string waiting_setting(store::AccountKey account, std::string_view domain) {
  return fmt::format("dkim next/{}/{}", static_cast<std::int64_t>(account), domain);
}

std::string line_of(const store::DkimKey& key) {
  return fmt::format("{} {} {} {} {}\n", key.selector, key.algorithm,
                     key.created.time_since_epoch().count(), to_base64(key.sealed_private_key),
                     to_base64(key.dns_record));
}

std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

std::optional<Instant> take_instant(std::string_view& line) {
  const std::string_view word = take_word(line);
  Instant::rep count = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return Instant(Instant::duration(count));
}

std::optional<store::DkimKey> key_of_line(std::string_view line) {
  store::DkimKey key;
  key.selector = take_word(line);
  key.algorithm = take_word(line);
  const auto made = take_instant(line);
  if (!made) return std::nullopt;
  key.created = *made;
  auto sealed = from_base64(take_word(line));
  auto record = from_base64(take_word(line));
  if (!sealed || !record || key.selector.empty()) return std::nullopt;
  key.sealed_private_key = std::move(*sealed);
  key.dns_record = std::move(*record);
  return key;
}

Result<std::vector<store::DkimKey>> keys_of_setting(const std::optional<std::string>& setting,
                                                    store::AccountKey account,
                                                    const std::string& domain) {
  std::vector<store::DkimKey> keys;
  std::string_view rest = setting ? std::string_view(*setting) : std::string_view();
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    auto key = key_of_line(line);
    if (!key) return fail(ErrorKind::corrupt, "the DKIM keys of " + domain + " that wait");
    key->account = account;
    key->domain = domain;
    keys.push_back(std::move(*key));
  }
  return keys;
}

std::vector<DkimView> views_of(const std::string& account, std::vector<store::DkimKey> keys) {
  std::vector<DkimView> views;
  for (store::DkimKey& key : keys) views.push_back(dkim_view(account, std::move(key)));
  return views;
}

// Since when another key of its algorithm signs; nullopt: it signs itself.
std::optional<Instant> superseded(const store::DkimKey& key,
                                  const std::vector<store::DkimKey>& all) {
  std::optional<Instant> since;
  for (const store::DkimKey& other : all) {
    if (other.algorithm != key.algorithm || other.created <= key.created) continue;
    if (!since || other.created < *since) since = other.created;
  }
  return since;
}

// A process that has not yet heard of a new key begins mail with the old one.
constexpr std::chrono::hours kHeardOfWithin{1};

// Of a key that is over: since when another signs in its place, and when it was found to be over.
// It is over once: what began before its successor signed does not begin again.
std::string over_setting(store::AccountKey account, std::string_view domain,
                         std::string_view selector) {
  return fmt::format("dkim over/{}/{}/{}", static_cast<std::int64_t>(account), domain, selector);
}

// nullopt: it was not found to be over, or only while another signed than the one of `since`.
Result<std::optional<Instant>> over_at(store::ReadTransaction& transaction,
                                       const store::DkimKey& key, Instant since) {
  const auto noted = transaction.setting(over_setting(key.account, key.domain, key.selector));
  if (!noted) return fail(noted.error());
  if (!*noted) return std::nullopt;
  std::string_view text = **noted;
  if (take_instant(text) != since) return std::nullopt;
  return take_instant(text);
}

struct Retired {
  std::vector<store::DkimKey> removed;
  std::vector<store::DkimKey> kept;
};

Result<Retired> retire(store::WriteTransaction& transaction, store::AccountKey account,
                       const std::string& domain, Instant now) {
  auto keys = keys_of_domain(transaction.read(), account, domain);
  if (!keys) return fail(std::move(keys.error()));
  Retired retired;
  for (const store::DkimKey& key : *keys) {
    if (is_slot_selector(key.selector)) continue;  // those go by themselves
    const auto since = superseded(key, *keys);
    if (!since) continue;
    const auto over = over_at(transaction.read(), key, *since);
    if (!over) return fail(over.error());
    if (!*over || now - **over < kDkimOverlap) {
      retired.kept.push_back(key);
      continue;
    }
    auto removed = remove_dkim(transaction, key);
    if (!removed) return fail(std::move(removed.error()));
    retired.removed.push_back(key);
  }
  return retired;
}

Result<std::string> domain_of(const std::string& domain) {
  auto name = KeyName::parse(domain, "s");
  if (!name) return fail(std::move(name.error()));
  return std::move(name->domain);
}

}  // namespace

Result<std::vector<store::DkimKey>> keys_of_domain(store::ReadTransaction& transaction,
                                                   store::AccountKey account,
                                                   const std::string& domain) {
  store::DkimPlace after{.account = account, .domain = {}, .selector = {}};
  constexpr std::int64_t kPage = 100;
  std::vector<store::DkimKey> found;
  while (true) {
    auto keys = transaction.dkim_keys(after, kPage);
    if (!keys) return fail(std::move(keys.error()));
    for (store::DkimKey& key : *keys) {
      if (key.account != account) return found;
      after = {.account = key.account, .domain = key.domain, .selector = key.selector};
      if (key.domain == domain) found.push_back(std::move(key));
    }
    if (static_cast<std::int64_t>(keys->size()) < kPage) return found;
  }
}

Result<std::vector<DkimKeyOver>> dkim_keys_over(store::ReadTransaction& transaction,
                                                store::AccountKey account,
                                                const std::string& domain, Instant now) {
  const auto keys = keys_of_domain(transaction, account, domain);
  if (!keys) return fail(keys.error());
  std::vector<DkimKeyOver> over;
  for (const store::DkimKey& key : *keys) {
    if (is_slot_selector(key.selector)) continue;
    const auto since = superseded(key, *keys);
    if (!since || now < *since + kHeardOfWithin) continue;
    const auto noted = over_at(transaction, key, *since);
    if (!noted) return fail(noted.error());
    if (*noted) continue;
    const auto begun = transaction.begun_before(account, *since + kHeardOfWithin);
    if (!begun) return fail(begun.error());
    if (!*begun) over.push_back({.selector = key.selector, .since = *since});
  }
  return over;
}

Result<void> note_dkim_keys_over(store::WriteTransaction& transaction, store::AccountKey account,
                                 const std::string& domain, const std::vector<DkimKeyOver>& over,
                                 Instant now) {
  for (const DkimKeyOver& key : over) {
    auto noted = transaction.put_setting(
        over_setting(account, domain, key.selector),
        fmt::format("{} {}", key.since.time_since_epoch().count(), now.time_since_epoch().count()));
    if (!noted) return noted;
  }
  return {};
}

Task<Result<std::vector<store::DkimKey>>> Operations::waiting_dkim_keys(std::string account_name,
                                                                        std::string domain) {
  const auto name = domain_of(domain);
  if (!name) co_return fail(name.error());
  const auto owner = co_await account(account_name);
  if (!owner) co_return fail(owner.error());
  const auto setting = co_await store_.read(
      [named = waiting_setting(owner->key, *name)](store::ReadTransaction& transaction) {
        return transaction.setting(named);
      });
  if (!setting) co_return fail(setting.error());
  co_return keys_of_setting(*setting, owner->key, *name);
}

Task<Result<std::vector<DkimView>>> Operations::next_dkim_keys(std::string account_name,
                                                               std::string domain) {
  auto keys = co_await waiting_dkim_keys(account_name, domain);
  if (!keys) co_return fail(std::move(keys.error()));
  co_return views_of(account_name, std::move(*keys));
}

Task<Result<store::DkimKey>> Operations::make_waiting_key(store::Account owner, std::string domain,
                                                          std::string algorithm) {
  const auto box = options_.secret_box();
  if (!box) co_return fail(box.error());
  const auto key = co_await dkim_key_for({}, algorithm);
  if (!key) co_return fail(key.error());
  const Instant now = clock_.now();
  auto selector = co_await new_selector(owner.name, domain, dkim_selector(key->algorithm(), now));
  if (!selector) co_return fail(std::move(selector.error()));
  store::DkimKey made{
      .account = owner.key,
      .domain = std::move(domain),
      .selector = std::move(*selector),
      .algorithm = std::string(mailauth::dkim::signature_algorithm(key->algorithm())),
      .sealed_private_key = {},
      .dns_record = mailauth::dkim::key_record_text(*key),
      .created = now};
  made.sealed_private_key = (*box)->seal(key->to_pem(), dkim_seal_context(made));
  co_return made;
}

Task<Result<std::vector<DkimView>>> Operations::make_next_dkim_keys(std::string account_name,
                                                                    std::string domain) {
  auto there = co_await waiting_dkim_keys(account_name, domain);
  if (!there) co_return fail(std::move(there.error()));
  if (!there->empty()) co_return views_of(account_name, std::move(*there));
  const auto name = domain_of(domain);
  if (!name) co_return fail(name.error());
  const auto owner = co_await account(account_name);
  if (!owner) co_return fail(owner.error());
  std::vector<store::DkimKey> made;
  for (const char* algorithm : {"rsa", "ed25519"}) {
    auto key = co_await make_waiting_key(*owner, *name, algorithm);
    if (!key) co_return fail(std::move(key.error()));
    made.push_back(std::move(*key));
  }
  // Of two who make some at once the first one's are kept.
  const auto write = [made, named = waiting_setting(owner->key, *name)](
                         store::WriteTransaction& transaction) -> Result<void> {
    const auto taken = transaction.read().setting(named);
    if (!taken) return fail(taken.error());
    if (*taken && !(*taken)->empty()) return {};
    std::string text;
    for (const store::DkimKey& key : made) {
      text += line_of(key);
      auto used = transaction.put_setting(dkim_used_setting({key.domain, key.selector}), "");
      if (!used) return used;
    }
    return transaction.put_setting(named, text);
  };
  const auto written = co_await store_.write(store::WritePriority::accept, write);
  if (!written) co_return fail(written.error());
  auto views = co_await next_dkim_keys(account_name, domain);
  co_return views;
}

Task<Result<std::vector<DkimView>>> Operations::begin_next_dkim_keys(std::string account_name,
                                                                     std::string domain) {
  const auto name = domain_of(domain);
  if (!name) co_return fail(name.error());
  const auto owner = co_await account(account_name);
  if (!owner) co_return fail(owner.error());
  const auto begin =
      [key = owner->key, domain = *name, now = clock_.now()](
          store::WriteTransaction& transaction) -> Result<std::vector<store::DkimKey>> {
    const std::string named = waiting_setting(key, domain);
    const auto setting = transaction.read().setting(named);
    if (!setting) return fail(setting.error());
    auto keys = keys_of_setting(*setting, key, domain);
    if (!keys) return keys;
    if (keys->empty()) {
      return fail(ErrorKind::conflict,
                  fmt::format("no DKIM keys of {} wait to be published", domain));
    }
    for (store::DkimKey& each : *keys) {
      each.created = now;  // since when it signs
      auto put = put_dkim(transaction, each);
      if (!put) return fail(std::move(put.error()));
    }
    auto emptied = transaction.put_setting(named, "");
    if (!emptied) return fail(std::move(emptied.error()));
    return keys;
  };
  auto begun = co_await store_.write(store::WritePriority::accept, begin);
  if (!begun) co_return fail(std::move(begun.error()));
  const auto told = co_await changed();
  if (!told) co_return fail(told.error());
  co_return views_of(account_name, std::move(*begun));
}

Task<Result<RetiredDkim>> Operations::retire_dkim_keys(std::string account_name,
                                                       std::string domain) {
  const auto name = domain_of(domain);
  if (!name) co_return fail(name.error());
  const auto owner = co_await account(account_name);
  if (!owner) co_return fail(owner.error());
  const Instant now = clock_.now();
  const auto over = co_await store_.read(
      [key = owner->key, domain = *name, now](store::ReadTransaction& transaction) {
        return dkim_keys_over(transaction, key, domain, now);
      });
  if (!over) co_return fail(over.error());
  auto retired =
      co_await store_.write(store::WritePriority::accept,
                            [key = owner->key, domain = *name, over = *over,
                             now](store::WriteTransaction& transaction) -> Result<Retired> {
                              auto noted = note_dkim_keys_over(transaction, key, domain, over, now);
                              if (!noted) return fail(std::move(noted.error()));
                              return retire(transaction, key, domain, now);
                            });
  if (!retired) co_return fail(std::move(retired.error()));
  if (!retired->removed.empty()) {
    const auto told = co_await changed();
    if (!told) co_return fail(told.error());
  }
  co_return RetiredDkim{.removed = views_of(account_name, std::move(retired->removed)),
                        .kept = views_of(account_name, std::move(retired->kept))};
}

}  // namespace todoku::operate
