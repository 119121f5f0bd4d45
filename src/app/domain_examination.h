// SPDX-License-Identifier: Apache-2.0
// Examines one domain as `todoku domain check` does, by the resolver of an engine.
#pragma once

#include "app/domain_doctor.h"
#include "app/proof_names.h"
#include "base/clock.h"
#include "config/config.h"

namespace todoku::app {

// All that it is given must outlive it; it is called on the executor of `names`. Errors:
// unavailable (the resolver does not answer, or lies).
[[nodiscard]] DomainDoctor::Examine domain_examiner(const config::Config& config, ProofNames& names,
                                                    const Clock& clock);

}  // namespace todoku::app
