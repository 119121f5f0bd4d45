// SPDX-License-Identifier: Apache-2.0
// The DKIM keys of all accounts, opened: who signs for which From domain.
//
// A key signs for its domain and those below it; the nearest domain with keys wins. Of several keys
// of one domain and algorithm the newest signs, so that a new selector takes over as soon as it is
// there, while deliveries begun before go on with the one they were begun with.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret_box.h"
#include "delivery/key_ring.h"
#include "store/accounts.h"

namespace todoku::app {

class StoredKeyRing final : public delivery::KeyRing {
 public:
  explicit StoredKeyRing(const SecretBox& box) : box_(box) {}

  // Takes these keys, and only these, from now on. Errors: unauthorized, corrupt, invalid_input
  // (a key that cannot be opened or read); then nothing changes.
  [[nodiscard]] Result<void> load(const std::vector<store::DkimKey>& keys);

  [[nodiscard]] delivery::Signing current(store::AccountKey account,
                                          std::string_view from_domain) override;
  [[nodiscard]] Result<delivery::Signing> pinned(store::AccountKey account,
                                                 std::string_view pinned) override;
  [[nodiscard]] Task<Result<void>> look_again() override;
  // How that is done; before it is asked. Empty: not at all.
  void set_look(std::function<Task<Result<void>>()> look) { look_ = std::move(look); }

 private:
  struct Entry {
    std::string selector;
    Instant created;
    mailauth::dkim::SigningIdentity identity;
  };
  using Place = std::pair<store::AccountKey, std::string>;  // account and domain
  struct Keys {
    std::vector<Entry> all;     // newest first
    delivery::Signing current;  // what signs now
  };
  using Ring = std::map<Place, Keys>;

  [[nodiscard]] std::shared_ptr<const Ring> ring() const;

  const SecretBox& box_;
  std::function<Task<Result<void>>()> look_;
  mutable std::shared_mutex mutex_;
  std::shared_ptr<const Ring> ring_ = std::make_shared<const Ring>();
};

}  // namespace todoku::app
