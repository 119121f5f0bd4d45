// SPDX-License-Identifier: Apache-2.0
// The octets that a recipient was sent, or will be: composed and signed once more. Nothing in a
// message depends on when it is made (mime/message_template.h, mailauth/dkim/signer.h), so nothing
// has to be kept.
//
// It is another message where the installation itself has changed since: the domain of its
// Message-IDs, its secret, the offset of its Date.
#pragma once

#include <string>

#include "async/task.h"
#include "base/result.h"
#include "delivery/key_ring.h"
#include "delivery/options.h"
#include "store/store.h"

namespace todoku::delivery {

// Thread-safe. What is given outlives it.
class MessageCopies {
 public:
  MessageCopies(store::Store& store, KeyRing& keys, Options options)
      : store_(store), keys_(keys), options_(std::move(options)) {}

  // In memory as a whole. Errors, besides those of the store: not_found (no such recipient),
  // conflict (its delivery has not started), unsupported (a key that signed it is gone, or its
  // recipient, another of its header or its content was erased: store/personal_data.h),
  // limit_exceeded (its values make it larger than any mail may be), cancelled (none was made).
  [[nodiscard]] Task<Result<std::string>> copy(store::AccountKey account,
                                               store::PublicId email_id) const;

 private:
  store::Store& store_;
  KeyRing& keys_;
  const Options options_;
};

}  // namespace todoku::delivery
