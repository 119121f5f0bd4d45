// SPDX-License-Identifier: Apache-2.0
#include "explain/advice.h"

#include "explain/advice_book.h"

namespace todoku::explain {

const Advice& advice_for(const Outcome& outcome, bool is_signed, const Where& where) {
  return advice_in_force().find(outcome, is_signed, where);
}

}  // namespace todoku::explain
