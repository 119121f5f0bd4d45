// SPDX-License-Identifier: Apache-2.0
// One call of check_host(): the state that its includes and redirects share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mailauth/facts/dns_facts.h"
#include "mailauth/spf/check_host.h"
#include "mailauth/spf/record.h"

namespace todoku::mailauth::spf {

class Evaluation {
 public:
  Evaluation(const Query& query, DnsFacts& facts, const Options& options);
  [[nodiscard]] Verdict run();

 private:
  enum class Match : std::uint8_t { no, yes, temperror, permerror };

  // check_host() of `domain`, which includes and redirects call, too. An unknown fact makes it
  // temperror, which ends it early; stops_ tells the two apart.
  SpfResult check_domain(const std::string& domain);
  SpfResult check_record_of(const std::string& domain);
  SpfResult evaluate(const Record& record, const std::string& domain);
  SpfResult matched(const Mechanism& mechanism, const Record& record, const std::string& domain);
  SpfResult redirect(std::string_view target_spec, const std::string& domain);

  Match match(const Mechanism& mechanism, const std::string& domain);
  Match match_name(const Mechanism& mechanism, const std::string& name);
  Match match_include(const std::string& name);
  Match match_hosts(const Mechanism& mechanism, const std::string& name);
  Match match_exists(const std::string& name);
  Match match_mx(const Mechanism& mechanism, const std::string& name);
  Match match_ptr(const std::string& name);

  void explain();
  std::string validated_name(const std::string& domain);
  bool points_back(const std::string& name);
  std::vector<std::string> pointer_names(bool counts);

  // The name that a term means; the local part must fit into it.
  std::string expand(std::string_view domain_spec, const std::string& domain);
  std::string macro_value(char letter, const std::string& domain);

  const DnsFact& ask(FactType type, const std::string& name);
  // Of an answer that a term counts: no if there are records, or what ends the term.
  Match count_void(const DnsFact& fact);
  bool count_lookup();
  Match broken(Match match, std::string problem);
  SpfResult broken(SpfResult result, std::string problem);
  void note(std::string_view step);
  void note_answer(FactType type, std::string_view name, const DnsFact& fact);

  const Query& query_;
  const Options& options_;
  DnsFacts& facts_;
  const std::string ip_;  // IPv4 where it is mapped
  const FactType address_type_;
  std::string local_;
  std::string sender_domain_;
  std::string place_;  // domain and term that are evaluated, for the trace
  int includes_ = 0;   // how many we are in
  // Domains whose records led here, by include and redirect, each the DNS's name.
  std::vector<std::string> chain_;
  bool stops_ = false;  // a fact is unknown: nothing that follows is meant
  bool over_void_limit_ = false;
  bool counted_pointers_ = false;
  std::string_view exp_;  // of the record that failed
  Verdict verdict_;
};

}  // namespace todoku::mailauth::spf
