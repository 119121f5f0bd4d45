// SPDX-License-Identifier: Apache-2.0
#include "app/key_ring.h"

#include <algorithm>
#include <mutex>
#include <tuple>

#include <fmt/format.h>

#include "operate/operations.h"

namespace todoku::app {
namespace {

using mailauth::dkim::KeyAlgorithm;
using mailauth::dkim::KeyName;
using mailauth::dkim::Signer;
using mailauth::dkim::SigningIdentity;
using mailauth::dkim::SigningKey;

// "example.jp:s1,s2": what is stored with a delivery. Neither mark can be part of a name.
constexpr char kAfterDomain = ':';
constexpr char kBetweenSelectors = ',';

Result<delivery::Signing> make_signing(const std::string& domain,
                                       std::vector<SigningIdentity> identities) {
  delivery::Signing signing{.pinned = domain + kAfterDomain, .signer = nullptr};
  for (const SigningIdentity& identity : identities) {
    if (!signing.pinned.ends_with(kAfterDomain)) signing.pinned += kBetweenSelectors;
    signing.pinned += identity.name.selector;
  }
  auto signer = Signer::create(std::move(identities));
  if (!signer) return fail(std::move(signer.error()));
  signing.signer = std::make_shared<const Signer>(std::move(*signer));
  return signing;
}

}  // namespace

Result<void> StoredKeyRing::load(const std::vector<store::DkimKey>& keys) {
  auto ring = std::make_shared<Ring>();
  for (const store::DkimKey& stored : keys) {
    const std::string what = fmt::format("the DKIM key {} of {}", stored.selector, stored.domain);
    const auto pem = box_.open(stored.sealed_private_key, operate::dkim_seal_context(stored));
    if (!pem) return fail(what, pem.error());
    auto key = SigningKey::from_pem(*pem);
    if (!key) return fail(what, std::move(key.error()));
    auto name = KeyName::parse(stored.domain, stored.selector);
    if (!name) return fail(what, std::move(name.error()));
    (*ring)[{stored.account, stored.domain}].all.push_back(
        {stored.selector, stored.created, {std::move(*name), std::move(*key)}});
  }
  for (auto& [place, entries] : *ring) {
    std::ranges::sort(entries.all, [](const Entry& a, const Entry& b) {
      return std::tie(b.created, a.selector) < std::tie(a.created, b.selector);
    });
    std::vector<SigningIdentity> signing;
    // RSA first, for receivers that look at one signature only.
    for (const KeyAlgorithm algorithm : {KeyAlgorithm::rsa, KeyAlgorithm::ed25519}) {
      const auto newest = std::ranges::find_if(entries.all, [&](const Entry& entry) {
        return entry.identity.key.algorithm() == algorithm;
      });
      if (newest != entries.all.end()) signing.push_back(newest->identity);
    }
    auto made = make_signing(place.second, std::move(signing));
    if (!made) return fail("the DKIM keys of " + place.second, std::move(made.error()));
    entries.current = std::move(*made);
  }
  const std::unique_lock lock(mutex_);
  ring_ = std::move(ring);
  return {};
}

std::shared_ptr<const StoredKeyRing::Ring> StoredKeyRing::ring() const {
  const std::shared_lock lock(mutex_);
  return ring_;
}

delivery::Signing StoredKeyRing::current(store::AccountKey account, std::string_view from_domain) {
  const auto ring = this->ring();
  if (ring->empty()) return {};
  for (std::string_view domain = from_domain; !domain.empty();) {
    const auto found = ring->find({account, std::string(domain)});
    if (found != ring->end()) return found->second.current;
    const std::size_t dot = domain.find('.');
    domain = dot == std::string_view::npos ? std::string_view() : domain.substr(dot + 1);
  }
  return {};
}

Task<Result<void>> StoredKeyRing::look_again() {
  if (!look_) co_return Result<void>{};
  co_return co_await look_();
}

Result<delivery::Signing> StoredKeyRing::pinned(store::AccountKey account,
                                                std::string_view pinned) {
  if (pinned.empty()) return delivery::Signing{};
  const auto ring = this->ring();
  const std::size_t colon = std::min(pinned.find(kAfterDomain), pinned.size());
  const std::string domain(pinned.substr(0, colon));
  const auto found = ring->find({account, domain});
  if (found == ring->end()) {
    return fail(ErrorKind::not_found, fmt::format("there is no DKIM key of {} any more", domain));
  }
  if (found->second.current.pinned == pinned) return found->second.current;
  std::vector<SigningIdentity> identities;
  for (std::size_t begin = colon + 1; begin < pinned.size();) {
    const std::size_t end = std::min(pinned.find(kBetweenSelectors, begin), pinned.size());
    const std::string_view selector = pinned.substr(begin, end - begin);
    const auto entry = std::ranges::find(found->second.all, selector, &Entry::selector);
    if (entry == found->second.all.end()) {
      return fail(ErrorKind::not_found,
                  fmt::format("the DKIM key {} of {} is gone", selector, domain));
    }
    identities.push_back(entry->identity);
    begin = end + 1;
  }
  return make_signing(domain, std::move(identities));
}

}  // namespace todoku::app
