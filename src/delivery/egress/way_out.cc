// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/way_out.h"

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "delivery/policy/verdict.h"

namespace todoku::delivery::egress {
namespace {

std::string told_with(const Outcome& outcome, std::string_view doubt) {
  const bool went_again = outcome.stage >= Stage::data;
  return went_again ? fmt::format("(sent twice in this attempt: {}; it may arrive twice)", doubt)
                    : fmt::format("(sent before in this attempt: {}; it may have arrived)", doubt);
}

}  // namespace

// A doubt is forgotten after it was told: whatever is thrown before, the mail comes back with it.
void WayOut::settle(const Mail& mail, Outcome outcome, Path path, Milliseconds duration) const {
  if (auto doubt = mail.batch->doubt_of(mail.index)) {
    if (!outcome.reply.text.empty()) outcome.reply.text += ' ';
    outcome.reply.text += told_with(outcome, doubt->words);
    // Where it may be now, unless another host was asked since.
    if (path.mx_host.empty()) path = std::move(doubt->path);
  }
  path.egress_source = source_;
  sink_.settled(mail, site_, std::move(outcome), std::move(path), duration);
  mail.batch->forget_doubt(mail.index);
}

void WayOut::park(const Mail& mail, SteadyInstant until) const {
  auto doubt = mail.batch->doubt_of(mail.index);
  if (!doubt) return sink_.parked(mail, until);
  doubt->path.egress_source = source_;
  sink_.settled(
      mail, site_,
      policy::outcome_of(
          {.cause = Cause::in_doubt, .stage = Stage::data, .words = std::move(doubt->words)}),
      std::move(doubt->path), Milliseconds(0));
  mail.batch->forget_doubt(mail.index);
}

Task<void> WayOut::stay(Mail mail) const {
  if (mail.batch->is_marked(mail.index)) co_await sink_.take_back(mail);
  if (mail.batch->leased().suspect) co_await sink_.let_suspect_wait(mail);
}

}  // namespace todoku::delivery::egress
