// SPDX-License-Identifier: Apache-2.0
#include "app/version.h"

namespace todoku::app {

std::string_view version() {
  return TODOKU_VERSION;
}

}  // namespace todoku::app
