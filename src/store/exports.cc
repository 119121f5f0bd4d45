// SPDX-License-Identifier: Apache-2.0
#include "store/exports.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace todoku::store {

//   71 delivered cancelled
std::string written(const RecipientExport& wanted) {
  std::string out = fmt::format("{}", wanted.delivery);
  for (const RecipientState state : wanted.states) out += fmt::format(" {}", to_string(state));
  return out;
}

Result<RecipientExport> read_recipient_export(std::string_view parameters) {
  RecipientExport wanted;
  const char* const end = parameters.data() + parameters.size();
  const auto [read, error] = std::from_chars(parameters.data(), end, wanted.delivery);
  std::string_view rest(read, static_cast<std::size_t>(end - read));
  while (error == std::errc() && rest.starts_with(' ')) {
    rest.remove_prefix(1);
    const std::string_view word = rest.substr(0, rest.find(' '));
    const auto state = recipient_state_of(word);
    if (!state) return fail(ErrorKind::corrupt, "the job does not say which states");
    wanted.states.push_back(*state);
    rest.remove_prefix(word.size());
  }
  if (error == std::errc() && rest.empty()) return wanted;
  return fail(ErrorKind::corrupt, "the job does not say of which delivery");
}

}  // namespace todoku::store
