// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dmarc/evaluation.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "mail/address.h"
#include "mailauth/dmarc/discovery.h"

namespace todoku::mailauth::dmarc {
namespace {

constexpr std::string_view kNoDomain = "From has no domain";
constexpr std::string_view kSeveralDomains = "From has more than one domain";

// Whether an identifier is aligned; nullopt: the DNS keeps it from being known.
using Aligned = std::optional<bool>;

std::string comparable(std::string_view domain) {
  if (auto ascii = to_ascii_domain(domain); ascii) return std::move(*ascii);
  std::string name = to_ascii_lower(domain);
  if (name.ends_with('.')) name.pop_back();
  return name;
}

// What a record asks, by the one standard or the other.
struct Demand {
  bool is_usable = true;
  Policy policy = Policy::none;
};

enum class Of : std::uint8_t { author, existing_subdomain, missing_subdomain };

class Evaluation {
 public:
  Evaluation(Verdict& verdict, DnsFacts& facts) : verdict_(verdict), facts_(facts) {}
  virtual ~Evaluation() = default;

  Answer answer(const Query& query) {
    const std::string& author = verdict_.author_domain;
    std::optional<FoundRecord> found = discover(author);
    if (!found) return answer_;
    answer_.domain = found->domain;
    note_record(*found);
    const Demand demand = demand_of(found->record, author != found->domain);
    if (!demand.is_usable) {
      answer_.reason = fmt::format(
          "the record at _dmarc.{} has no policy that can be read, and no "
          "rua= to tell of it",
          found->domain);
      return end(Result::permerror);
    }
    answer_.policy = demand.policy;
    judge(query, found->record);
    return answer_;
  }

 protected:
  [[nodiscard]] virtual std::string_view standard() const = 0;
  // The record that applies; nullopt: answer_ says why there is none.
  virtual std::optional<FoundRecord> discover(const std::string& author) = 0;
  virtual Demand demand_of(const Record& record, bool is_subdomain) = 0;
  // nullopt: the DNS failed.
  virtual std::optional<std::string> organizational_domain(const std::string& domain) = 0;

  Answer end(Result result) {
    answer_.result = result;
    trace(answer_.reason.empty() ? std::string(to_string(result))
                                 : fmt::format("{}: {}", to_string(result), answer_.reason));
    return answer_;
  }
  void trace(std::string_view line) {
    verdict_.trace.push_back(fmt::format("{}: {}", standard(), line));
  }
  void warn(std::string line) {
    if (std::ranges::find(verdict_.warnings, line) == verdict_.warnings.end()) {
      verdict_.warnings.push_back(std::move(line));
    }
  }

  Verdict& verdict_;
  DnsFacts& facts_;
  Answer answer_;

 private:
  void note_record(const FoundRecord& found) {
    trace(fmt::format("the record at _dmarc.{} applies", found.domain));
    for (const std::string& warning : found.record.warnings) {
      warn(fmt::format("_dmarc.{}: {}", found.domain, warning));
    }
  }

  // RFC 9989 section 5.3: one aligned domain is enough; without one, what could not be asked keeps
  // the message from failing.
  void judge(const Query& query, const Record& record) {
    bool is_open = false;
    answer_.spf_aligned = counts("SPF", query.spf, record.spf, is_open);
    const std::size_t signatures = std::min(query.dkim.size(), kSignaturesMax);
    for (std::size_t i = 0; i < signatures; ++i) {
      if (counts("DKIM", query.dkim[i], record.dkim, is_open)) answer_.dkim_aligned = true;
    }
    if (answer_.spf_aligned || answer_.dkim_aligned) {
      end(Result::pass);
    } else if (is_open) {
      answer_.reason = "the DNS did not answer what decides on alignment";
      end(Result::temperror);
    } else {
      end(Result::fail);
    }
  }

  // It passed and is aligned. Sets `is_open` where it would count had the DNS answered.
  bool counts(std::string_view what, const Identifier& identifier, Alignment mode, bool& is_open) {
    if (identifier.check == Check::fail || identifier.domain.empty()) return false;
    const std::string domain = comparable(identifier.domain);
    const Aligned aligned = is_aligned(domain, mode);
    const bool has_passed = identifier.check == Check::pass;
    if (!aligned || (*aligned && !has_passed)) is_open = true;
    trace(fmt::format("{} {} of {} {} ({})", what, has_passed ? "pass" : "temperror",
                      printable(domain),
                      !aligned   ? "may be aligned: the DNS did not answer"
                      : *aligned ? "is aligned"
                                 : "is not aligned",
                      to_string(mode)));
    return has_passed && aligned.value_or(false);
  }

