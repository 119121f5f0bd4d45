// SPDX-License-Identifier: Apache-2.0
// The pages of whoever follows the link of List-Unsubscribe, in Japanese and English. Pure text: no
// script, nothing that is fetched, no address in full (whoever the mail was passed on to sees it).
#pragma once

#include <string>
#include <string_view>

#include "base/bilingual.h"
#include "intake/opt_outs.h"

namespace todoku::api {

// "ta***@example.jp": of a local part its first two characters, of a short one its first.
[[nodiscard]] std::string masked_address(std::string_view address);

// What the page's own buttons send back.
struct UnsubscribeForms {
  std::string leave_list;  // empty: the mail belonged to no list
  std::string leave_all;
  std::string take_back;  // empty: there is nothing to take back
};

struct UnsubscribePage {
  enum class Says : std::uint8_t {
    asks,
    left,
    was_left,
    taken_back,
    taken_back_in_part,
    nothing_to_undo,
    too_often,
    no_link,
    stale_form,
    failed
  };
  Says says = Says::asks;
  std::string address;  // as the token has it; empty: not known
  std::string list_id;
  intake::OptOuts::Sender sender;
  UnsubscribeForms forms;
  intake::Leaves leaves = intake::Leaves::list;  // what was left or taken back
};

[[nodiscard]] std::string to_html(const UnsubscribePage& page, Language language);

}  // namespace todoku::api
