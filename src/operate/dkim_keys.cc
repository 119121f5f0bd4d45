// SPDX-License-Identifier: Apache-2.0
// Operations on DKIM keys.
#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "async/callback.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/key.h"
#include "operate/account_names.h"
#include "operate/dkim_parts.h"
#include "operate/operations.h"
#include "store/walks.h"

namespace todoku::operate {
namespace {

using mailauth::dkim::KeyAlgorithm;
using mailauth::dkim::KeyName;
using mailauth::dkim::SigningKey;

// An RSA key takes tenths of a second to make: too long for a thread that sends.
Task<Result<SigningKey>> generate_aside(KeyAlgorithm algorithm) {
  auto made = co_await async::from_callback<Result<SigningKey>>(
      [algorithm](async::Callback<Result<SigningKey>> done) {
        const auto told = std::make_shared<async::Callback<Result<SigningKey>>>(std::move(done));
        try {
          std::thread([algorithm, told] { (*told)(SigningKey::generate(algorithm)); }).detach();
        } catch (const std::system_error& error) {
          (*told)(fail(ErrorKind::unavailable,
                       std::string("no thread to make a key on: ") + error.what()));
        }
      });
  co_return made;
}

// "12/example.jp/s1"; neither a domain nor a selector has a slash.
std::string to_text(const store::DkimKey& key) {
  return fmt::format("{}/{}/{}", static_cast<std::int64_t>(key.account), key.domain, key.selector);
}

Result<store::DkimPlace> parse_place(std::string_view text) {
  if (text.empty()) return store::DkimPlace{};
  const std::size_t first = text.find('/');
  const std::size_t second = text.find('/', first + 1);
  std::int64_t account = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + std::min(first, text.size()), account);
  if (first == text.npos || second == text.npos || error != std::errc() ||
      end != text.data() + first) {
    return fail(ErrorKind::invalid_input, "there is no such place in the list of keys");
  }
  return store::DkimPlace{.account = store::AccountKey{account},
                          .domain = std::string(text.substr(first + 1, second - first - 1)),
                          .selector = std::string(text.substr(second + 1))};
}

// `only`: of this account, otherwise of all.
Result<Page<DkimView>> read_views(store::ReadTransaction& transaction,
                                  const store::DkimPlace& after, std::int64_t limit,
                                  std::optional<store::AccountKey> only) {
  auto keys = transaction.dkim_keys(after, limit);
  if (!keys) return fail(std::move(keys.error()));
  Page<DkimView> page;
  if (static_cast<std::int64_t>(keys->size()) == limit) page.next = to_text(keys->back());
  AccountNames names;
  for (store::DkimKey& key : *keys) {
    if (only && key.account != *only) {
      page.next.clear();
      break;
    }
    auto name = names.of(transaction, key.account);
    if (!name) return fail(std::move(name.error()));
    if (*name) page.views.push_back(dkim_view(**std::move(name), std::move(key)));
  }
  return page;
}

constexpr int kSelectorsADay = 100;

// Just before the keys of an account; those of another domain or selector come after.
store::DkimPlace before(store::AccountKey account) {
  return {.account = account, .domain = {}, .selector = {}};
}

}  // namespace

Task<Result<SigningKey>> dkim_key_for(SecretText pem, std::string algorithm) {
  if (!pem.view().empty()) co_return SigningKey::from_pem(pem);
  if (algorithm != "rsa" && algorithm != "ed25519") {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("the algorithm is \"{}\", but must be rsa or ed25519", algorithm));
  }
  auto made =
      co_await generate_aside(algorithm == "rsa" ? KeyAlgorithm::rsa : KeyAlgorithm::ed25519);
  co_return made;
}

