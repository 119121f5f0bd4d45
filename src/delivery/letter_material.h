// SPDX-License-Identifier: Apache-2.0
// What a letter is made of, as the store has it: for who sends it, and for who shows it again.
#pragma once

#include <cstdint>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "delivery/key_ring.h"
#include "delivery/letter.h"
#include "delivery/options.h"
#include "store/store.h"

namespace todoku::delivery {

struct LetterMaterial {
  store::Delivery delivery;
  LetterContent content;  // the data of attachments only if it may stay in memory
  std::string account;
  LetterTerms terms;
};

[[nodiscard]] Result<LetterMaterial> read_material(store::ReadTransaction& transaction,
                                                   store::DeliveryKey key, const Options& options);

// Whoever accepted the mail may know a key that was not heard of here yet. One that is gone is
// make_letter()'s to tell.
[[nodiscard]] Task<Result<void>> find_keys(KeyRing& keys, const store::Delivery& delivery);

}  // namespace todoku::delivery
