// SPDX-License-Identifier: Apache-2.0
// Setting libunbound up.
#pragma once

#include <memory>

#include "base/result.h"
#include "dns/unbound_resolver.h"

// libunbound's own name.
struct ub_ctx;

namespace todoku::dns {

struct DeleteUnboundContext {
  void operator()(ub_ctx* context) const;  // ends its thread; open questions are forgotten
};
using UnboundContext = std::unique_ptr<ub_ctx, DeleteUnboundContext>;

// A context that is ready to be asked. Errors: as UnboundResolver::create.
[[nodiscard]] Result<UnboundContext> make_unbound_context(const UnboundResolver::Options& options);

}  // namespace todoku::dns
