// SPDX-License-Identifier: Apache-2.0
// The words of the commands that judge mail as receivers do, `todoku bounce classify`, `todoku dkim
// verify`, `todoku spf check`, `todoku dmarc check`, `todoku mta-sts check`, of the one that judges
// the server, `todoku doctor`, and of reports that receivers send.
#pragma once

#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/word_book.h"

namespace todoku::cli {

class CheckWords {
 public:
  // Adds all of them, to the groups that are there already, too. Must live until the command has
  // been done.
  explicit CheckWords(WordBook book);
  CheckWords(const CheckWords&) = delete;
  CheckWords& operator=(const CheckWords&) = delete;

 private:
  void add_bounce_classify();
  void add_rules();
  void add_reports();
  void add_dkim_verify();
  void add_spf_check();
  void add_dmarc_check();
  void add_mta_sts_check();
  void add_doctor();
  void add_alarms();
  // --ip, --mail-from and --helo.
  void add_sender_options(CLI::App* check, std::string& ip, std::string& mail_from,
                          std::string& helo);

  WordBook book_;
  BounceClassify bounce_;
  std::vector<std::string> reports_;
  RulesExplain rules_;
  ReportsWish kept_reports_;
  DkimVerify dkim_;
  SpfCheck spf_;
  DmarcCheck dmarc_;
  MtaStsWish mta_sts_;
  ExaminationWish doctor_;
};

}  // namespace todoku::cli
