// SPDX-License-Identifier: Apache-2.0
// A recipient's copy of a letter as a whole in memory: composed and signed as it is sent.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/result.h"
#include "delivery/letter.h"
#include "delivery/options.h"
#include "mail/content.h"
#include "store/keys.h"

namespace todoku::delivery {

struct CopyOf {
  store::RecipientKey key;
  std::string_view address;
  std::span<const InsertCode> insert_codes;
};

struct WholeCopy {
  std::string octets;
  bool charset_fell_back = false;  // in UTF-8, although its sender asked for another charset
};

// What a receiver with 8BITMIME gets, and most have it. Errors, besides those of the store:
// cancelled (it cannot be converted, so nobody gets it), limit_exceeded (its values make it larger
// than any mail may be). `options`, and what `copy` refers to, outlive the task.
[[nodiscard]] Task<Result<WholeCopy>> whole_copy(std::shared_ptr<const Letter> letter, CopyOf copy,
                                                 const Options& options);

// MAIL FROM of that copy; empty: the null path.
[[nodiscard]] std::string mail_from_of(const Letter& letter, const store::RecipientKey& key,
                                       const Options& options);

}  // namespace todoku::delivery
