// SPDX-License-Identifier: Apache-2.0
#include "doctor/blocklist.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include <fmt/format.h>

namespace todoku::doctor {
namespace {

using mailauth::DnsFact;
using mailauth::DnsFacts;
using mailauth::FactType;

constexpr std::string_view kListedEntry("\x7F\x00\x00\x02", 4);
constexpr std::string_view kClearEntry("\x7F\x00\x00\x01", 4);
// The same of a list of IPv6 addresses, as mapped ones (RFC 5782 section 5).
constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xFF\xFF", 12);
constexpr std::size_t kCodesShown = 8;

std::uint8_t octet(std::string_view octets, std::size_t at) {
  return static_cast<std::uint8_t>(octets[at]);
}

bool is_error_code(std::string_view code) {
  if (code.size() != 4 || octet(code, 0) != 127) return true;
  if (code == kClearEntry) return true;
  return octet(code, 1) == 255 && octet(code, 2) == 255;
}

std::string codes_of(const DnsFact& fact) {
  std::string codes;
  for (std::size_t i = 0; i < std::min(fact.values.size(), kCodesShown); ++i) {
    const std::string_view code = fact.values[i];
    if (code.size() != 4) continue;
    codes += fmt::format("{}{}.{}.{}.{}", codes.empty() ? "" : " ", octet(code, 0), octet(code, 1),
                         octet(code, 2), octet(code, 3));
  }
  return codes;
}

// What keeps the list from being believed; empty: nothing.
struct Proof {
  ListStanding standing = ListStanding::clear;
  std::string problem;
  Sentence doubt{};
};

constexpr Sentence kListsNobody{
    "it does not list 127.0.0.2, as every list does (RFC 5782): its answers prove nothing",
    "どのリストにもある 127.0.0.2 が載っておらず（RFC 5782）、このリストの応答からは判断できない"};
constexpr Sentence kListsEverybody{
    "it lists 127.0.0.1, as no list does (RFC 5782): its answers prove nothing",
    "どのリストにもないはずの 127.0.0.1 が載っており（RFC 5782）、このリストの応答からは判断できな"
    "い"};

Proof proof_of(const Blocklist& list, bool is_v6, DnsFacts& facts) {
  const auto entry = [&](std::string_view octets) {
    return blocklist_name(is_v6 ? std::string(kMapped) + std::string(octets) : std::string(octets),
                          list.zone);
  };
  // Both are asked before either is judged, so that they are asked at once.
  const DnsFact must = facts.ask(FactType::a, entry(kListedEntry));
  const DnsFact must_not = facts.ask(FactType::a, entry(kClearEntry));
  if (standing_of(must) == ListStanding::unanswered) return {ListStanding::unanswered, must.reason};
  if (standing_of(must) != ListStanding::listed) {
    if (must.is_void()) return {ListStanding::list_error, {}, kListsNobody};
    return {ListStanding::list_error, codes_of(must)};
  }
  if (standing_of(must_not) == ListStanding::unanswered)
    return {ListStanding::unanswered, must_not.reason};
  if (!must_not.is_void()) return {ListStanding::list_error, {}, kListsEverybody};
  return {};
}

bool is_same_place(const BlocklistStanding& a, const BlocklistStanding& b) {
  return a.source == b.source && a.address == b.address && a.zone == b.zone;
}

}  // namespace

std::string blocklist_name(std::string_view octets, std::string_view zone) {
  std::string name;
  for (std::size_t i = octets.size(); i-- > 0;) {
    const unsigned value = octet(octets, i);
    name += octets.size() == 4 ? fmt::format("{}.", value)
                               : fmt::format("{:x}.{:x}.", value & 0x0FU, value >> 4U);
  }
  return name + std::string(zone);
}

std::string_view to_string(ListStanding standing) {
  switch (standing) {
    case ListStanding::clear:
      return "clear";
    case ListStanding::listed:
      return "listed";
    case ListStanding::list_error:
      return "list_error";
    case ListStanding::unanswered:
      return "unanswered";
  }
  return "";
}

ListStanding standing_of(const DnsFact& fact) {
  if (fact.is_void()) return ListStanding::clear;
  if (fact.status != DnsFact::Status::found) return ListStanding::unanswered;
  return std::ranges::any_of(fact.values, is_error_code) ? ListStanding::list_error
                                                         : ListStanding::listed;
}

std::optional<BlocklistStanding> standing_on(std::string_view source, const SourceAddress& address,
                                             const Blocklist& list, DnsFacts& facts) {
  const bool is_v6 = address.octets.size() != 4;
  if (!address.is_public || (is_v6 && !list.ipv6)) return std::nullopt;
  BlocklistStanding result{.source = std::string(source),
                           .address = address.text,
                           .zone = list.zone,
                           .standing = ListStanding::unanswered,
                           .found = ""};
  const std::string name = blocklist_name(address.octets, list.zone);
  const DnsFact fact = facts.ask(FactType::a, name);
  const Proof proof = proof_of(list, is_v6, facts);
  if (proof.standing != ListStanding::clear) {
    result.standing = proof.standing;
    result.found = shown(proof.problem);
    result.doubt = proof.doubt;
    return result;
  }
  result.standing = standing_of(fact);
  switch (result.standing) {
    case ListStanding::clear:
      break;
    case ListStanding::unanswered:
      result.found = shown(fact.reason);
      break;
    case ListStanding::list_error:
      result.found = codes_of(fact);
      break;
    case ListStanding::listed: {
      result.found = codes_of(fact);
      const DnsFact& reason = facts.ask(FactType::txt, name);
      if (!reason.values.empty()) result.found += fmt::format(": {}", shown(reason.values[0]));
      break;
    }
  }
  return result;
}

BilingualText text_to_send(const BlocklistStanding& of, const Blocklist& list) {
  if (list.text.empty()) {
    return {fmt::format("Our mail server {} is listed on {}. We have found the cause and mended it "
                        "(say what it was). Please take the address off the list.",
                        of.address, of.zone),
            fmt::format("当社のメールサーバー {} が {} に登録されています。原因を特定し、対処しまし"
                        "た（内容を書いてください）。リストからの削除をお願いします。",
                        of.address, of.zone)};
  }
  constexpr std::string_view kPlace = "{address}";
  std::string text = list.text;
  for (std::size_t at = text.find(kPlace); at != std::string::npos;
       at = text.find(kPlace, at + of.address.size())) {
    text.replace(at, kPlace.size(), of.address);
  }
  return {text, text};
}

Finding finding_of(const BlocklistStanding& standing, const Blocklist& list) {
  Finding finding{.code = "blocklist_clear",
                  .subject = standing.source,
                  .minded_by = Receivers::all(),
                  .sentence = {fmt::format("{} is not listed on {}", standing.address, list.zone),
                               fmt::format("{} は {} に載っていない", standing.address, list.zone)},
                  .why = {},
                  .found = standing.found,
                  .expected = "",
                  .paste = ""};
  switch (standing.standing) {
    case ListStanding::clear:
      return finding;
    case ListStanding::listed: {
      finding.code = "blocklist_listed";
      finding.outcome = Outcome::fail;
      finding.sentence = {fmt::format("{} is listed on {}", standing.address, list.zone),
                          fmt::format("{} が {} に載っている", standing.address, list.zone)};
      finding.why = {"receivers that use the list refuse mail from the address",
                     "このリストを使う受信側は、このアドレスからのメールを拒否する"};
      const BilingualText text = text_to_send(standing, list);
      const std::string page = list.page.empty() ? list.zone : list.page;
      finding.advice = {
          fmt::format("find what was sent, stop it, then ask at {} to be taken off: \"{}\"", page,
                      text.en),
          fmt::format("原因となった送信を突き止めて止め、{} で解除を申請する:「{}」", page,
                      text.ja)};
      return finding;
    }
    case ListStanding::list_error:
      finding.code = "blocklist_error";
      finding.outcome = Outcome::not_determined;
      finding.sentence = {
          fmt::format("{} does not say whether it lists {}", list.zone, standing.address),
          fmt::format("{} が {} を載せているかは判定できない", list.zone, standing.address)};
      finding.why = {"the list answers with an error of its own, which is no listing",
                     "リスト側のエラー応答であり、登録を意味しない"};
      if (!standing.doubt.en.empty()) finding.why = standing.doubt;
      finding.advice = {"ask by a resolver of your own, not a public one, and within its terms",
                        "公開リゾルバーではなく自前のリゾルバーから、利用規約の範囲で問い合わせる"};
      return finding;
    case ListStanding::unanswered:
      finding.code = "blocklist_unanswered";
      finding.outcome = Outcome::not_determined;
      finding.sentence = {
          fmt::format("{} did not answer about {}", list.zone, standing.address),
          fmt::format("{} から {} についての応答がない", list.zone, standing.address)};
      finding.why = {"nothing is concluded from silence", "応答がないことからは何も判断しない"};
      return finding;
  }
  return finding;
}

std::vector<ListingWatch::Change> ListingWatch::look(std::span<const BlocklistStanding> standings) {
  std::vector<Change> changes;
  for (const BlocklistStanding& standing : standings) {
    const auto known = std::ranges::find_if(
        listed_, [&](const BlocklistStanding& each) { return is_same_place(each, standing); });
    if (standing.standing == ListStanding::listed && known == listed_.end()) {
      listed_.push_back(standing);
      changes.push_back({standing, true});
    } else if (standing.standing == ListStanding::clear && known != listed_.end()) {
      listed_.erase(known);
      changes.push_back({standing, false});
    }
  }
  return changes;
}

std::vector<BlocklistStanding> ListingWatch::keep_only(std::span<const std::string> sources) {
  const auto is_other = [&](const BlocklistStanding& each) {
    return std::ranges::find(sources, each.source) == sources.end();
  };
  std::vector<BlocklistStanding> forgotten;
  std::ranges::copy_if(listed_, std::back_inserter(forgotten), is_other);
  std::erase_if(listed_, is_other);
  return forgotten;
}

std::vector<BlocklistStanding> ListingWatch::listed() const {
  return listed_;
}

}  // namespace todoku::doctor
