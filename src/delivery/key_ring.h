// SPDX-License-Identifier: Apache-2.0
// Which DKIM keys sign for whom. Implemented where the master key is (app/).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/result.h"
#include "mailauth/dkim/signer.h"
#include "store/keys.h"

namespace todoku::delivery {

struct Signing {
  // Names the selectors, so that a retry after a key change signs with the same ones: stored with
  // the delivery when it starts. Empty: not signed.
  std::string pinned;
  std::shared_ptr<const mailauth::dkim::Signer> signer;  // null: not signed
};

// Thread-safe.
class KeyRing {
 public:
  virtual ~KeyRing() = default;
  // The keys that sign now for mail of `account` with this From domain.
  [[nodiscard]] virtual Signing current(store::AccountKey account,
                                        std::string_view from_domain) = 0;
  // The keys pinned earlier. Errors: not_found if one of them is gone.
  [[nodiscard]] virtual Result<Signing> pinned(store::AccountKey account,
                                               std::string_view pinned) = 0;
  // Hears of what others have just changed, for who misses a pinned key: another process may have
  // pinned one that was made a moment ago.
  [[nodiscard]] virtual Task<Result<void>> look_again() { co_return Result<void>{}; }
};

}  // namespace todoku::delivery
