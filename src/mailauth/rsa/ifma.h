// SPDX-License-Identifier: Apache-2.0
// The arithmetic with the processor's own instructions (AVX-512 IFMA). Internal to mailauth/rsa.
#pragma once

#include "mailauth/rsa/lanes.h"

namespace todoku::mailauth::rsa {

// Arithmetic::compute() of arithmetic.h. Only where the processor can: private_key.h says. Leaves
// nothing in the vector registers.
void compute_with_ifma(EightOperations& work);

}  // namespace todoku::mailauth::rsa
