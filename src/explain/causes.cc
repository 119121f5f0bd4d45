// SPDX-License-Identifier: Apache-2.0
#include "explain/causes.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "base/printable.h"
#include "explain/advice.h"
#include "explain/own_words.h"
#include "explain/stage_words.h"
#include "feedback/classify/meaning.h"

namespace todoku::explain {
namespace {

constexpr std::array kEnds = {RecipientState::delivered, RecipientState::bounced,
                              RecipientState::dropped,   RecipientState::expired,
                              RecipientState::cancelled, RecipientState::unknown};

std::int64_t ended_so(const store::DeliveryCounts& counts, RecipientState state) {
  switch (state) {
    case RecipientState::delivered:
      return counts.delivered;
    case RecipientState::bounced:
      return counts.bounced;
    case RecipientState::dropped:
      return counts.dropped;
    case RecipientState::expired:
      return counts.expired;
    case RecipientState::cancelled:
      return counts.cancelled;
    case RecipientState::unknown:
      return counts.unknown;
    case RecipientState::pending:
    case RecipientState::deferred:
      return 0;
  }
  return 0;
}

// Who comes to this end without an attempt.
Cause without_attempt(RecipientState state) {
  if (state == RecipientState::dropped) return Cause::suppressed;
  return state == RecipientState::cancelled ? Cause::cancelled : Cause::none;
}

void add_uncounted(const store::DeliveryCounts& all, std::vector<store::OutcomeCount>& counts) {
  for (const RecipientState state : kEnds) {
    std::int64_t left = ended_so(all, state);
    for (const store::OutcomeCount& each : counts) {
      if (each.state == state) left -= each.mails;
    }
    if (left <= 0) continue;
    counts.push_back({.site = {},
                      .state = state,
                      .cause = without_attempt(state),
                      .mails = left,
                      .sample = std::nullopt});
  }
}

Sentence whose_words(feedback::classify::Whose whose) {
  using feedback::classify::Whose;
  switch (whose) {
    case Whose::nobody:
      return {"nobody's", "なし"};
    case Whose::recipient:
      return {"the recipient's (the address)", "受信者（アドレス）"};
    case Whose::content:
      return {"the sender's (what is sent)", "送信者（メールの内容）"};
    case Whose::receiver:
      return {"the receiver's (its servers and rules)", "受信側（サーバーと受信規則）"};
    case Whose::network:
      return {"nobody's yet (the network between)", "なし（途中のネットワーク）"};
    case Whose::setup:
      return {"the operator's (DNS records, addresses, keys, rules, pace)",
              "管理者（DNS レコード、IP アドレス、鍵、設定、送信速度）"};
    case Whose::engine:
      return {"the makers' of todoku", "todoku の開発元"};
  }
  return {"", ""};
}

// The attempt that made the sample one.
const store::Attempt* attempt_of(const CauseLine& line) {
  if (!line.sample || line.sample->attempts.empty()) return nullptr;
  const auto& attempts = line.sample->attempts;
  const auto found = std::find_if(attempts.rbegin(), attempts.rend(), [&](const auto& attempt) {
    return attempt.outcome.state == line.state &&
           feedback::classify::cause_of(attempt.outcome) == line.cause;
  });
  return found == attempts.rend() ? nullptr : &*found;
}

Outcome outcome_of(const CauseLine& line, const store::Attempt* attempt) {
  if (attempt != nullptr) return attempt->outcome;
  Outcome outcome{.state = line.state, .stage = Stage::none, .reply = {}};
  outcome.cause = line.cause;
  return outcome;
}

std::string with_commas(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string percent(double permille) {
  if (permille > 0 && permille < 1) return "<0.1 %";
  return fmt::format("{:.1f} %", permille / 10);
}

double permille_of(std::int64_t part, std::int64_t whole) {
  return whole <= 0 ? 0 : 1'000.0 * static_cast<double>(part) / static_cast<double>(whole);
}

const SiteSum* sum_of(const Causes& causes, std::string_view site) {
  const auto found = std::ranges::find(causes.sites, site, &SiteSum::site);
  return found == causes.sites.end() ? nullptr : &*found;
}

class CausesText {
 public:
  CausesText(const Causes& causes, Language language, std::chrono::minutes offset)
      : causes_(causes), language_(language), offset_(offset) {}

  void heading(const CausesHeading& heading) {
    line(0, {"{}", "{}"}, printable(heading.of));
    if (heading.counts) counts(*heading.counts);
    if (!heading.course.empty()) line(3, {"{}", "{}"}, heading.course);
    if (causes_.sites.empty() && causes_.lines.empty()) {
      line(3, {"No outcome is on record.", "結果の記録はありません。"});
    }
  }

  void site(const SiteSum& sum) {
    out_ += '\n';
    const std::string name =
        sum.site.empty() ? std::string(say({"(others)", "（その他）"})) : printable(sum.site);
    if (sum.ended == 0) {
      line(0, {"{}: nothing is over yet", "{}: 完了したものはまだありません"}, name);
    } else {
      line(0, {"{}: {} ended, {} of them delivered", "{}: 完了 {} 件、うち配送済み {}"}, name,
           with_commas(sum.ended), percent(permille_of(sum.delivered, sum.ended)));
    }
    for (const CauseLine& each : causes_.lines) {
      if (each.site == sum.site) cause(each);
    }
  }

  void end() {
    if (causes_.more) {
      out_ += '\n';
      line(0, {"there are more causes: --limit", "ほかにも原因があります: --limit"});
    }
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  [[nodiscard]] std::string_view say(const Sentence& sentence) const {
    return sentence.in(language_);
  }

  template <class... Parts>
  void line(std::size_t indent, const Sentence& format, const Parts&... parts) {
    out_.append(indent, ' ');
    fmt::vformat_to(std::back_inserter(out_), say(format), fmt::make_format_args(parts...));
    out_ += '\n';
  }

  void counts(const store::DeliveryCounts& all) {
    std::string text =
        fmt::format(fmt::runtime(say({"{} recipients", "宛先 {} 件"})), with_commas(all.total));
    for (const RecipientState state : kEnds) {
      const std::int64_t ended = ended_so(all, state);
      if (ended == 0) continue;
      text += fmt::format(", {} {} ({})", say(state_word(state)), with_commas(ended),
                          percent(permille_of(ended, all.total)));
    }
    const std::int64_t open = all.total - all.terminal();
    if (open > 0) {
      text +=
          fmt::format(fmt::runtime(say({", {} not over", "、未完了 {} 件"})), with_commas(open));
    }
    line(3, {"{}", "{}"}, text);
  }

  void cause(const CauseLine& of) {
    const ToldCause told = told_cause(causes_, of, language_);
    const std::string mails = with_commas(of.mails);
    const std::string_view state = say(state_word(of.state));
    const std::string_view word = to_string(of.cause);
    if (told.share) {
      line(3, {"{} ({}) {}, {}: {}", "{}（{} 件）{}、{}: {}"}, percent(*told.share), mails, state,
           word, told.meaning);
    } else {
      line(3, {"{} answers for later, {}: {}", "後で再送とされた応答 {} 件、{}: {}"}, mails, word,
           told.meaning);
    }
    if (!told.answer.empty() && of.sample) {
      const std::string at = told.answered ? time_text(*told.answered, offset_) : std::string();
      line(6, {"For example: {} (delivery {}, mail {}, {})", "例: {}（配信 {}、メール {}、{}）"},
           told.answer, of.sample->delivery_id, of.sample->email_id, at);
    }
    line(6, {"Whose turn: {}", "誰の番か: {}"}, told.whose);
    line(6, {"To do: {}", "対応: {}"}, told.action);
  }

  const Causes& causes_;
  const Language language_;
  const std::chrono::minutes offset_;
  std::string out_;
};

// Those with the most failures first, then those with the most mail.
void order_sites(Causes& causes, std::size_t most) {
  const auto failures = [&](const SiteSum& sum) {
    std::int64_t mails = 0;
    for (const CauseLine& line : causes.lines) {
      if (line.site == sum.site) mails += line.mails;
    }
    return mails;
  };
  std::ranges::sort(causes.sites, [&](const SiteSum& a, const SiteSum& b) {
    return std::tuple(-failures(a), -a.ended, std::string_view(a.site)) <
           std::tuple(-failures(b), -b.ended, std::string_view(b.site));
  });
  if (causes.sites.size() > most) causes.sites.resize(most);
}

}  // namespace

Causes causes_in(std::span<const store::OutcomeCount> given, std::size_t most,
                 const std::optional<store::DeliveryCounts>& of_delivery) {
  std::vector<store::OutcomeCount> counts(given.begin(), given.end());
  if (of_delivery) add_uncounted(*of_delivery, counts);
  Causes causes;
  std::map<std::string, SiteSum, std::less<>> sites;
  for (const store::OutcomeCount& count : counts) {
    SiteSum& sum = sites[count.site];
    sum.site = count.site;
    if (is_terminal(count.state)) sum.ended += count.mails;
    if (count.state == RecipientState::delivered) {
      sum.delivered += count.mails;
      continue;
    }
    // The stop of a bulk records none.
    const bool is_stopped = count.state == RecipientState::cancelled && count.cause == Cause::none;
    causes.lines.push_back({.site = count.site,
                            .state = count.state,
                            .cause = is_stopped ? Cause::cancelled : count.cause,
                            .mails = count.mails,
                            .key = count.sample,
                            .sample = std::nullopt});
  }
  std::ranges::sort(causes.lines, [](const CauseLine& a, const CauseLine& b) {
    return std::tuple(-a.mails, std::string_view(a.site), a.state, a.cause) <
           std::tuple(-b.mails, std::string_view(b.site), b.state, b.cause);
  });
  causes.more = causes.lines.size() > most;
  if (causes.more) causes.lines.resize(most);
  for (auto& [name, sum] : sites) causes.sites.push_back(std::move(sum));
  order_sites(causes, most);
  return causes;
}

Causes causes_in(std::span<const store::Story> stories, std::size_t most) {
  std::map<std::tuple<std::string, RecipientState, Cause>, store::OutcomeCount> counts;
  std::map<std::tuple<std::string, RecipientState, Cause>, const store::Story*> samples;
  const auto count = [&](const store::Story& story, RecipientState state, Cause cause) {
    std::string site = story.address.substr(story.address.rfind('@') + 1);
    const std::tuple key(site, state, cause);
    store::OutcomeCount& of = counts[key];
    of.site = std::move(site);
    of.state = state;
    of.cause = cause;
    ++of.mails;
    of.sample = story.key;
    samples[key] = &story;
  };
  for (const store::Story& story : stories) {
    for (const store::Attempt& attempt : story.attempts) {
      if (attempt.outcome.state != RecipientState::deferred) continue;
      count(story, RecipientState::deferred, feedback::classify::cause_of(attempt.outcome));
    }
    if (!is_terminal(story.state)) continue;
    const bool told = !story.attempts.empty() && story.state != RecipientState::delivered;
    count(story, story.state,
          told ? feedback::classify::cause_of(story.attempts.back().outcome)
               : without_attempt(story.state));
  }
  std::vector<store::OutcomeCount> all;
  all.reserve(counts.size());
  for (auto& [key, of] : counts) all.push_back(std::move(of));
  Causes causes = causes_in(all, most);
  for (CauseLine& line : causes.lines) {
    line.sample = *samples.at(std::tuple(line.site, line.state, line.cause));
  }
  return causes;
}

ToldCause told_cause(const Causes& causes, const CauseLine& line, Language language) {
  const store::Attempt* const attempt = attempt_of(line);
  const Outcome outcome = outcome_of(line, attempt);
  const bool is_signed = !line.sample || !line.sample->signing.empty();
  Where where{.site = line.site};
  // Of a few stories it is the name of a domain.
  if (line.sample && line.sample->address.ends_with("@" + line.site)) {
    where = {.address = line.sample->address};
    if (attempt != nullptr) where.mx_host = attempt->path.mx_host;
  }
  const Advice& advice = advice_for(outcome, is_signed, where);
  ToldCause told;
  if (is_terminal(line.state)) {
    const SiteSum* const sum = sum_of(causes, line.site);
    told.share = permille_of(line.mails, sum == nullptr ? 0 : sum->ended);
  }
  told.meaning = advice.meaning.in(language);
  told.action = advice.action.in(language);
  if (line.cause == Cause::none && attempt == nullptr) {
    constexpr Sentence kUncounted{"It was recorded before causes were counted.",
                                  "原因ごとの集計を始める前の記録です。"};
    constexpr Sentence kLook{"Look at single mails: `todoku explain ADDRESS`.",
                             "個々のメールを `todoku explain アドレス` で確かめてください。"};
    told.meaning = kUncounted.in(language);
    told.action = kLook.in(language);
  }
  told.whose = whose_words(feedback::classify::whose(line.cause)).in(language);
  if (attempt != nullptr) {
    told.answer = answer_text(outcome, language);
    told.answered = attempt->at;
  }
  return told;
}

std::string tell_causes(const CausesHeading& heading, const Causes& causes, Language language,
                        std::chrono::minutes offset) {
  CausesText text(causes, language, offset);
  text.heading(heading);
  for (const SiteSum& sum : causes.sites) text.site(sum);
  text.end();
  return text.take();
}

}  // namespace todoku::explain
