// SPDX-License-Identifier: Apache-2.0
#include "people/refusal.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace todoku::people {
namespace {

constexpr std::array kTold{
    texts::kWrong,          texts::kWrongCode,      texts::kWrongPassword,   texts::kSignedOut,
    texts::kElsewhere,      texts::kHalf,           texts::kNotHalf,         texts::kSetUp,
    texts::kMayNot,         texts::kMayNotGrant,    texts::kOwnRole,         texts::kNotThisRole,
    texts::kNobody,         texts::kNoAccount,      texts::kTaken,           texts::kTooMany,
    texts::kBadAddress,     texts::kBadName,        texts::kBadLanguage,     texts::kBadNetwork,
    texts::kShutOut,        texts::kLinkOver,       texts::kNoFactor,        texts::kHasFactor,
    texts::kNothingOffered, texts::kFactorRequired, texts::kHasPassword,     texts::kNoMail,
    texts::kTooOften,       texts::kLast,           texts::kRulesOfAccounts, texts::kMayNotGrantKey,
    texts::kTooManyKeys,    texts::kSuspended,      texts::kMailedTooOften,  texts::kNoSignIn};

bool asks_to_sign_in(std::string_view english) {
  return english == texts::kWrong.en || english == texts::kWrongCode.en ||
         english == texts::kSignedOut.en;
}

}  // namespace

std::unexpected<Refusal> refuse(ErrorKind kind, const Sentence& reason, Milliseconds wait) {
  return std::unexpected(
      Refusal{.kind = kind,
              .reason = {std::string(reason.en), std::string(reason.ja)},
              .wait = wait,
              .forbidden = kind == ErrorKind::unauthorized && !asks_to_sign_in(reason.en)});
}

std::unexpected<Refusal> refuse(Error error) {
  const auto told = std::ranges::find(kTold, error.detail, &Sentence::en);
  if (told != kTold.end()) return refuse(error.kind, *told);
  return refuse(error.kind, Sentence{error.detail, error.detail});
}

std::unexpected<Error> stop(ErrorKind kind, const Sentence& reason) {
  return fail(kind, std::string(reason.en));
}

}  // namespace todoku::people
