// SPDX-License-Identifier: Apache-2.0
// todoku personal-data export | delete, todoku audit list
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/printable_stream.h"
#include "operate/calls/calls.h"

namespace todoku::cli {

using operate::Given;
namespace calls = operate::calls;

namespace {

// For the audit: which user of the machine.
std::string who_asks() {
  return fmt::format("operator, uid {}", getuid());
}

// One JSON object, written as its pages come: nothing but a page is in memory. Pages have all mails
// first and then what lists say, so that each list of the object is begun once.
class PersonalWriter {
 public:
  explicit PersonalWriter(Session& session) : session_(session) {}

  void take(const boost::json::value& page) {
    if (!began_) {
      session_.out() << R"({"email":)"
                     << printable_json(
                            boost::json::serialize(boost::json::value(text_of(page, "email"))));
      began_ = true;
      open(0);
    }
    for (const auto& mail : list_of(page, kLists[0])) element(mail);
    for (std::size_t list = 1; list < kLists.size(); ++list) {
      for (const auto& entry : list_of(page, kLists[list])) rest_[list].push_back(entry);
    }
  }
  void end() {
    for (std::size_t list = 1; list < kLists.size(); ++list) {
      session_.out() << "\n]";
      open(list);
      for (const auto& entry : rest_[list]) element(entry);
    }
    session_.out() << "\n]}\n";
  }

 private:
  static constexpr std::array<std::string_view, 3> kLists{"mails", "suppressions", "removed"};

  void open(std::size_t list) {
    session_.out() << ",\n\"" << kLists[list] << "\":[";
    first_ = true;
  }
  void element(const boost::json::value& value) {
    session_.out() << (first_ ? "\n" : ",\n") << printable_json(boost::json::serialize(value));
    first_ = false;
  }

  Session& session_;
  bool began_ = false;
  bool first_ = true;
  // A subject has some hundred entries of each account at most.
  std::array<boost::json::array, 3> rest_;
};

}  // namespace

int personal_data_export(Session& session, const PersonalData& whose) {
  PersonalWriter writer(session);
  std::string after;
  do {
    Given given =
        Given(calls::kExportPersonal).with("email", whose.address).with("actor", who_asks());
    if (!whose.account.empty()) given.with("account", whose.account);
    if (!after.empty()) given.with("after", after);
    const int status = session.ask_for(given, [&](const boost::json::value& page) {
      writer.take(page);
      after = text_of(page, "next");
    });
    if (status != 0) return status;
  } while (!after.empty());
  writer.end();
  return 0;
}

namespace {

// Of all parts together.
struct Erased {
  static constexpr std::array<std::string_view, 8> kCounts{"erased",
                                                           "stopped",
                                                           "contents_erased",
                                                           "contents_kept",
                                                           "suppressions_hashed",
                                                           "suppressions_removed",
                                                           "removals_hashed",
                                                           "exports_removed"};
  static constexpr std::size_t kShown = 20;

  std::array<std::int64_t, kCounts.size()> counts{};
  std::int64_t on_their_way = 0;
  boost::json::array first;  // of those

