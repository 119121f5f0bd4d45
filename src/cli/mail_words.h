// SPDX-License-Identifier: Apache-2.0
// The words of `todoku explain`, `todoku stuck`, `todoku suppression`, `todoku personal-data`,
// `todoku audit`, `todoku probe`, `todoku sources` and `todoku lanes`: what became of mail, to whom
// none is sent, what is kept of somebody, who looked at it, whether it reaches the inbox, and how
// fast mail goes.
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "cli/commands.h"
#include "cli/word_book.h"

namespace todoku::cli {

class MailWords {
 public:
  // Adds all of them. Must live until the command has been done.
  explicit MailWords(WordBook book);
  MailWords(const MailWords&) = delete;
  MailWords& operator=(const MailWords&) = delete;

 private:
  void add_explain();
  void add_stuck();
  void add_suppression();
  void add_personal_data();
  void add_audit();
  void add_tls_report();
  void add_probe();
  void add_sources();
  void add_lanes();
  void add_rates();

  WordBook book_;
  Explain explain_;
  StuckList stuck_list_;
  StuckRelease stuck_;
  SuppressionAdd stop_;
  std::string stop_why_;
  std::string stop_file_;
  PersonalData person_;
  bool person_stops_ = false;
  bool sure_ = false;
  AuditWish audit_;
  TlsReportWish tls_report_;
  ProbeWish probe_;
  LanesWish lanes_;
  RatesWish rates_;
  RateLimitsWish rate_limits_;
};

}  // namespace todoku::cli
