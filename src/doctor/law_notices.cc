// SPDX-License-Identifier: Apache-2.0
#include "doctor/law_notices.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "doctor/preflight_texts.h"

namespace todoku::doctor {
namespace {

constexpr std::size_t kNear = 2;  // lines after a notice in which its link counts
constexpr std::size_t kLineOctetsMax = 4'096;

constexpr std::array<std::string_view, 21> kCompanies{"株式会社", "有限会社",     "合同会社",
                                                      "合資会社", "合名会社",     "社団法人",
                                                      "財団法人", "npo法人",      "特定非営利活動",
                                                      "医療法人", "学校法人",     "社会福祉法人",
                                                      "協同組合", "㈱",           "㈲",
                                                      "(株)",     "(有)",         "co.,ltd",
                                                      "co., ltd", "incorporated", "corporation"};
constexpr std::array<std::string_view, 6> kCompanyWords{"inc", "ltd", "llc", "gmbh", "corp", "plc"};
constexpr std::array<std::string_view, 12> kSenderLabels{"発行元",   "発行者", "発行:",  "配信元",
                                                         "配信者",   "送信者", "送信元", "差出人",
                                                         "運営会社", "運営者", "運営:",  "sent by"};

constexpr std::array<std::string_view, 47> kPrefectures{
    "北海道", "青森県", "岩手県", "宮城県", "秋田県", "山形県",   "福島県", "茨城県",
    "栃木県", "群馬県", "埼玉県", "千葉県", "東京都", "神奈川県", "新潟県", "富山県",
    "石川県", "福井県", "山梨県", "長野県", "岐阜県", "静岡県",   "愛知県", "三重県",
    "滋賀県", "京都府", "大阪府", "兵庫県", "奈良県", "和歌山県", "鳥取県", "島根県",
    "岡山県", "広島県", "山口県", "徳島県", "香川県", "愛媛県",   "高知県", "福岡県",
    "佐賀県", "長崎県", "熊本県", "大分県", "宮崎県", "鹿児島県", "沖縄県"};
constexpr std::array<std::string_view, 5> kTowns{"市", "区", "町", "村", "郡"};
constexpr std::array<std::string_view, 4> kLots{"丁目", "番地", "番", "号"};
constexpr std::array<std::string_view, 14> kStreets{
    "street", " st.",  "avenue", " ave",  " road",  " rd.", "boulevard",
    " blvd",  "suite", " drive", " lane", "-chome", "-ku",  "-shi"};

constexpr std::array<std::string_view, 8> kOfMail{"配信", "購読", "メルマガ", "メールマガジン",
                                                  "受信", "登録", "メール",   "dm"};
constexpr std::array<std::string_view, 10> kEnds{
    "停止", "解除", "中止", "希望されない", "希望しない", "不要", "拒否", "取り消", "取消", "退会"};
constexpr std::array<std::string_view, 11> kOptOuts{
    "オプトアウト",      "unsubscribe",         "opt out",        "opt-out",
    "stop receiving",    "no longer wish",      "no longer want", "manage your preferences",
    "email preferences", "remove your address", "leave this list"};

constexpr std::array<std::string_view, 22> kContacts{"お問い合わせ",
                                                     "お問合せ",
                                                     "お問合わせ",
                                                     "問い合わせ",
                                                     "問合せ",
                                                     "苦情",
                                                     "ご意見",
                                                     "連絡先",
                                                     "サポート窓口",
                                                     "カスタマーサポート",
                                                     "お客様相談",
                                                     "お客さま相談",
                                                     "電話",
                                                     "tel",
                                                     "contact us",
                                                     "contact:",
                                                     "inquir",
                                                     "enquir",
                                                     "complain",
                                                     "customer support",
                                                     "customer service",
                                                     "help center"};

struct NumberedLine {
  std::size_t number = 0;
  std::string_view text;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

// Lower case; the full-width forms of ASCII (U+FF01 to U+FF5E) and of the space as ASCII, and the
// hyphens and dashes that stand in Japanese addresses as "-".
std::string folded(std::string_view line) {
  std::string out;
  out.reserve(line.size());
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::string_view three = line.substr(i, 3);
    if (three.size() == 3 && three[0] == '\xEF' && (three[1] == '\xBC' || three[1] == '\xBD')) {
      const unsigned low = static_cast<unsigned char>(three[2]);
      const unsigned value = (three[1] == '\xBC' ? 0U : 0x40U) + (low & 0x3FU);
      if (value >= 1 && value <= 0x5E) {
        out += static_cast<char>(0x20U + value);
        i += 2;
        continue;
      }
    }
    if (three == "\u3000") {
      out += ' ';
      i += 2;
    } else if (three == "\u2010" || three == "\u2011" || three == "\u2013" || three == "\u2015" ||
               three == "\u2212") {
      out += '-';
      i += 2;
    } else {
      out += line[i];
    }
  }
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

bool has_any(std::string_view line, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return line.contains(word); });
}

// As a word of its own: "inc." of "Example Inc.", not of "include".
bool has_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != std::string_view::npos;
       at = line.find(word, at + 1)) {
    const bool begins = at > 0 && (line[at - 1] == ' ' || line[at - 1] == ',');
    const std::size_t end = at + word.size();
    const bool ends = end == line.size() || !is_letter(line[end]);
    if (begins && ends) return true;
  }
  return false;
}

