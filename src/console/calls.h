// SPDX-License-Identifier: Apache-2.0
// What the routes of the console's own take, declared once: path, members, their kinds. What a call
// does not declare is refused, and nothing of a wrong kind becomes a default
// (operate/calls/given.h). A verb stands only for where arguments are; the method is the route's.
#pragma once

#include <array>
#include <cstddef>

#include "operate/calls/call.h"
#include "operate/calls/calls.h"
#include "store/people.h"

namespace todoku::console::calls {

using operate::Argument;
using operate::Call;
using operate::Verb;

namespace arguments {
using enum Argument::Kind;

inline constexpr Argument kId{"id", {}, number, true, 1};
inline constexpr Argument kToken{"token", {}, secret, true};
inline constexpr Argument kPassword{"password", {}, secret, true};
inline constexpr Argument kCode{"code", {}, secret, true};
inline constexpr Argument kEmail{"email", {}, text, true};
inline constexpr Argument kName{"name", {}};
inline constexpr Argument kLanguage{"language", {}};
inline constexpr Argument kAccount{"account", {}};
inline constexpr Argument kPlace{"place", {}, text, true};

inline constexpr std::array<Argument, 0> kNothing{};
inline constexpr std::array kOfId{kId};
inline constexpr std::array kOfToken{kToken};
inline constexpr std::array kOfPassword{kPassword};
inline constexpr std::array kOfCode{kCode};
inline constexpr std::array kOfEmail{kEmail};
inline constexpr std::array kOfAccount{kAccount};
inline constexpr std::array kOfPlace{kPlace};
inline constexpr std::array kSignIn{kEmail, kPassword};
// One of them.
inline constexpr std::array kSecondFactor{Argument{"code", {}, secret},
                                          Argument{"recovery_code", {}, secret}};
inline constexpr std::array kPasswords{Argument{"current", {}, secret, true},
                                       Argument{"new", {}, secret, true}};
inline constexpr std::array kMe{kName, kLanguage};
inline constexpr std::array kUseLink{kToken, Argument{"password", {}, secret}, kName,
                                     Argument{"email", {}}, kLanguage};
inline constexpr std::array kAdd{kEmail, Argument{"name", {}, text, true},
                                 Argument{"role", {}, text, true},
                                 Argument{"language", {}, text, true}};
inline constexpr std::array kChange{kId, Argument{"role", {}}, kName,
                                    Argument{"suspended", {}, truth}};
inline constexpr std::array kRules{Argument{"second_factor", {}, truth, true},
                                   Argument{"networks", {}, words, true},
                                   Argument{"approval", {}, truth, true}};
inline constexpr std::array kAudit{Argument{"since", {}}, Argument{"after", {}, number, false, 0},
                                   Argument{"limit", {}, number, false, 1, 1'000}};
inline constexpr std::array kKeepText{kPlace, Argument{"text", {}, text, true}};
inline constexpr std::array kAccounts{Argument{"after", {}},
                                      Argument{"limit", {}, number, false, 1, 1'000}};

inline constexpr Argument kDays{"days", {}, number, false, 1, 3'660};
inline constexpr Argument kOverlap{"overlap_hours", {}, number, false, 0, 8'784};
inline constexpr std::array kAddKey{Argument{"label", {}, text, true},
                                    Argument{"scopes", {}, words, true},
                                    Argument{"networks", {}, words}, kDays};
inline constexpr std::array kRotateKey{kId, kOverlap};
inline constexpr Argument kUser{"name", {}, text, true};
inline constexpr std::array kOfUser{kUser};
inline constexpr std::array kAddUser{kUser, Argument{"traffic", {}},
                                     Argument{"networks", {}, words}, Argument{"from_address", {}},
                                     kDays};
inline constexpr std::array kRotateUser{kUser, kOverlap};
inline constexpr std::array kNewAccount{kUser, operate::calls::arguments::kWeight,
                                        Argument{"sandbox", {}, truth}};
}  // namespace arguments

inline constexpr Call kSession{Verb::get, "/session", arguments::kNothing};
inline constexpr Call kSignIn{Verb::post, "/session", arguments::kSignIn};
inline constexpr Call kSignOut{Verb::remove, "/session", arguments::kNothing};
inline constexpr Call kSecondFactor{Verb::post, "/session/second-factor", arguments::kSecondFactor};
inline constexpr Call kSignIns{Verb::get, "/sign-ins", arguments::kNothing};
inline constexpr Call kEndSignIns{Verb::remove, "/sign-ins", arguments::kNothing};
inline constexpr Call kEndSignIn{Verb::remove, "/sign-ins/{id}", arguments::kOfId};
inline constexpr Call kPassword{Verb::patch, "/password", arguments::kPasswords};
inline constexpr Call kOfferTotp{Verb::post, "/totp", arguments::kNothing};
inline constexpr Call kConfirmTotp{Verb::post, "/totp/confirm", arguments::kOfCode};
// The password is in a body, for no log is to have it.
inline constexpr Call kRemoveTotp{Verb::post, "/totp", arguments::kOfPassword};
inline constexpr Call kRecoveryCodes{Verb::post, "/recovery-codes", arguments::kOfPassword};
inline constexpr Call kMe{Verb::patch, "/me", arguments::kMe};
inline constexpr Call kConfirmation{Verb::post, "/me/confirmation", arguments::kNothing};
inline constexpr Call kLookAtLink{Verb::post, "/links/look", arguments::kOfToken};
inline constexpr Call kUseLink{Verb::post, "/links/use", arguments::kUseLink};
inline constexpr Call kReset{Verb::post, "/resets", arguments::kOfEmail};
inline constexpr Call kActFor{Verb::patch, "/acting-for", arguments::kOfAccount};
inline constexpr Call kPeople{Verb::get, "/people", arguments::kNothing};
inline constexpr Call kAdd{Verb::post, "/people", arguments::kAdd};
inline constexpr Call kChange{Verb::patch, "/people/{id}", arguments::kChange};
inline constexpr Call kRemove{Verb::remove, "/people/{id}", arguments::kOfId};
inline constexpr Call kInvite{Verb::post, "/people/{id}/invitation", arguments::kOfId};
inline constexpr Call kRules{Verb::get, "/rules", arguments::kNothing};
inline constexpr Call kPutRules{Verb::patch, "/rules", arguments::kRules};
inline constexpr Call kAudit{Verb::get, "/audit", arguments::kAudit};
inline constexpr Call kTexts{Verb::get, "/texts", arguments::kNothing};
inline constexpr Call kText{Verb::get, "/texts/{place}", arguments::kOfPlace};
inline constexpr Call kKeepText{Verb::post, "/texts/{place}", arguments::kKeepText, "text"};
inline constexpr Call kDropText{Verb::remove, "/texts/{place}", arguments::kOfPlace};
inline constexpr Call kAccounts{Verb::get, "/accounts", arguments::kAccounts};

inline constexpr Call kKeys{Verb::get, "/keys", arguments::kNothing};
inline constexpr Call kAddKey{Verb::post, "/keys", arguments::kAddKey};
inline constexpr Call kRotateKey{Verb::post, "/keys/{id}/rotation", arguments::kRotateKey};
inline constexpr Call kEndKey{Verb::remove, "/keys/{id}", arguments::kOfId};
inline constexpr Call kUsers{Verb::get, "/smtp-credentials", arguments::kAccounts};
inline constexpr Call kAddUser{Verb::post, "/smtp-credentials", arguments::kAddUser};
inline constexpr Call kRotateUser{Verb::post, "/smtp-credentials/{name}/rotation",
                                  arguments::kRotateUser};
inline constexpr Call kEndUser{Verb::remove, "/smtp-credentials/{name}", arguments::kOfUser};

// What operators see and do: the calls of the admin socket with their arguments, by people.
namespace operators {
namespace given = operate::calls::arguments;
}
inline constexpr Call kAddAccount{Verb::post, "/accounts", arguments::kNewAccount};
inline constexpr Call kChangeAccount{Verb::patch, "/accounts/{account}",
                                     operators::given::kChangeAccount};
inline constexpr Call kStatus{Verb::get, "/operations/status", arguments::kNothing};
inline constexpr Call kNodes{Verb::get, "/operations/nodes", operators::given::kListNodes};
inline constexpr Call kLanes{Verb::get, "/operations/lanes", operators::given::kLanes};
inline constexpr Call kSources{Verb::get, "/operations/sources", arguments::kNothing};
inline constexpr Call kStuck{Verb::get, "/operations/stuck", operators::given::kListStuck};
inline constexpr Call kReleaseStuck{Verb::post, "/operations/stuck/{account}/{email_id}/release",
                                    operators::given::kReleaseStuck};
inline constexpr Call kReleaseUser{Verb::post, "/operations/held/{account}/{name}/release",
                                   operators::given::kOfSmtpCredential};

}  // namespace todoku::console::calls
