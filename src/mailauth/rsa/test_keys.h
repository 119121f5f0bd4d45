// SPDX-License-Identifier: Apache-2.0
// RSA keys for tests: published ones, and such as no honest program makes.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/check.h"
#include "mailauth/rsa/bignum.h"

namespace todoku::mailauth::rsa {

struct TestDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using TestKey = std::unique_ptr<EVP_PKEY, TestDeleter>;

// The numbers of a private key by OpenSSL's names of them.
using KeyNumbers = std::map<std::string, Bignum, std::less<>>;

inline KeyNumbers numbers_of(const EVP_PKEY* key) {
  KeyNumbers numbers;
  for (const char* name :
       {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
        OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1}) {
    numbers[name] = part(key, name);
  }
  return numbers;
}

inline Bignum from_hex_digits(std::string_view digits) {
  BIGNUM* number = nullptr;
  check(BN_hex2bn(&number, std::string(digits).c_str()) > 0, "hexadecimal digits");
  return Bignum(number);
}

// Whether they belong together is not asked. Null numbers are left out.
inline TestKey key_of(const KeyNumbers& numbers) {
  const std::unique_ptr<OSSL_PARAM_BLD, TestDeleter> builder(OSSL_PARAM_BLD_new());
  for (const auto& [name, number] : numbers) {
    if (number) check(OSSL_PARAM_BLD_push_BN(builder.get(), name.c_str(), number.get()) == 1, name);
  }
  const std::unique_ptr<OSSL_PARAM, TestDeleter> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const std::unique_ptr<EVP_PKEY_CTX, TestDeleter> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  check(EVP_PKEY_fromdata_init(context.get()) == 1 &&
            EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, parameters.get()) == 1,
        "a key is made of numbers");
  return TestKey(made);
}

// The key of two primes and e = 65537, all other numbers as they should be.
inline KeyNumbers numbers_from_primes(Bignum p, Bignum q) {
  const std::unique_ptr<BN_CTX, BignumDeleter> context(BN_CTX_new());
  const auto make = [] { return Bignum(BN_new()); };
  KeyNumbers numbers;
  Bignum e = make();
  Bignum n = make();
  BN_set_word(e.get(), 65'537);
  BN_mul(n.get(), p.get(), q.get(), context.get());
  const Bignum p_less(BN_dup(p.get()));
  const Bignum q_less(BN_dup(q.get()));
  BN_sub_word(p_less.get(), 1);
  BN_sub_word(q_less.get(), 1);
  const Bignum phi = make();
  BN_mul(phi.get(), p_less.get(), q_less.get(), context.get());
  Bignum d(BN_mod_inverse(nullptr, e.get(), phi.get(), context.get()));
  Bignum p_exponent = make();
  Bignum q_exponent = make();
  BN_nnmod(p_exponent.get(), d.get(), p_less.get(), context.get());
  BN_nnmod(q_exponent.get(), d.get(), q_less.get(), context.get());
  numbers[OSSL_PKEY_PARAM_RSA_COEFFICIENT1] =
      Bignum(BN_mod_inverse(nullptr, q.get(), p.get(), context.get()));
  numbers[OSSL_PKEY_PARAM_RSA_N] = std::move(n);
  numbers[OSSL_PKEY_PARAM_RSA_E] = std::move(e);
  numbers[OSSL_PKEY_PARAM_RSA_D] = std::move(d);
  numbers[OSSL_PKEY_PARAM_RSA_EXPONENT1] = std::move(p_exponent);
  numbers[OSSL_PKEY_PARAM_RSA_EXPONENT2] = std::move(q_exponent);
  numbers[OSSL_PKEY_PARAM_RSA_FACTOR1] = std::move(p);
  numbers[OSSL_PKEY_PARAM_RSA_FACTOR2] = std::move(q);
  return numbers;
}

// The RSA key of RFC 7515 appendix A.2.1, which everybody knows.
inline constexpr std::string_view kPublishedPem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXO\n"
    "jS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL\n"
    "aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn\n"
    "juygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5\n"
    "ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkf\n"
    "toaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHg\n"
    "VFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyW\n"
    "PEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe46sui395IW/G\n"
    "O+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj\n"
    "kn439X0M/V51gfpRLI9JYanrC4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6\n"
    "XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneufuBiB\n"
    "4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0K\n"
    "pLttoLhyt3SmqdEf/kgHePDdtzEafpAu+cS191R2JiuoF2yzWXnwFDcqGigp5BNr\n"
    "0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqE\n"
    "lMGAg+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6\n"
    "kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAP\n"
    "rq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNw\n"
    "kgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp\n"
    "5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgwo59dkpN75gJLVds2\n"
    "9+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/\n"
    "evpitUf+4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcG\n"
    "yoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+CCoRjaZj\n"
    "OYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2\n"
    "tOgrjbcrfvtQJipd+DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3\n"
    "ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56\n"
    "03k2+ZQwVK0JKSHuLFkuQ3U=\n"
    "-----END PRIVATE KEY-----\n";

inline std::string pem_of(EVP_PKEY* key) {
  const std::unique_ptr<BIO, TestDeleter> bio(BIO_new(BIO_s_mem()));
  check(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "a key can be written");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace todoku::mailauth::rsa
