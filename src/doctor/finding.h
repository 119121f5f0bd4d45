// SPDX-License-Identifier: Apache-2.0
// What a check found, in words for the one who can mend it: which rule was looked at, how it came
// out, who minds and why, what is there and what should be, and the line to paste.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"

namespace todoku::doctor {

// From good to bad, but for the last: a server that does not answer, or whose answer cannot be
// believed, proves nothing. Nothing is concluded from it, and nothing done.
enum class Outcome : std::uint8_t { pass, warning, fail, not_determined };
[[nodiscard]] std::string_view to_string(Outcome outcome);
[[nodiscard]] Sentence word_of(Outcome outcome);  // for people

enum class Receiver : std::uint8_t { gmail, yahoo, microsoft, docomo, au, softbank };
inline constexpr std::size_t kReceivers = 6;
[[nodiscard]] std::string_view to_string(Receiver receiver);  // "gmail"
[[nodiscard]] Sentence name_of(Receiver receiver);            // for people

// Those who mind. Empty: nobody in particular, it is good order.
class Receivers {
 public:
  constexpr Receivers() = default;
  constexpr Receivers(std::initializer_list<Receiver> receivers) {
    for (const Receiver each : receivers) bits_ |= bit(each);
  }
  [[nodiscard]] static constexpr Receivers all() {
    Receivers every;
    every.bits_ = (1U << kReceivers) - 1;
    return every;
  }
  [[nodiscard]] constexpr bool contains(Receiver receiver) const {
    return (bits_ & bit(receiver)) != 0;
  }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] std::vector<Receiver> list() const;
  friend constexpr bool operator==(Receivers, Receivers) = default;

 private:
  static constexpr unsigned bit(Receiver receiver) { return 1U << static_cast<unsigned>(receiver); }
  unsigned bits_ = 0;
};

struct Finding {
  std::string_view code;  // "dkim_key_missing": stable, one word for programs
  Outcome outcome = Outcome::pass;
  std::string subject;     // what was looked at: a domain name, the name of a source
  Receivers minded_by;     // who cares
  BilingualText sentence;  // what is so, with the facts
  Sentence why;            // what comes of it; empty with pass
  // Texts from outside are cut to kShownOctetsMax and printable. Empty: there is nothing to show.
  std::string found;
  std::string expected;
  std::string paste;  // lines to paste into the zone or to run; ends with a line break, or empty
  BilingualText advice{};  // what to do where no line helps; may be empty
};

inline constexpr std::size_t kShownOctetsMax = 300;
// Text from outside as it may stand in a finding.
[[nodiscard]] std::string shown(std::string_view text);

// The worst of them for the exit status of a command: fail before not_determined before warning
// before pass. pass where there are none.
[[nodiscard]] Outcome worst_of(const std::vector<Finding>& findings);

// 0: nothing fails. 1: something does. 2: nothing is known to fail, but something is not
// determined, for cron and CI.
[[nodiscard]] int exit_status(const std::vector<Finding>& findings);

}  // namespace todoku::doctor
