// SPDX-License-Identifier: Apache-2.0
#include "app/key_zone_writer.h"

#include "app/child_process.h"
#include "config/files.h"

namespace todoku::app {
namespace {

// Of what a hook prints so much is told.
constexpr std::size_t kHookOutputMax = 400;

}  // namespace

Result<void> KeyZoneWriter::write(std::string_view text) const {
  if (file.empty()) return {};
  const auto there = config::read_file(file);
  if (there && *there == text) return {};
  return config::replace_public_file(file, text);
}

Result<void> KeyZoneWriter::run(std::string_view update) const {
  if (hook.empty()) return {};
  const auto ran = run_child({.words = hook,
                              .input = update,
                              .most = hook_most,
                              .output_max = kHookOutputMax,
                              .takes_errors = true,
                              .has_environment = false});
  return ran ? Result<void>() : fail("dkim.hook", ran.error());
}

}  // namespace todoku::app
