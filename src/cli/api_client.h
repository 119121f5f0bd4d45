// SPDX-License-Identifier: Apache-2.0
// The REST API over HTTP: TLS is verified, redirects are not followed (the token would go along).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/api_port.h"

namespace todoku::cli {

// `given` as ApiAddress::url wants it: a path /api/v1 and slashes at its end are taken off. Errors:
// invalid_input (no http or https, user or password in it, a query).
[[nodiscard]] Result<std::string> api_url(std::string_view given);

// True if what is sent there stays on this machine or is encrypted.
[[nodiscard]] bool is_private_url(std::string_view url);

[[nodiscard]] std::unique_ptr<ApiPort> make_api_client(const ApiAddress& address);

}  // namespace todoku::cli
