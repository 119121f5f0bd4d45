// SPDX-License-Identifier: Apache-2.0
// Passwords of people: what one must be, and hashing them.
//
// Argon2id (RFC 9106) by libsodium takes a tenth of a second and 64 MB on purpose, so it has
// threads of its own, few and patient: whoever tries a thousand passwords waits for them, and mail
// does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "async/file_pool.h"
#include "async/task.h"
#include "base/bilingual.h"
#include "base/result.h"
#include "base/wipe.h"

namespace todoku::access {

inline constexpr std::size_t kPasswordOctetsMin = 12;
inline constexpr std::size_t kPasswordOctetsMax = 1'024;

// Why nobody may have this password; nullopt: it can be had. `email`: whose it is to be. Pure.
[[nodiscard]] std::optional<BilingualText> password_fault(std::string_view password,
                                                          std::string_view email);

// All members are thread-safe.
class Passwords {
 public:
  using Owner = async::FilePool::Owner;
  struct Options {
    std::uint64_t passes = 3;
    std::size_t memory_octets = std::size_t{64} << 20U;  // of each thread at work
    std::size_t threads = 2;
    std::size_t waiting_max = 64;
    std::size_t waiting_of_owner_max = 8;
  };

  explicit Passwords(Options options);

  struct Verdict {
    bool is_right = false;
    bool is_stale = false;  // the hash was made with other limits: make another one
  };
  // `hash`: of make(); empty: there is nobody, and it takes as long to say so. `owner`: whose turn
  // it is, a network as a number, of which one thread works for each. Errors: unavailable (too many
  // wait), cancelled.
  [[nodiscard]] Task<Result<Verdict>> check(Owner owner, std::string_view password,
                                            std::string hash);
  // With a salt of its own. Errors as above.
  [[nodiscard]] Task<Result<std::string>> make(Owner owner, std::string_view password);

 private:
  const Options options_;
  const std::string nobodys_;  // a hash that no password has
  async::FilePool pool_;
};

// One that no password has, and that takes as long to compare with.
[[nodiscard]] std::string hash_of_nobody(const Passwords::Options& options);

}  // namespace todoku::access
