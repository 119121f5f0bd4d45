// SPDX-License-Identifier: Apache-2.0
#include "mailauth/suffixes/public_suffix.h"

#include <memory>

#include <libpsl.h>

namespace todoku::mailauth {
namespace {

const psl_ctx_t* public_suffixes() {
  struct Free {
    void operator()(psl_ctx_t* list) const {
      if (list != psl_builtin()) psl_free(list);
    }
  };
  static const std::unique_ptr<psl_ctx_t, Free> list(psl_latest(nullptr));
  return list.get();
}

}  // namespace

bool is_public_suffix(std::string_view domain) {
  if (!domain.contains('.')) return true;
  const psl_ctx_t* list = public_suffixes();
  return list != nullptr && psl_is_public_suffix(list, std::string(domain).c_str()) != 0;
}

std::string registered_domain(std::string_view domain) {
  const std::string name(domain);
  const psl_ctx_t* list = public_suffixes();
  const char* registered = list == nullptr ? nullptr : psl_registrable_domain(list, name.c_str());
  return registered == nullptr ? name : registered;
}

}  // namespace todoku::mailauth
