// SPDX-License-Identifier: Apache-2.0
// Configurations of any text: they are read or refused with sentences, and what was read can be
// shown and read again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "config/config.h"
#include "config/site_rules.h"

namespace {

// The first line may name a variable and its value, as in TODOKU_API__LISTEN=x; the rest is TOML.
todoku::config::Environment environment_of(std::string_view& text) {
  todoku::config::Environment environment;
  if (!text.starts_with("TODOKU_")) return environment;
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  const std::size_t equals = line.find('=');
  if (equals != std::string_view::npos) {
    environment.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  text.remove_prefix(end);
  return environment;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku::config;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const Environment environment = environment_of(text);
  const ConfigResult first = read_config(text, "fuzz.toml", "/etc/todoku", environment);
  if (!first) {
    todoku::check(!first.error().problems.empty(), "a refusal has a reason");
    for (const ConfigProblem& problem : first.error().problems) {
      todoku::check(!problem.message.empty(), "a reason has words");
    }
    return 0;
  }
  const std::string shown = show_config(*first);
  const ConfigResult second = read_config(shown, "shown.toml", "/etc/todoku", {});
  todoku::check(second.has_value(), "what is shown can be read");
  if (first->config.secrets.master_key.empty()) {
    LoadedConfig same = *second;
    same.origins = first->origins;
    todoku::check(show_config(same) == shown, "what is shown is what was read");
  }
  (void)load_site_rules(
      {.config = {}, .file = "fuzz.toml", .text = std::string(text), .origins = {}});
  return 0;
}
