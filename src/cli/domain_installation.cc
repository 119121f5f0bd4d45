// SPDX-License-Identifier: Apache-2.0
#include "cli/domain_installation.h"

#include <algorithm>
#include <utility>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "mail/address.h"
#include "net/endpoint.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

namespace calls = operate::calls;

Result<void> put_sources(const std::vector<std::string>& sources, doctor::Platform& platform) {
  if (sources.empty()) return {};
  platform.addresses.clear();
  platform.unknown_sources.clear();
  for (const std::string& text : sources) {
    const auto address = net::IpAddress::parse(text);
    if (!address) return fail("--source", address.error());
    platform.addresses.push_back(address->to_string());
  }
  return {};
}

Result<void> put_domain(std::string_view option, const std::string& text, std::string& into) {
  if (text.empty()) return {};
  auto domain = to_ascii_domain(text);
  if (!domain) return fail(option, std::move(domain.error()));
  into = std::move(*domain);
  return {};
}

Result<doctor::DomainWish> wish_of(Session& session, const std::string& domain,
                                   const PlatformWish& given) {
  doctor::DomainWish wish;
  if (auto put = put_domain("DOMAIN", domain, wish.domain); !put) return fail(put.error());
  auto platform = session.host().platform(session.common().config);
  if (!platform) return fail(std::move(platform.error()));
  wish.platform = std::move(*platform);
  if (auto put = put_sources(given.sources, wish.platform); !put) return fail(put.error());
  if (auto put = put_domain("--spf-include", given.spf_include, wish.platform.spf_include); !put) {
    return fail(put.error());
  }
  if (auto put = put_domain("--return-path", given.return_path, wish.platform.return_path); !put) {
    return fail(put.error());
  }
  if (!given.reports.empty()) {
    const auto address = parse_address(given.reports);
    if (!address) return fail("--reports", address.error());
    if (address->is_address_literal()) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("--reports: {} has no domain", address->to_string()));
    }
    wish.report_address = address->to_string();
  }
  return wish;
}

// In the place of those that sign without it being said where their CNAMEs lead, and the others.
void put_slot_keys(const ListedSlots& slots, const std::string& account, const std::string& domain,
                   std::vector<doctor::DomainKey>& keys) {
  const boost::json::value* const found = slots.of(account, domain);
  if (found == nullptr) return;
  for (doctor::DomainKey& key : slot_keys(*found)) {
    std::erase_if(keys,
                  [&](const doctor::DomainKey& each) { return each.selector == key.selector; });
    keys.push_back(std::move(key));
  }
}

}  // namespace

std::optional<boost::json::array> all_listed(Session& session, operate::Given given,
                                             std::string_view name) {
  boost::json::array all;
  std::string after;
  do {
    if (!after.empty()) given.with("after", after);
    const int status = session.ask_for(given, [&](const boost::json::value& page) {
      for (const auto& item : list_of(page, name)) {
        // Of memory of its own: the answer's goes with it.
        all.emplace_back(boost::json::value(item, boost::json::storage_ptr()));
      }
      after = text_of(page, "next");
    });
    if (status != 0) return std::nullopt;
  } while (!after.empty());
  return all;
}

std::optional<std::string> account_for(Session& session, const std::string& named) {
  if (!named.empty()) return named;
  const auto accounts = all_listed(session, operate::Given(calls::kListAccounts), "accounts");
  if (!accounts) return std::nullopt;
  if (accounts->size() == 1) return text_of(accounts->front(), "name");
  (void)session.fail(session.words({"there are {} accounts: say whose domain it is by --account",
                                    "アカウントが {} 件あります。--account で指定してください"},
                                   accounts->size()));
  return std::nullopt;
}

std::optional<doctor::DomainWish> domain_wish(Session& session, const std::string& domain,
                                              const PlatformWish& platform) {
  auto wish = wish_of(session, domain, platform);
  if (wish) return std::move(*wish);
  (void)session.fail(wish.error().detail);
  return std::nullopt;
}

const boost::json::value* ListedSlots::of(const std::string& account,
                                          const std::string& domain) const {
  const auto found = std::ranges::find_if(all, [&](const boost::json::value& each) {
    return text_of(each, "domain") == domain &&
           (account.empty() || text_of(each, "account") == account);
  });
  return found == all.end() ? nullptr : &*found;
}

std::optional<ListedSlots> listed_slots(Session& session, const std::string& account) {
  operate::Given given(calls::kListKeySlots);
  if (!account.empty()) given.with("account", account);
  auto listed = all_listed(session, std::move(given), "domains");
  if (!listed) return std::nullopt;
  return ListedSlots{.all = std::move(*listed)};
}

std::vector<doctor::DomainKey> slot_keys(const boost::json::value& slots) {
  std::vector<doctor::DomainKey> keys;
  for (const auto& slot : list_of(slots, "slots")) {
    const std::string state = text_of(slot, "state");
    const bool has_signed = state == "signing" || state == "leaving" || state == "drained";
    // One that is given up needs no CNAME any more.
    if (text_of(slots, "state") == "ending" && !has_signed) continue;
    for (const auto& key : list_of(slot, "keys")) {
      keys.push_back({.selector = text_of(key, "selector"),
                      .record = text_of(key, "dns_record"),
                      .domain = text_of(slots, "domain"),
                      .alias = text_of(key, "alias"),
                      .is_idle = !has_signed});
    }
  }
  return keys;
}

std::optional<std::vector<doctor::DomainKey>> domain_keys(Session& session,
                                                          const std::string& account,
                                                          const std::string& domain) {
  operate::Given given(calls::kListDkim);
  if (!account.empty()) given.with("account", account);
  const auto listed = all_listed(session, std::move(given), "keys");
  if (!listed) return std::nullopt;
  const auto slots = listed_slots(session, account);
  if (!slots) return std::nullopt;
  // A key signs for its domain and those below it; the nearest one with keys wins.
  for (std::string_view at = domain; !at.empty();) {
    std::vector<doctor::DomainKey> keys;
    for (const auto& key : *listed) {
      if (text_of(key, "domain") != at) continue;
      keys.push_back({.selector = text_of(key, "selector"),
                      .record = text_of(key, "dns_record"),
                      .domain = std::string(at)});
    }
    put_slot_keys(*slots, account, std::string(at), keys);
    if (!keys.empty()) return keys;
    const std::size_t dot = at.find('.');
    at = dot == std::string_view::npos ? std::string_view() : at.substr(dot + 1);
  }
  return std::vector<doctor::DomainKey>();
}

}  // namespace todoku::cli