std::string dkim_selector(KeyAlgorithm algorithm, Instant now) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(now));
  return fmt::format("{}{:04}{:02}{:02}", algorithm == KeyAlgorithm::rsa ? 'r' : 'e',
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

DkimView dkim_view(std::string account, store::DkimKey key) {
  DkimView view{
      .account = std::move(account), .key = std::move(key), .dns_name = {}, .zone_entry = {}};
  view.key.sealed_private_key.clear();
  view.dns_name = KeyName{.domain = view.key.domain, .selector = view.key.selector}.lookup_name();
  view.zone_entry = mailauth::dkim::zone_file_entry(view.dns_name, view.key.dns_record);
  return view;
}

std::string dkim_used_setting(const KeyName& name) {
  return "dkim used/" + name.lookup_name();
}

Result<void> put_dkim(store::WriteTransaction& transaction, const store::DkimKey& key) {
  const auto used = transaction.put_setting(dkim_used_setting({key.domain, key.selector}), "");
  if (!used) return used;
  return transaction.put_dkim_key(key);
}

Result<void> remove_dkim(store::WriteTransaction& transaction, const store::DkimKey& key) {
  // Again, for one that was made by a version which left no such setting.
  const auto used = transaction.put_setting(dkim_used_setting({key.domain, key.selector}), "");
  if (!used) return used;
  return transaction.remove_dkim_key(key.account, key.domain, key.selector);
}

std::string dkim_seal_context(const store::DkimKey& key) {
  return fmt::format("dkim-key/{}/{}/{}", static_cast<std::int64_t>(key.account), key.domain,
                     key.selector);
}

Task<Result<Page<DkimView>>> Operations::dkim_keys(std::string account_name, std::string after,
                                                   std::int64_t limit) {
  auto place = parse_place(after);
  if (!place) co_return fail(std::move(place.error()));
  std::optional<store::AccountKey> only;
  if (!account_name.empty()) {
    auto found = co_await account(account_name);
    if (!found) co_return fail(std::move(found.error()));
    only = found->key;
    if (place->account < *only) place = before(*only);
  }
  auto page = co_await store_.read([place = *place, limit, only](store::ReadTransaction& reader) {
    return read_views(reader, place, limit, only);
  });
  co_return page;
}

Task<Result<DkimView>> Operations::dkim_key(std::string account_name, std::string domain,
                                            std::string selector) {
  auto name = KeyName::parse(domain, selector);
  if (!name) co_return fail(std::move(name.error()));
  auto owner = co_await account(account_name);
  if (!owner) co_return fail(std::move(owner.error()));
  store::DkimPlace place = before(owner->key);
  place.domain = name->domain;
  constexpr std::int64_t kPage = 100;
  while (true) {
    auto page = co_await store_.read([place, key = owner->key](store::ReadTransaction& reader) {
      return read_views(reader, place, kPage, key);
    });
    if (!page) co_return fail(std::move(page.error()));
    for (DkimView& view : page->views) {
      if (view.key.domain != name->domain) break;
      if (view.key.selector == name->selector) co_return std::move(view);
    }
    if (page->next.empty() || page->views.back().key.domain != name->domain) break;
    place.selector = page->views.back().key.selector;
  }
  co_return fail(ErrorKind::not_found, fmt::format("account {} has no DKIM key {} of {}",
                                                   account_name, selector, domain));
}

Task<Result<DkimView>> Operations::add_dkim_key(NewDkimKey request) {
  const Instant now = clock_.now();
  auto owner = co_await account(request.account);
  if (!owner) co_return fail(std::move(owner.error()));
  // Before the key, which takes a while to make.
  const auto box = options_.secret_box();
  if (!box) co_return fail(box.error());
  auto key = co_await dkim_key_for(std::move(request.private_key), request.algorithm);
  if (!key) co_return fail(std::move(key.error()));
  if (request.selector.empty()) {
    auto domain = KeyName::parse(request.domain, "s");
    if (!domain) co_return fail(std::move(domain.error()));
    auto selector = co_await new_selector(request.account, domain->domain,
                                          dkim_selector(key->algorithm(), now));
    if (!selector) co_return fail(std::move(selector.error()));
    request.selector = std::move(*selector);
  }
  auto name = KeyName::parse(request.domain, request.selector);
  if (!name) co_return fail(std::move(name.error()));
  if (is_slot_selector(name->selector)) {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("the selector {} is one of those whose keys rotate by themselves: "
                               "choose another --selector",
                               name->selector));
  }
  const auto taken = co_await dkim_key(request.account, name->domain, name->selector);
  if (taken) {
    co_return fail(ErrorKind::conflict,
                   fmt::format("account {} has a DKIM key {} of {} already: choose another "
                               "--selector",
                               request.account, name->selector, name->domain));
  }
  store::DkimKey stored{
      .account = owner->key,
      .domain = name->domain,
      .selector = name->selector,
      .algorithm = std::string(mailauth::dkim::signature_algorithm(key->algorithm())),
      .sealed_private_key = {},
      .dns_record = mailauth::dkim::key_record_text(*key),
      .created = now};
  stored.sealed_private_key = (*box)->seal(key->to_pem(), dkim_seal_context(stored));
  auto written = co_await store_.write(
      store::WritePriority::accept,
      [stored,
       only_first = request.only_first](store::WriteTransaction& transaction) -> Result<void> {
        const auto there = keys_of_domain(transaction.read(), stored.account, stored.domain);
        if (!there) return fail(there.error());
        // Somebody else was faster.
        const bool is_late = std::ranges::any_of(*there, [&](const store::DkimKey& key) {
          return key.selector == stored.selector ||
                 (only_first && key.algorithm == stored.algorithm);
        });
        if (!is_late) return put_dkim(transaction, stored);
        return fail(
            ErrorKind::conflict,
            fmt::format("the domain {} has got another DKIM key in this moment", stored.domain));
      });
  if (!written) co_return fail(std::move(written.error()));
  auto loaded = co_await changed();
  if (!loaded) co_return fail(std::move(loaded.error()));
  co_return dkim_view(request.account, std::move(stored));
}

