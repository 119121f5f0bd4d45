// SPDX-License-Identifier: Apache-2.0
// `todoku serve --dev`: an installation to try in, whole in one folder that this made, from which
// nothing leaves (docs/sandbox.md).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/admin_port.h"
#include "config/config.h"

namespace todoku::app {

struct DevFolder {
  std::string path;  // absolute

  [[nodiscard]] std::string config_file() const { return path + "/todoku.toml"; }
  // What a shell reads: where everything is, and by which keys it is opened.
  [[nodiscard]] std::string env_file() const { return path + "/env"; }
};

// Makes the folder with its configuration, or takes one that was made so. Errors: conflict (there
// is another folder or file), io.
[[nodiscard]] Result<DevFolder> open_dev_folder(const std::string& path);

// What in a configuration would let something leave, or others in, or has to do with another
// installation; nothing if it is as it was made, or has changed in other things.
[[nodiscard]] std::vector<std::string> dev_faults(const config::Config& config,
                                                  const DevFolder& folder);

// The account and its keys, where the folder has no env_file() yet, and that file. Through the
// operations of an engine that is stopped.
[[nodiscard]] Result<void> make_dev_account(cli::AdminPort& port, const config::Config& config,
                                            const DevFolder& folder);

// What is said at the start. Errors: io.
[[nodiscard]] Result<std::string> dev_greeting(const DevFolder& folder);

}  // namespace todoku::app
