// SPDX-License-Identifier: Apache-2.0
// Settings: small named values of the installation (instance secret, key check).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::store {

class SettingReads {
 public:
  virtual ~SettingReads() = default;
  [[nodiscard]] virtual Result<std::optional<std::string>> setting(std::string_view name) = 0;
};

class SettingWrites {
 public:
  virtual ~SettingWrites() = default;
  [[nodiscard]] virtual Result<void> put_setting(std::string_view name, std::string_view value) = 0;
  // Unless there is one: what it is from now on, the same for all who put it at the same moment.
  [[nodiscard]] virtual Result<std::string> put_setting_once(std::string_view name,
                                                             std::string_view value) = 0;
};

}  // namespace todoku::store
