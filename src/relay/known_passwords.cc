// SPDX-License-Identifier: Apache-2.0
#include "relay/known_passwords.h"

#include <utility>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/wipe.h"

namespace todoku::relay {
namespace {

constexpr std::size_t kKeyOctets = 32;

}  // namespace

KnownPasswords::KnownPasswords(const Clock& clock)
    : clock_(clock), key_(random_octets(kKeyOctets)) {}

KnownPasswords::Mark KnownPasswords::mark_of(std::span<const ScramSecrets> secrets,
                                             std::string_view password) const {
  std::string all;
  for (const ScramSecrets& each : secrets) all += each.to_string() + '\n';
  // Reserved, so that no copy of it is left behind where the text grows.
  std::string text;
  text.reserve(all.size() + 1 + password.size());
  text.append(all).append(1, '\0').append(password);
  const SecretText whole(std::move(text));
  return Mark(as_text(hmac_sha256(key_, whole)));
}

void KnownPasswords::remember(Mark mark) {
  const std::lock_guard lock(mutex_);
  if (until_.size() >= kPasswordsMax) until_.clear();
  until_[std::move(mark)] = clock_.steady_now() + kRememberedFor;
}

bool KnownPasswords::knows(const Mark& mark) {
  const std::lock_guard lock(mutex_);
  const auto found = until_.find(mark);
  if (found == until_.end()) return false;
  if (clock_.steady_now() < found->second) return true;
  until_.erase(found);
  return false;
}

void KnownPasswords::forget() {
  const std::lock_guard lock(mutex_);
  until_.clear();
}

}  // namespace todoku::relay
