// SPDX-License-Identifier: Apache-2.0
#include "access/passwords.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <sodium.h>

#include "access/common_passwords.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"

namespace todoku::access {
namespace {

constexpr std::size_t kDifferentOctetsMin = 4;
constexpr int kNiceness = 10;

bool is_common(std::string_view lower) {
  static_assert(std::ranges::is_sorted(kCommonPasswords));
  return std::ranges::binary_search(kCommonPasswords, lower);
}

std::size_t different_octets(std::string_view text) {
  std::array<bool, 256> seen{};
  for (const char octet : text) seen.at(static_cast<unsigned char>(octet)) = true;
  return static_cast<std::size_t>(std::ranges::count(seen, true));
}

std::string base64_without_padding(std::string_view octets) {
  std::string text = to_base64(octets);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

Error told(Error error) {
  if (error.kind == ErrorKind::unavailable) {
    error.detail = "too many sign in at this moment, or memory is short";
  }
  return error;
}

}  // namespace

// As crypto_pwhash_str() writes them, of random octets instead of a password's.
std::string hash_of_nobody(const Passwords::Options& options) {
  check(sodium_init() >= 0, "libsodium initialises");
  return fmt::format("$argon2id$v=19$m={},t={},p=1${}${}", options.memory_octets / 1024,
                     options.passes, base64_without_padding(random_octets(crypto_pwhash_SALTBYTES)),
                     base64_without_padding(random_octets(32)));
}

std::optional<BilingualText> password_fault(std::string_view password, std::string_view email) {
  if (password.size() < kPasswordOctetsMin) {
    return BilingualText{
        fmt::format("A password has {} octets or more.", kPasswordOctetsMin),
        fmt::format("パスワードは{}バイト以上にしてください。", kPasswordOctetsMin)};
  }
  if (password.size() > kPasswordOctetsMax) {
    return BilingualText{
        fmt::format("A password has {} octets or fewer.", kPasswordOctetsMax),
        fmt::format("パスワードは{}バイト以下にしてください。", kPasswordOctetsMax)};
  }
  if (!is_utf8(password)) {
    return BilingualText{"This password is not valid UTF-8.",
                         "パスワードが正しいUTF-8ではありません。"};
  }
  const std::string_view local = email.substr(0, email.rfind('@'));
  if (equals_ignoring_case(password, email) || equals_ignoring_case(password, local)) {
    return BilingualText{"Your address cannot be your password.",
                         "メールアドレスはパスワードにできません。"};
  }
  const SecretText lower(to_ascii_lower(password));
  if (is_common(lower.view()) || different_octets(password) < kDifferentOctetsMin) {
    return BilingualText{"This password is among the first that anybody tries. Choose another.",
                         "推測されやすいパスワードです。別のパスワードにしてください。"};
  }
  return std::nullopt;
}

Passwords::Passwords(Options options)
    : options_(options),
      nobodys_(hash_of_nobody(options)),
      pool_({.threads = options.threads,
             .threads_of_owner = 1,
             .waiting_max = options.waiting_max,
             .waiting_of_owner_max = options.waiting_of_owner_max,
             .name = "passwd",
             .niceness = kNiceness}) {}

Task<Result<Passwords::Verdict>> Passwords::check(Owner owner, std::string_view password,
                                                  std::string hash) {
  const bool is_somebodys = !hash.empty();
  if (!is_somebodys) hash = nobodys_;
  auto verdict =
      co_await pool_.run(owner, [this, password, &hash, is_somebodys]() -> Result<Verdict> {
        const bool is_right =
            crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
        wipe_stack();
        if (!is_right || !is_somebodys) return Verdict{};
        const int stale =
            crypto_pwhash_str_needs_rehash(hash.c_str(), options_.passes, options_.memory_octets);
        return Verdict{.is_right = true, .is_stale = stale != 0};
      });
  if (!verdict) co_return fail(told(std::move(verdict.error())));
  co_return *verdict;
}

Task<Result<std::string>> Passwords::make(Owner owner, std::string_view password) {
  auto made = co_await pool_.run(owner, [this, password]() -> Result<std::string> {
    std::array<char, crypto_pwhash_STRBYTES> hash{};
    const int failed = crypto_pwhash_str(hash.data(), password.data(), password.size(),
                                         options_.passes, options_.memory_octets);
    wipe_stack();
    if (failed != 0) return fail(ErrorKind::unavailable, "no memory for a password's hash");
    return std::string(hash.data());
  });
  if (!made) co_return fail(told(std::move(made.error())));
  co_return std::move(*made);
}

}  // namespace todoku::access
