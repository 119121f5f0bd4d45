// SPDX-License-Identifier: Apache-2.0
// The calls about people who sign in at the console, as the routes make them.
#pragma once

#include "async/task.h"
#include "http/message.h"
#include "operate/calls/given.h"
#include "operate/operations.h"

namespace todoku::api::admin {

Task<http::Response> operator_link(operate::Operations& operations, operate::Given given);
Task<http::Response> list_people(operate::Operations& operations, operate::Given given);
Task<http::Response> invite_person(operate::Operations& operations, operate::Given given);
Task<http::Response> link_person(operate::Operations& operations, operate::Given given);
Task<http::Response> suspend_person(operate::Operations& operations, operate::Given given);
Task<http::Response> remove_person(operate::Operations& operations, operate::Given given);

}  // namespace todoku::api::admin
