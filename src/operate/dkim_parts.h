// SPDX-License-Identifier: Apache-2.0
// What adding a DKIM key and rotating one have in common. Within operate/.
#pragma once

#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/key.h"
#include "operate/operations.h"
#include "store/store.h"

namespace todoku::operate {

// The key in `pem`, or a new one. Errors: invalid_input, unsupported, unavailable.
Task<Result<mailauth::dkim::SigningKey>> dkim_key_for(SecretText pem, std::string algorithm);

// "r20260105" or "e20260105": says what it is and when it was made, which is what one wants to know
// of an old selector.
[[nodiscard]] std::string dkim_selector(mailauth::dkim::KeyAlgorithm algorithm, Instant now);

// Those that sign or have signed.
[[nodiscard]] Result<std::vector<store::DkimKey>> keys_of_domain(
    store::ReadTransaction& transaction, store::AccountKey account, const std::string& domain);

// A key of a domain's own records that is over: another signs, and of what the account began before
// nothing is under way. The last mail that it signed has gone out.
struct DkimKeyOver {
  std::string selector;
  Instant since{};  // when the other began
};
// Those that were not noted yet.
[[nodiscard]] Result<std::vector<DkimKeyOver>> dkim_keys_over(store::ReadTransaction& transaction,
                                                              store::AccountKey account,
                                                              const std::string& domain,
                                                              Instant now);
// From `now` on kDkimOverlap is counted.
[[nodiscard]] Result<void> note_dkim_keys_over(store::WriteTransaction& transaction,
                                               store::AccountKey account, const std::string& domain,
                                               const std::vector<DkimKeyOver>& over, Instant now);

[[nodiscard]] DkimView dkim_view(std::string account, store::DkimKey key);

// The setting that is there for each name that ever was that of a key. The TXT record of a key that
// was removed may still be published, or in caches: where it is, mail signed by another one under
// the same name fails.
[[nodiscard]] std::string dkim_used_setting(const mailauth::dkim::KeyName& name);

[[nodiscard]] Result<void> put_dkim(store::WriteTransaction& transaction,
                                    const store::DkimKey& key);
[[nodiscard]] Result<void> remove_dkim(store::WriteTransaction& transaction,
                                       const store::DkimKey& key);

}  // namespace todoku::operate
