// SPDX-License-Identifier: Apache-2.0
// The answers of the operations as JSON. Times are RFC 3339 in UTC.
#pragma once

#include <string>
#include <vector>

#include "app/admin.h"

namespace todoku::app {

[[nodiscard]] std::string accounts_json(const std::vector<AccountView>& accounts);
[[nodiscard]] std::string account_json(const AddedAccount& added);
[[nodiscard]] std::string keys_json(const std::vector<store::ApiKey>& keys);
[[nodiscard]] std::string issued_key_json(const IssuedKey& issued);
[[nodiscard]] std::string dkim_keys_json(const std::vector<DkimView>& keys);
[[nodiscard]] std::string dkim_key_json(const DkimView& key);
// Meanings and actions in `language`; the text is in it already.
[[nodiscard]] std::string explanation_json(const Explanation& explanation,
                                           explain::Language language);
[[nodiscard]] std::string status_json(const EngineStatus& status);

}  // namespace todoku::app
