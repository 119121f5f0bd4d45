// SPDX-License-Identifier: Apache-2.0
#include "people/signed_in.h"

#include <fmt/format.h>

namespace todoku::people {

std::string actor_of(const store::Person& person) {
  return fmt::format("person {} ({})", static_cast<std::int64_t>(person.key), person.email);
}

}  // namespace todoku::people