// "100-0001", of which no telephone number is a part.
bool has_postal_code(std::string_view line) {
  constexpr std::string_view kForm = "ddd-dddd";
  for (std::size_t at = 0; at + kForm.size() <= line.size(); ++at) {
    bool fits = true;
    for (std::size_t i = 0; i < kForm.size() && fits; ++i) {
      fits = kForm[i] == 'd' ? is_digit(line[at + i]) : line[at + i] == '-';
    }
    const auto joins = [&](std::size_t place) {
      return place < line.size() && (is_digit(line[place]) || line[place] == '-');
    };
    if (fits && !joins(at + kForm.size()) && (at == 0 || !joins(at - 1))) return true;
  }
  return false;
}

// Three groups of digits, or two where the first begins with 0: "03-1234-5678", "0120-123456",
// "+81 3 1234 5678", "(03)1234-5678".
bool has_telephone(std::string_view line) {
  std::size_t digits = 0;
  bool begins = false;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    const char c = i < line.size() ? line[i] : 'x';
    if (is_digit(c)) {
      if (digits == 0) begins = c == '0' || (i > 0 && line[i - 1] == '+');
      ++digits;
    } else if (c != '-' && c != ' ' && c != '(' && c != ')' && c != '.') {
      if (begins && digits >= 9 && digits <= 13) return true;
      digits = 0;
    }
  }
  return false;
}

bool has_address_of_mail(std::string_view line) {
  for (std::size_t at = line.find('@'); at != std::string_view::npos; at = line.find('@', at + 1)) {
    const bool before = at > 0 && (is_letter(line[at - 1]) || is_digit(line[at - 1]));
    const bool after = at + 1 < line.size() && (is_letter(line[at + 1]) || is_digit(line[at + 1]));
    if (before && after && line.find('.', at) != std::string_view::npos) return true;
  }
  return false;
}

