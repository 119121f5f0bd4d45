// SPDX-License-Identifier: Apache-2.0
// toml++ for text that others write. Its parser states assumptions about its input
// (TOML_ASSERT_ASSUME) that malformed keys break: an abort in debug builds, undefined behaviour in
// release ones, although an error for the same case stands right behind. Here they are switched
// off, so that the error is what remains. Include this instead of toml++/toml.h, everywhere.
#pragma once

#include <toml++/impl/preprocessor.h>

#undef TOML_ASSERT
#undef TOML_ASSERT_ASSUME
#undef TOML_ASSUME
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_ASSERT_ASSUME(expression) static_assert(true)
#define TOML_ASSUME(expression) static_assert(true)

#include <toml++/toml.h>
