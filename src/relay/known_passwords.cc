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

void KnownPasswords::remember(Mark mark, std::size_t which) {
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kPasswordsMax) known_.clear();
  known_[std::move(mark)] = {clock_.steady_now() + kRememberedFor, which};
}

std::optional<std::size_t> KnownPasswords::knows(const Mark& mark) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(mark);
  if (found == known_.end()) return std::nullopt;
  if (clock_.steady_now() < found->second.until) return found->second.which;
  known_.erase(found);
  return std::nullopt;
}

void KnownPasswords::forget() {
  const std::lock_guard lock(mutex_);
  known_.clear();
}

}  // namespace todoku::relay
