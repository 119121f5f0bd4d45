// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/sandbox_ends.h"

#include "delivery/unmade.h"

namespace todoku::delivery::courier {

SandboxEnds sandbox_ends(const BatchInFlight& batch, const std::optional<Outcome>& refusal,
                         std::uint64_t octets_max) {
  SandboxEnds ends;
  OutgoingMessage scratch;
  for (std::uint32_t i = 0; i < batch.in_turn().size(); ++i) {
    const store::LeasedRecipient& recipient = batch.recipient(i);
    auto unmade =
        refusal ? refusal
                : size_refusal(batch.letter().message, recipient.insert_codes, octets_max, scratch);
    policy::SandboxEnd end;
    if (unmade) {
      end.outcome = std::move(*unmade);
    } else {
      end = policy::sandbox_end(recipient.address, recipient.attempts);
    }
    ends[end.takes].emplace_back(i, std::move(end));
  }
  return ends;
}

}  // namespace todoku::delivery::courier