  Aligned is_aligned(const std::string& domain, Alignment mode) {
    const std::string& author = verdict_.author_domain;
    if (domain == author) return true;
    // Whatever is the organisational domain of both ends both.
    if (mode == Alignment::strict || last_labels(domain, 1) != last_labels(author, 1)) return false;
    const auto of_author = organizational_domain(author);
    const auto of_identifier = organizational_domain(domain);
    if (!of_author || !of_identifier) return std::nullopt;
    answer_.organizational_domain = *of_author;
    return *of_author == *of_identifier;
  }
};

class ByWalk final : public Evaluation {
 public:
  using Evaluation::Evaluation;

 private:
  [[nodiscard]] std::string_view standard() const override { return "RFC 9989"; }

  std::optional<FoundRecord> discover(const std::string& author) override {
    Lookup at_author = look_up(author, facts_);
    if (at_author.status == Lookup::Status::failed) {
      answer_.reason = fmt::format("_dmarc.{}: {}", author, at_author.detail);
      end(Result::temperror);
      return std::nullopt;
    }
    if (at_author.status == Lookup::Status::found) {
      return FoundRecord{.domain = author, .record = std::move(at_author.record)};
    }
    const TreeWalk walk = walk_tree(author, facts_);
    note_several(walk);
    if (!walk.failure.empty()) {
      answer_.reason = walk.failure;
      end(Result::temperror);
      return std::nullopt;
    }
    answer_.organizational_domain = walk.organizational_domain();
    trace(fmt::format("the organisational domain of {} is {}", author,
                      answer_.organizational_domain));
    const FoundRecord* found = walk.at(answer_.organizational_domain);
    if (found == nullptr) found = walk.of_suffix();
    if (found != nullptr) return *found;
    answer_.reason = "no record at the author's domain or above it";
    end(Result::none);
    return std::nullopt;
  }

  Demand demand_of(const Record& record, bool is_subdomain) override {
    // Section 4.7: a record without p= is one with p=none; section 4.10.1: a wrong one is that only
    // where somebody reads reports.
    if (record.p.is_broken() || record.sp.is_broken() || record.np.is_broken()) {
      return {.is_usable = !record.rua.empty(), .policy = Policy::none};
    }
    if (!record.p.is_present) warn("a record without p= is none to receivers of RFC 7489");
    Policy policy = record.p.value.value_or(Policy::none);
    if (is_subdomain) policy = subdomain_policy(record, policy);
    if (record.is_testing && policy != Policy::none) {
      trace(fmt::format("t=y: {} is one level milder", to_string(policy)));
      policy = milder(policy);
    }
    return {.is_usable = true, .policy = policy};
  }

  Policy subdomain_policy(const Record& record, Policy otherwise) {
    const Policy existing = record.sp.value.value_or(otherwise);
    const Policy missing = record.np.value.value_or(existing);
    if (existing == missing) return existing;
    const auto is_there = exists(verdict_.author_domain, facts_);
    if (!is_there) warn("whether the author's domain exists could not be asked: sp= is taken");
    const bool is_missing = is_there == false;
    trace(
        fmt::format("the author's domain {}", is_missing ? "does not exist: np=" : "exists: sp="));
    return is_missing ? missing : existing;
  }

  std::optional<std::string> organizational_domain(const std::string& domain) override {
    const TreeWalk walk = walk_tree(domain, facts_);
    note_several(walk);
    if (!walk.failure.empty()) {
      trace(fmt::format("the walk from {} fails: {}", printable(domain), walk.failure));
      return std::nullopt;
    }
    return walk.organizational_domain();
  }

  void note_several(const TreeWalk& walk) {
    for (const std::string& name : walk.several) {
      warn(fmt::format("_dmarc.{} has more than one record: none of them counts", name));
    }
  }
};

class ByList final : public Evaluation {
 public:
  ByList(Verdict& verdict, RegisteredDomain registered_domain, DnsFacts& facts)
      : Evaluation(verdict, facts), registered_domain_(registered_domain) {}

 private:
  [[nodiscard]] std::string_view standard() const override { return "RFC 7489"; }

