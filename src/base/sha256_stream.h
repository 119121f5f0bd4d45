// SPDX-License-Identifier: Apache-2.0
// SHA-256 of octets that come in pieces.
#pragma once

#include <memory>
#include <string_view>

#include "base/digest.h"

struct evp_md_ctx_st;

namespace todoku {

class Sha256Stream {
 public:
  Sha256Stream();
  void add(std::string_view octets);
  // Of all that was added. Once.
  [[nodiscard]] Sha256 finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace todoku
