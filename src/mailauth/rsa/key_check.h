// SPDX-License-Identifier: Apache-2.0
// Whether the numbers of an RSA private key belong together. OpenSSL does not ask: it takes a key
// in which, say, 1/q mod p is wrong, notices with each signature and computes it once more the long
// way. By eight such a signature would look like a fault of the processor.
#pragma once

#include <optional>
#include <string_view>

#include <openssl/types.h>

namespace todoku::mailauth::rsa {

struct KeyParts;  // bignum.h

// nullopt: they do (RFC 8017 section 3.2): p and q are two, odd, not shorter than a third of the
// modulus n, which is their product; d, dP and dQ undo the public exponent e, and qInv is 1/q
// modulo p. Otherwise what does not fit, as the end of a sentence: "p times q is not the modulus
// n". Whether p and q are prime is not tried: a signature that verifies says so.
[[nodiscard]] std::optional<std::string_view> wrong_part(const KeyParts& key);
[[nodiscard]] std::optional<std::string_view> wrong_part(const EVP_PKEY* key);

}  // namespace todoku::mailauth::rsa
