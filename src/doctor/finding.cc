// SPDX-License-Identifier: Apache-2.0
#include "doctor/finding.h"

#include "base/printable.h"

namespace todoku::doctor {
namespace {

int badness(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass:
      return 0;
    case Outcome::warning:
      return 1;
    case Outcome::not_determined:
      return 2;
    case Outcome::fail:
      return 3;
  }
  return 0;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass:
      return "pass";
    case Outcome::warning:
      return "warning";
    case Outcome::fail:
      return "fail";
    case Outcome::not_determined:
      return "not_determined";
  }
  return "";
}

Sentence word_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass:
      return {"pass", "合格"};
    case Outcome::warning:
      return {"warning", "注意"};
    case Outcome::fail:
      return {"FAIL", "不合格"};
    case Outcome::not_determined:
      return {"not determined", "判定不能"};
  }
  return {};
}

std::string_view to_string(Receiver receiver) {
  switch (receiver) {
    case Receiver::gmail:
      return "gmail";
    case Receiver::yahoo:
      return "yahoo";
    case Receiver::microsoft:
      return "microsoft";
    case Receiver::docomo:
      return "docomo";
    case Receiver::au:
      return "au";
    case Receiver::softbank:
      return "softbank";
  }
  return "";
}

Sentence name_of(Receiver receiver) {
  switch (receiver) {
    case Receiver::gmail:
      return {"Gmail", "Gmail"};
    case Receiver::yahoo:
      return {"Yahoo", "Yahoo"};
    case Receiver::microsoft:
      return {"Microsoft", "Microsoft"};
    case Receiver::docomo:
      return {"docomo", "ドコモ"};
    case Receiver::au:
      return {"au", "au"};
    case Receiver::softbank:
      return {"SoftBank", "ソフトバンク"};
  }
  return {};
}

std::vector<Receiver> Receivers::list() const {
  std::vector<Receiver> found;
  for (std::size_t i = 0; i < kReceivers; ++i) {
    const auto receiver = static_cast<Receiver>(i);
    if (contains(receiver)) found.push_back(receiver);
  }
  return found;
}

std::string shown(std::string_view text) {
  return text.size() <= kShownOctetsMax ? printable(text)
                                        : printable(text.substr(0, kShownOctetsMax)) + "...";
}

Outcome worst_of(const std::vector<Finding>& findings) {
  Outcome worst = Outcome::pass;
  for (const Finding& finding : findings) {
    if (badness(finding.outcome) > badness(worst)) worst = finding.outcome;
  }
  return worst;
}

int exit_status(const std::vector<Finding>& findings) {
  switch (worst_of(findings)) {
    case Outcome::pass:
    case Outcome::warning:
      return 0;
    case Outcome::fail:
      return 1;
    case Outcome::not_determined:
      return 2;
  }
  return 0;
}

}  // namespace todoku::doctor