  // Section 6.6.3. Several records end the discovery, also at the author's own domain.
  std::optional<FoundRecord> discover(const std::string& author) override {
    answer_.organizational_domain = registered_domain_(author);
    std::string domain = author;
    Lookup lookup = look_up(domain, facts_);
    if (lookup.status == Lookup::Status::none && domain != answer_.organizational_domain) {
      domain = answer_.organizational_domain;
      lookup = look_up(domain, facts_);
    }
    switch (lookup.status) {
      case Lookup::Status::found:
        return FoundRecord{.domain = std::move(domain), .record = std::move(lookup.record)};
      case Lookup::Status::failed:
        answer_.reason = fmt::format("_dmarc.{}: {}", domain, lookup.detail);
        end(Result::temperror);
        return std::nullopt;
      case Lookup::Status::several:
        warn(fmt::format("_dmarc.{} has more than one record: none of them counts", domain));
        answer_.reason = fmt::format("more than one record at _dmarc.{}", domain);
        break;
      case Lookup::Status::none:
        answer_.reason = "no record at the author's or its organisational domain";
        break;
    }
    end(Result::none);
    return std::nullopt;
  }

  Demand demand_of(const Record& record, bool is_subdomain) override {
    if (!record.p.value || record.sp.is_broken()) {
      return {.is_usable = !record.rua.empty(), .policy = Policy::none};
    }
    Policy policy = *record.p.value;
    if (is_subdomain) policy = record.sp.value.value_or(policy);
    if (record.percent == 0 && policy != Policy::none) {
      trace(fmt::format("pct=0: {} is one level milder", to_string(policy)));
      policy = milder(policy);
    } else if (record.percent < 100) {
      warn(
          fmt::format("pct={}: receivers of RFC 7489 apply the policy to so many of a hundred "
                      "mails that fail, those of RFC 9989 to all",
                      record.percent));
    }
    return {.is_usable = true, .policy = policy};
  }

  std::optional<std::string> organizational_domain(const std::string& domain) override {
    return registered_domain_(domain);
  }

  RegisteredDomain registered_domain_;
};

std::string in_words(const Answer& answer) {
  return fmt::format("{} with policy {}{}{}{}", to_string(answer.result), to_string(answer.policy),
                     answer.domain.empty() ? "" : " of " + answer.domain,
                     answer.spf_aligned ? ", SPF aligned" : "",
                     answer.dkim_aligned ? ", DKIM aligned" : "");
}

bool is_same_to_senders(const Answer& a, const Answer& b) {
  return a.result == b.result && a.policy == b.policy && a.domain == b.domain &&
         a.spf_aligned == b.spf_aligned && a.dkim_aligned == b.dkim_aligned;
}

// Distinct, as A-labels. What is no name of the DNS, such as an address literal, is an author all
// the same: beside others it makes them several; alone, there is none to ask for.
std::set<std::string> distinct_domains(const std::vector<std::string>& domains) {
  std::set<std::string> distinct;
  bool all_named = true;
  for (const std::string& domain : domains) {
    auto ascii = to_ascii_domain(domain);
    const bool named = ascii && !ascii->starts_with('[');
    all_named = all_named && named;
    distinct.insert(named ? std::move(*ascii) : domain);
  }
  if (!all_named && distinct.size() == 1) distinct.clear();
  return distinct;
}

}  // namespace

std::string_view to_string(Result result) {
  switch (result) {
    case Result::none:
      return "none";
    case Result::pass:
      return "pass";
    case Result::fail:
      return "fail";
    case Result::temperror:
      return "temperror";
    case Result::permerror:
      return "permerror";
  }
  return "";
}

Verdict evaluate(const Query& query, RegisteredDomain registered_domain, DnsFacts& facts) {
  Verdict verdict;
  const std::set<std::string> authors = distinct_domains(query.author_domains);
  if (authors.size() != 1 || !query.from_fault.empty()) {
    // RFC 9989 sections 5.3.1 and 11.5: then validation is not possible. One that took the first
    // would be passed by a mail of which people see the second.
    verdict.by_walk.result = Result::permerror;
    verdict.by_walk.reason = !query.from_fault.empty() ? query.from_fault
                             : authors.empty()         ? kNoDomain
                                                       : kSeveralDomains;
    verdict.by_list = verdict.by_walk;
    verdict.trace.push_back(fmt::format("permerror: {}", verdict.by_walk.reason));
    return verdict;
  }
  verdict.author_domain = *authors.begin();
  verdict.by_walk = ByWalk(verdict, facts).answer(query);
  verdict.by_list = ByList(verdict, registered_domain, facts).answer(query);
  if (!is_same_to_senders(verdict.by_walk, verdict.by_list)) {
    verdict.warnings.push_back(fmt::format("receivers differ: {} by RFC 9989, {} by RFC 7489",
                                           in_words(verdict.by_walk), in_words(verdict.by_list)));
  }
  return verdict;
}

}  // namespace todoku::mailauth::dmarc
