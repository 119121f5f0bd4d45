// SPDX-License-Identifier: Apache-2.0
// What is said where it is not known whether a request was done.
#pragma once

#include <string_view>

#include "base/bilingual.h"
#include "base/result.h"

namespace todoku::cli {

inline constexpr Sentence kDoubt{
    "It is not known whether that was done: look before you do it again.",
    "処理されたかどうかは不明です。再度実行する前に確認してください。"};

// Whether it could have been done all the same, where http::Client has this error instead of an
// answer: with the others nobody was reached to whom it was said.
[[nodiscard]] constexpr bool may_be_done(ErrorKind kind) {
  return kind == ErrorKind::timeout || kind == ErrorKind::closed || kind == ErrorKind::io ||
         kind == ErrorKind::corrupt || kind == ErrorKind::limit_exceeded;
}

// RFC 9110 section 9.2.1.
[[nodiscard]] constexpr bool changes_nothing(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

}  // namespace todoku::cli
