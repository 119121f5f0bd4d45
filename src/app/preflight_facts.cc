// SPDX-License-Identifier: Apache-2.0
#include "app/preflight_facts.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/task_group.h"
#include "async/timer.h"
#include "async/timer_clock.h"
#include "dns/fact_gathering.h"
#include "doctor/without_answers.h"
#include "mailauth/facts/dns_facts.h"
#include "mailauth/suffixes/public_suffix.h"

namespace todoku::app {
namespace {

using mailauth::DnsFacts;

// The check's part of the time there is, and no more of it than a third.
constexpr Milliseconds kCheckLongest{500};
constexpr int kCheckShare = 3;
// For DMARC, when SPF and DKIM are known: of the check's part, if no other is left.
constexpr Milliseconds kAuthorLeast{200};

// What the questions and those who ask them share: these may come to their end after the answer
// was given.
struct Gathering {
  Gathering(PreflightWorld its_world, PreflightQuestions its, const async::Executor& executor)
      : world(std::move(its_world)), questions(std::move(its)), ended(executor) {}

  PreflightWorld world;
  PreflightQuestions questions;
  doctor::Authentication found;
  DnsFacts about_author;
  SteadyInstant end{};   // of the questions; the check comes after it
  std::size_t next = 0;  // domain to be asked about
  std::size_t open = 0;  // tasks
  std::optional<dns::CheckFinding> check;
  async::Signal ended;
};
using Asked = std::shared_ptr<Gathering>;

SteadyInstant steady_now() {
  return std::chrono::floor<Microseconds>(async::TimerClock::now());
}

Milliseconds left_until(SteadyInstant end) {
  return std::max(Milliseconds(0), std::chrono::floor<Milliseconds>(end - steady_now()));
}

doctor::SpfWish spf_wish(const PreflightQuestions& questions) {
  doctor::SpfWish wish{
      .mail_from = {}, .from_domain = {}, .sources = questions.sources, .now = questions.now};
  if (!questions.samples.empty()) wish.mail_from = questions.samples.front().mail_from;
  if (questions.goes_to_docomo && questions.author_domains.size() == 1) {
    wish.from_domain = questions.author_domains.front();
  }
  return wish;
}

doctor::AuthorWish author_wish(const PreflightQuestions& questions,
                               const doctor::Authentication& found) {
  return {.author_domains = questions.author_domains,
          .signatures = found.signatures,
          .sources = found.sources,
          .registered_domain = &mailauth::registered_domain};
}

// ---- each asks for something else ---------------------------------------------------------------

Task<void> ask_keys(Asked its) {
  DnsFacts facts;
  its->found.signatures = co_await dns::gather_facts(
      its->world.resolver, facts,
      [its](DnsFacts& known) {
        return doctor::check_signatures(its->questions.samples, its->questions.now, known);
      },
      left_until(its->end));
}

Task<void> ask_spf(Asked its) {
  DnsFacts facts;
  its->found.sources = co_await dns::gather_facts(
      its->world.resolver, facts,
      [its](DnsFacts& known) { return doctor::check_sources(spf_wish(its->questions), known); },
      left_until(its->end));
}

Task<void> ask_from_host(Asked its) {
  DnsFacts facts;
  its->found.from_host = co_await dns::gather_facts(
      its->world.resolver, facts,
      [its](DnsFacts& known) {
        return doctor::check_from_host(its->questions.author_domains.front(), known);
      },
      left_until(its->end));
}

// The records that the verdict will rest on in any case, so that they are there when it is made.
Task<void> ask_author(Asked its) {
  (void)co_await dns::gather_facts(
      its->world.resolver, its->about_author,
      [its](DnsFacts& known) {
        return doctor::judge_author(author_wish(its->questions, {}), known);
      },
      left_until(its->end));
}

Task<void> ask_domains(Asked its) {
  auto& domains = its->questions.domains;
  while (its->next < domains.size() && steady_now() < its->end) {
    doctor::AudienceDomain& domain = domains[its->next++];
    DnsFacts facts;
    domain.state = co_await dns::gather_facts(
        its->world.resolver, facts,
        [&domain](DnsFacts& known) { return doctor::state_of_domain(domain.domain, known); },
        std::min(kDomainLongest, left_until(its->end)));
  }
}

Task<void> check_names(Asked its) {
  its->check = co_await its->world.check_resolver();
}

void start(const async::Executor& executor, const Asked& its, Task<void> task) {
  ++its->open;
  boost::asio::co_spawn(executor, std::move(task), [its](const std::exception_ptr& thrown) {
    if (thrown) async::report_exception("preflight", thrown);
    if (--its->open == 0) its->ended.notify();
  });
}

// False: not all have ended by then.
Task<bool> all_ended(Asked its, SteadyInstant end) {
  while (its->open > 0) {
    const bool ended = co_await its->ended.wait_until(end);
    if (!ended && steady_now() >= end) break;
  }
  co_return its->open == 0;
}

// As if nobody had answered.
void learn_nothing(Gathering& its, std::string_view problem) {
  const PreflightQuestions& questions = its.questions;
  doctor::Authentication& found = its.found;
  found.signatures = doctor::without_answers(problem, [&](DnsFacts& facts) {
    return doctor::check_signatures(questions.samples, questions.now, facts);
  });
  found.sources = doctor::without_answers(
      problem, [&](DnsFacts& facts) { return doctor::check_sources(spf_wish(questions), facts); });
  found.from_host = {.state = doctor::HostState::open, .reason = std::string(problem)};
  found.dmarc = doctor::without_answers(problem, [&](DnsFacts& facts) {
    return doctor::judge_author(author_wish(questions, found), facts);
  });
  for (auto& domain : its.questions.domains) domain.state = doctor::DomainState::open;
}

std::string trouble_of(const std::optional<dns::CheckFinding>& check) {
  if (!check) return "the name servers do not answer";
  if (check->result == dns::CheckFinding::Result::passed) return {};
  return check->problem.empty() ? "the name servers do not answer" : check->problem;
}

// Why nobody is asked; empty: somebody is.
std::string unasked(const Gathering& its) {
  if (its.questions.asks_nobody) return "nothing is asked of the DNS for a sandbox";
  if (its.questions.within <= Milliseconds(0)) return "no time is left";
  const bool is_doubted = !its.questions.asks_anyway && its.world.is_doubted();
  return is_doubted ? "the name servers did not pass a check a moment ago" : std::string();
}

// Of what is shared, copies: somebody may be at it still.
PreflightAnswers answers_of(const Gathering& its) {
  PreflightAnswers answers{.authentication = its.found,
                           .samples = its.questions.samples,
                           .domains = its.questions.domains};
  answers.authentication.author_domains = its.questions.author_domains;
  answers.authentication.goes_to_docomo = its.questions.goes_to_docomo;
  return answers;
}

}  // namespace

Task<PreflightAnswers> answer_preflight(PreflightWorld world, PreflightQuestions questions) {
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  auto its = std::make_shared<Gathering>(std::move(world), std::move(questions), executor);
  if (const std::string problem = unasked(*its); !problem.empty()) {
    learn_nothing(*its, problem);
    co_return answers_of(*its);
  }
  const SteadyInstant whole_end = steady_now() + its->questions.within;
  const Milliseconds of_check = std::min(kCheckLongest, its->questions.within / kCheckShare);
  its->end = whole_end - of_check;
  start(executor, its, ask_keys(its));
  start(executor, its, ask_spf(its));
  if (its->questions.author_domains.size() == 1) start(executor, its, ask_from_host(its));
  start(executor, its, ask_author(its));
  const std::size_t workers = std::min(kDomainsTogether, its->questions.domains.size());
  for (std::size_t i = 0; i < workers; ++i) start(executor, its, ask_domains(its));
  (void)co_await all_ended(its, SteadyInstant::max());  // each has its own end
  const auto longest = std::max(std::min(kAuthorLeast, of_check), left_until(its->end));
  its->found.dmarc = co_await dns::gather_facts(
      its->world.resolver, its->about_author,
      [its](DnsFacts& known) {
        return doctor::judge_author(author_wish(its->questions, its->found), known);
      },
      longest);
  start(executor, its, check_names(its));
  const bool is_checked =
      co_await all_ended(its, std::min(whole_end, steady_now() + kCheckLongest));
  const std::string problem = trouble_of(is_checked ? its->check : std::nullopt);
  if (!problem.empty()) learn_nothing(*its, problem);
  co_return answers_of(*its);
}

}  // namespace todoku::app
