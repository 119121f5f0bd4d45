// SPDX-License-Identifier: Apache-2.0
// What the givers of credentials answer, and where they may be asked. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/aws_signature.h"

namespace todoku::queue::sqs {

using Credentials = http::AwsCredentials;

// The answer of a container's or an instance's giver: {AccessKeyId, SecretAccessKey, Token,
// Expiration}. Errors: corrupt; the detail never has a part of a secret.
[[nodiscard]] Result<Credentials> read_credentials(std::string_view answer);

// Whether a container's giver may be asked at this URL: secrets are given to whoever stands there,
// so it is https, or this machine, or one of the two addresses that AWS names.
[[nodiscard]] bool may_ask(std::string_view url);

// The name of a role as the metadata gives it, fit for a URL; empty if it is none.
[[nodiscard]] std::string_view read_role(std::string_view answer);

}  // namespace todoku::queue::sqs
