// SPDX-License-Identifier: Apache-2.0
#include "doctor/smarthost.h"

#include <fmt/format.h>

namespace todoku::doctor {
namespace {

struct Failure {
  std::string_view code;
  Sentence sentence;
  Sentence advice;
};

Failure failure_at(Stage stage) {
  switch (stage) {
    case Stage::dns:
      return {"smarthost_not_found",
              {"the smarthost's name leads to no address", "スマートホストの名前を引けない"},
              {"look at the name in egress.via", "egress.via の名前を確かめる"}};
    case Stage::starttls:
      return {
          "smarthost_tls",
          {"the smarthost has not the TLS that is asked for",
           "スマートホストの TLS が求める条件を満たさない"},
          {"look at egress.via: the name must be the one in its certificate; for a host of your "
           "own set smtp_out.tls_ca_file, or via_tls to \"unverified\"",
           "egress.via の名前が証明書のものと同じか確かめる。自社のホストなら "
           "smtp_out.tls_ca_file を設定するか、via_tls を \"unverified\" にする"}};
    case Stage::auth:
      return {"smarthost_login",
              {"the smarthost does not let this source log in", "スマートホストにログインできない"},
              {"look at via_user and its password; no mail is lost, it waits until it works",
               "via_user とパスワードを確かめる。メールは失われず、ログインできるまで待つ"}};
    default:
      return {"smarthost_not_reached",
              {"the smarthost cannot be reached", "スマートホストに接続できない"},
              {"look at host and port in egress.via, and at your firewall",
               "egress.via のホスト名とポート、ファイアウォールを確かめる"}};
  }
}

}  // namespace

Finding smarthost_finding(const SmarthostTry& tried) {
  Finding finding{.code = "smarthost_ready",
                  .subject = tried.source,
                  .minded_by = {},
                  .sentence = {fmt::format("the smarthost {} takes mail of this source{}",
                                           tried.host, tried.logs_in ? ", logged in" : ""),
                               fmt::format("スマートホスト {} がこの送信元のメールを受け取る{}",
                                           tried.host, tried.logs_in ? "（ログイン済み）" : "")},
                  .why = {},
                  .found = shown(tried.said),
                  .expected = "",
                  .paste = ""};
  if (tried.ready) return finding;
  const Failure failure = failure_at(tried.stage);
  finding.code = failure.code;
  finding.outcome = Outcome::fail;
  finding.sentence = {fmt::format("{}: {}", tried.host, failure.sentence.en),
                      fmt::format("{}: {}", tried.host, failure.sentence.ja)};
  finding.why = {"mail of this source waits and is not sent", "この送信元のメールは送られずに待つ"};
  finding.advice = {std::string(failure.advice.en), std::string(failure.advice.ja)};
  return finding;
}

}  // namespace todoku::doctor
