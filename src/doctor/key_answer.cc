// SPDX-License-Identifier: Apache-2.0
#include "doctor/key_answer.h"

namespace todoku::doctor {

using mailauth::DnsFact;
using mailauth::dkim::KeyAnswer;

KeyAnswer key_answer_of(const DnsFact& fact) {
  switch (fact.status) {
    case DnsFact::Status::found:
      return KeyAnswer::from_texts(fact.values);
    case DnsFact::Status::empty:
    case DnsFact::Status::absent:
      return KeyAnswer::absent();
    case DnsFact::Status::unknown:
    case DnsFact::Status::failed:
      break;
  }
  return KeyAnswer::unavailable(fact.reason);
}

}  // namespace todoku::doctor