  void take(const boost::json::value& part) {
    for (std::size_t i = 0; i < kCounts.size(); ++i) counts[i] += number_of(part, kCounts[i]);
    for (const auto& mail : list_of(part, "on_their_way")) {
      ++on_their_way;
      if (first.size() < kShown) first.push_back(mail);
    }
  }
  [[nodiscard]] std::int64_t count(std::string_view name) const {
    const auto found = std::ranges::find(kCounts, name);
    return counts[static_cast<std::size_t>(found - kCounts.begin())];
  }
  [[nodiscard]] std::string json() const {
    boost::json::object whole;
    for (std::size_t i = 0; i < kCounts.size(); ++i) whole[kCounts[i]] = counts[i];
    whole["on_their_way"] = on_their_way;
    whole["first_on_their_way"] = first;
    return boost::json::serialize(whole);
  }
};

void tell_erased(Session& session, const Erased& all, const std::string& address) {
  session.say({"Mails whose recipient was erased: {}.", "宛先を消去したメール: {} 通。"},
              all.count("erased"));
  if (all.count("stopped") > 0) {
    session.say({"Of these cancelled for it: {}.", "うち、消去のために取り消したもの: {} 通。"},
                all.count("stopped"));
  }
  session.say({"Contents erased: {}; kept because others got them, too: {}.",
               "消去した本文: {} 件。ほかの宛先もあるため残した本文: {} 件。"},
              all.count("contents_erased"), all.count("contents_kept"));
  if (all.count("contents_kept") > 0) {
    session.say({"What is kept may name {} in its text.",
                 "残した本文には {} が書かれている可能性があります。"},
                address);
  }
  session.say(
      {"Entries of suppression lists that go on stopping mail, kept as a hash: {}; removed: "
       "{}.",
       "ハッシュだけを残し、引き続き送信を止める登録: {} 件。削除した登録: {} 件。"},
      all.count("suppressions_hashed"), all.count("suppressions_removed"));
  if (all.count("exports_removed") > 0) {
    session.say(
        {"Files of exports that are removed: {}.", "削除するエクスポートのファイル: {} 件。"},
        all.count("exports_removed"));
  }
  session.say({"Backups, files of imports and the journal are told of in docs/personal-data.md.",
               "バックアップ、取り込みのファイル、ジャーナルについては docs/personal-data.ja.md を"
               "参照してください。"});
}

void tell_left(Session& session, const Erased& all) {
  session.err() << session.words(
                       {"{} mails to it were not erased: they are on their way, or mail to others "
                        "whose header names it is. --stop cancels those to it that have not gone "
                        "out; for others, try again when they are over",
                        "{} 通は消去していません。まだ送信の途中にあるか、このアドレスをヘッダーに"
                        "含むほかの宛先へのメールが途中です。送信前のものは --stop で取り消せます。"
                        "ほかの宛先へのメールが終わったら、もう一度実行してください"},
                       all.on_their_way)
                << '\n';
  for (const auto& mail : all.first) {
    session.err() << session.words({"  account {}, delivery {}, mail {}: {}",
                                    "  アカウント {}、配信 {}、メール {}: {}"},
                                   text_of(mail, "account"), number_of(mail, "delivery_id"),
                                   number_of(mail, "email_id"), text_of(mail, "state"))
                  << '\n';
  }
}

}  // namespace

int personal_data_delete(Session& session, const PersonalData& whose, bool stop) {
  Erased all;
  std::string after;
  do {
    Given given =
        Given(calls::kErasePersonal).with("email", whose.address).with("actor", who_asks());
    if (!whose.account.empty()) given.with("account", whose.account);
    if (stop) given.with("stop", true);
    if (!after.empty()) given.with("after", after);
    const int status = session.ask_for(given, [&](const boost::json::value& part) {
      all.take(part);
      after = text_of(part, "next");
    });
    if (status != 0) return status;
  } while (!after.empty());
  if (session.common().json) {
    session.out() << printable_json(all.json()) << '\n';
  } else {
    tell_erased(session, all, whose.address);
  }
  if (all.on_their_way > 0) tell_left(session, all);
  return all.on_their_way > 0 ? 1 : 0;
}

int audit_list(Session& session, const AuditWish& wish) {
  std::int64_t after = 0;
  bool first = true;
  if (session.common().json) session.out() << R"({"audit":[)";
  do {
    Given given = Given(calls::kListAudit).with("limit", std::int64_t{1'000}).with("after", after);
    if (!wish.since.empty()) given.with("since", wish.since);
    if (!wish.address.empty()) given.with("address", wish.address);
    if (wish.utc) given.with("utc_offset_minutes", std::int64_t{0});
    const int status = session.ask_for(given, [&](const boost::json::value& page) {
      after = number_of(page, "next");
      for (const auto& line : list_of(page, "audit")) {
        if (session.common().json) {
          session.out() << (first ? "\n" : ",\n") << printable_json(boost::json::serialize(line));
        } else {
          session.out() << time_of(line, "at") << "  " << text_of(line, "at") << "  "
                        << text_of(line, "actor") << "  " << text_of(line, "origin") << "  "
                        << text_of(line, "action") << "  " << text_of(line, "account");
          if (const auto delivery = number_of(line, "delivery_id"); delivery != 0) {
            session.out() << "  " << session.words({"delivery {}", "配信 {}"}, delivery);
          }
          if (const auto email = number_of(line, "email_id"); email != 0) {
            session.out() << "  " << session.words({"mail {}", "メール {}"}, email);
          }
          session.out() << '\n';
        }
        first = false;
      }
    });
    if (status != 0) return status;
  } while (after != 0);
  if (session.common().json) {
    session.out() << "\n]}\n";
  } else if (first) {
    session.say({"There are no records.", "記録はありません。"});
  }
  return 0;
}

}  // namespace todoku::cli