// An insert code may stand for a link: __abc__ or %%abc%%.
bool has_insert_code(std::string_view line) {
  for (const std::string_view mark : {"__", "%%"}) {
    const std::size_t begin = line.find(mark);
    if (begin != std::string_view::npos && line.find(mark, begin + 3) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

bool has_link(std::string_view line) {
  return line.contains("https://") || line.contains("http://") || line.contains("mailto:") ||
         has_address_of_mail(line) || has_insert_code(line);
}

bool names_sender(std::string_view line, std::string_view sender_name) {
  if (has_any(line, kCompanies) || has_any(line, kSenderLabels)) return true;
  if (std::ranges::any_of(kCompanyWords, [&](auto word) { return has_word(line, word); })) {
    return true;
  }
  constexpr std::size_t kNameOctetsMin = 4;  // shorter ones stand in words
  return sender_name.size() >= kNameOctetsMin && line.contains(sender_name);
}

bool is_postal_address(std::string_view line) {
  if (line.contains("〒") || line.contains("p.o. box") || line.contains("po box")) return true;
  if (has_any(line, kPrefectures) && has_any(line, kTowns)) return true;
  const bool has_number = std::ranges::any_of(line, is_digit);
  if (has_number && has_any(line, kTowns) && has_any(line, kLots)) return true;
  if (has_number && has_any(line, kStreets)) return true;
  return has_postal_code(line) && (has_any(line, kTowns) || line.contains("住所"));
}

bool tells_of_opt_out(std::string_view line) {
  return has_any(line, kOptOuts) || (has_any(line, kOfMail) && has_any(line, kEnds));
}

// The lines of a text with their numbers, of a long one the first and last of them.
std::vector<NumberedLine> lines_of(std::string_view text) {
  std::vector<NumberedLine> lines;
  const std::size_t octets = text.size();
  std::size_t at = 0;
  while (at < octets) {
    const std::size_t end = std::min(text.find('\n', at), octets);
    const std::string_view line = text.substr(at, end - at);
    const bool is_looked_at = octets <= kLawTextOctetsMax || end < kLawTextOctetsMax / 2 ||
                              at > octets - kLawTextOctetsMax / 2;
    // One without an end is no notice.
    lines.push_back({lines.size() + 1, is_looked_at ? line.substr(0, kLineOctetsMax) : ""});
    at = end + 1;
  }
  std::erase_if(lines, [](const NumberedLine& line) { return line.text.empty(); });
  return lines;
}

struct Duty {
  std::string_view missing;
  std::string_view without_way;  // empty: none is wanted
  const std::optional<NoticeLine>& found;
  bool has_way;
  std::string_view line_to_add;
};

}  // namespace

LawNotices law_notices(std::string_view text, std::string_view sender_name) {
  LawNotices notices;
  const auto lines = lines_of(text);
  std::vector<std::string> plain;
  plain.reserve(lines.size());
  for (const NumberedLine& line : lines) plain.push_back(folded(line.text));
  const std::string name = folded(sender_name);
  const auto has_way_near = [&](std::size_t at, bool or_telephone) {
    const std::size_t end = std::min(at + kNear + 1, plain.size());
    return std::any_of(plain.begin() + static_cast<std::ptrdiff_t>(at),
                       plain.begin() + static_cast<std::ptrdiff_t>(end), [&](const auto& line) {
                         return has_link(line) || (or_telephone && has_telephone(line));
                       });
  };
  const auto note = [&](std::optional<NoticeLine>& notice, std::size_t at) {
    if (!notice) notice = NoticeLine{.number = lines[at].number, .text = shown(lines[at].text)};
  };
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (names_sender(plain[i], name)) note(notices.sender, i);
    if (is_postal_address(plain[i])) note(notices.address, i);
    if (tells_of_opt_out(plain[i]) && !notices.opt_out_has_way) {
      notices.opt_out_has_way = has_way_near(i, false);
      if (notices.opt_out_has_way) notices.opt_out.reset();
      note(notices.opt_out, i);
    }
    if (has_any(plain[i], kContacts) && !notices.contact_has_way) {
      notices.contact_has_way = has_way_near(i, true);
      if (notices.contact_has_way) notices.contact.reset();
      note(notices.contact, i);
    }
  }
  return notices;
}

std::vector<Finding> law_findings(std::span<const LawPart> parts, std::string_view sender_name) {
  std::vector<Finding> findings;
  for (const LawPart& part : parts) {
    const LawNotices notices = law_notices(part.text, sender_name);
    const std::array duties{
        Duty{"law_sender_missing", {}, notices.sender, true, "発行元: 株式会社〇〇"},
        Duty{"law_address_missing",
             {},
             notices.address,
             true,
             "〒100-0001 東京都千代田区〇〇 1-2-3"},
        Duty{"law_opt_out_missing", "law_opt_out_without_way", notices.opt_out,
             notices.opt_out_has_way, "配信停止はこちら: https://example.jp/unsubscribe"},
        Duty{"law_contact_missing", "law_contact_without_way", notices.contact,
             notices.contact_has_way, "お問い合わせ: info@example.jp"},
    };
    bool is_complete = true;
    for (const Duty& duty : duties) {
      if (duty.found && duty.has_way) continue;
      is_complete = false;
      Finding finding = duty.found
                            ? preflight_finding(duty.without_way,
                                                {.subject = std::string(part.name),
                                                 .first = fmt::format("{}", duty.found->number)})
                            : preflight_finding(duty.missing, {.subject = std::string(part.name)});
      if (duty.found) finding.found = duty.found->text;
      finding.expected = duty.line_to_add;
      findings.push_back(std::move(finding));
    }
    if (is_complete) {
      findings.push_back(preflight_finding("law_complete", {.subject = std::string(part.name)}));
    }
  }
  return findings;
}

}  // namespace todoku::doctor