Task<Result<store::AccountWork>> Operations::remove_dkim_key(std::string account_name,
                                                             std::string domain,
                                                             std::string selector) {
  auto found = co_await dkim_key(account_name, domain, selector);
  if (!found) co_return fail(std::move(found.error()));
  if (is_slot_selector(found->key.selector)) {
    co_return fail(ErrorKind::conflict,
                   fmt::format("the key {0} of {1} goes by itself: `todoku domain rotate {1}` "
                               "changes it, `todoku domain setup {1} --by txt` gives it up",
                               found->key.selector, found->key.domain));
  }
  auto removed = co_await store_.write(store::WritePriority::accept,
                                       [key = found->key](store::WriteTransaction& transaction) {
                                         return remove_dkim(transaction, key);
                                       });
  if (!removed) co_return fail(std::move(removed.error()));
  auto loaded = co_await changed();
  if (!loaded) co_return fail(std::move(loaded.error()));
  const auto work =
      co_await store_.read([key = found->key.account](store::ReadTransaction& transaction) {
        return transaction.work_of(key);
      });
  if (!work) co_return fail("the key is removed, but what the account has to go", work.error());
  co_return *work;
}

Task<Result<std::string>> Operations::new_selector(std::string account_name, std::string domain,
                                                   std::string usual) {
  for (int number = 1; number <= kSelectorsADay; ++number) {
    std::string selector = number == 1 ? usual : fmt::format("{}-{}", usual, number);
    const auto used = co_await store_.read(
        [setting = dkim_used_setting({domain, selector})](store::ReadTransaction& transaction) {
          return transaction.setting(setting);
        });
    if (!used) co_return fail(used.error());
    if (*used) continue;
    const auto there = co_await dkim_key(account_name, domain, selector);
    if (there) continue;
    if (there.error().kind != ErrorKind::not_found) co_return fail(there.error());
    co_return selector;
  }
  co_return fail(ErrorKind::conflict,
                 fmt::format("{} has had {} keys of today already: choose a --selector", domain,
                             kSelectorsADay));
}

}  // namespace todoku::operate
