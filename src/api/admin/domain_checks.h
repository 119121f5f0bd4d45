// SPDX-License-Identifier: Apache-2.0
// The calls about what a domain says in the DNS, as the routes make them.
#pragma once

#include "async/task.h"
#include "http/message.h"
#include "operate/calls/given.h"
#include "operate/operations.h"

namespace todoku::api::admin {

// What checks on the schedule found.
Task<http::Response> domain_history(operate::Operations& operations, operate::Given given);
// What has to be published, and what of it is.
Task<http::Response> domain_records(operate::Operations& operations, operate::Given given);
Task<http::Response> make_domain_keys(operate::Operations& operations, operate::Given given);

}  // namespace todoku::api::admin
