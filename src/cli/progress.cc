// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/printable.h"
#include "cli/session.h"

namespace todoku::cli {
namespace {

std::int64_t share(const ProgressStep& step, std::int64_t of) {
  if (step.total <= 0) return 0;
  // As a floating number: totals times columns may not fit.
  const double part = static_cast<double>(std::clamp(step.done, std::int64_t{0}, step.total)) /
                      static_cast<double>(step.total);
  return static_cast<std::int64_t>(part * static_cast<double>(of));
}

}  // namespace

std::string progress_line(const ProgressStep& step, std::size_t columns) {
  const auto filled = static_cast<std::size_t>(share(step, step.bar_columns));
  std::string line =
      fmt::format("{}  [{}{}] {:>3}%  {}/{}", step.label, std::string(filled, '#'),
                  std::string(static_cast<std::size_t>(step.bar_columns) - filled, '.'),
                  share(step, 100), step.done, step.total);
  if (!step.rest.empty()) line += "  " + step.rest;
  line = printable(line);
  while (columns_of(line) > columns) {
    // A whole character of UTF-8.
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0U) == 0x80U) {
      line.pop_back();
    }
    if (!line.empty()) line.pop_back();
  }
  return line;
}

void Progress::show(const ProgressStep& step) {
  if (terminal_ != nullptr) {
    // ECMA-48: CR, then EL, which erases what the line before left.
    *terminal_ << '\r' << progress_line(step) << "\x1b[K" << std::flush;
    open_ = true;
    return;
  }
  std::string tenth = fmt::format("{} {}", step.label, share(step, 10));
  if (tenth == told_) return;
  told_ = std::move(tenth);
  lines_ << fmt::format("{}  {}%  {}/{}{}{}\n", step.label, share(step, 100), step.done, step.total,
                        step.rest.empty() ? "" : "  ", step.rest)
         << std::flush;
}

void Progress::end() {
  if (open_) *terminal_ << '\n' << std::flush;
  open_ = false;
}

}  // namespace todoku::cli
