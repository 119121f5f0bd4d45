// SPDX-License-Identifier: Apache-2.0
// The operations that tell how mail fares: lanes, transport security, probes of mailboxes. Each
// answers its JSON.
#pragma once

#include <string>

#include "async/task.h"
#include "base/result.h"
#include "operate/calls/given.h"
#include "operate/operations.h"

namespace todoku::api::admin {

Task<Result<std::string>> list_sources(operate::Operations& operations, operate::Given given);
Task<Result<std::string>> list_lanes(operate::Operations& operations, operate::Given given);
Task<Result<std::string>> tls_report(operate::Operations& operations, operate::Given given);
Task<Result<std::string>> show_probe_plan(operate::Operations& operations, operate::Given given);
Task<Result<std::string>> ask_probes(operate::Operations& operations, operate::Given given);
Task<Result<std::string>> list_probes(operate::Operations& operations, operate::Given given);

}  // namespace todoku::api::admin
