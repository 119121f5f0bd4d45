// SPDX-License-Identifier: Apache-2.0
// How fast mail goes to receivers, and why: as the couriers of all processes last noted it.
#include "base/bytes.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

// Couriers note every ten seconds what has changed of their lanes, and all of them twice in a
// minute (delivery/pace_memory.cc); clocks of several nodes differ a little.
constexpr auto kStillTrue = std::chrono::seconds(60);

}  // namespace

Task<Result<std::vector<store::LanePace>>> Operations::lanes(LanesRequest request) {
  store::LanePaceQuestion question{
      .source = std::nullopt, .site = std::nullopt, .limit = request.limit};
  if (!request.source.empty()) question.source = request.source;
  if (!request.site.empty()) question.site = to_ascii_lower(request.site);
  if (!request.all) question.noted_since = clock_.now() - kStillTrue;
  co_return co_await store_.read(
      [question](store::ReadTransaction& reader) { return reader.lane_paces(question); });
}

}  // namespace todoku::operate
