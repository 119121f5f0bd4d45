// SPDX-License-Identifier: Apache-2.0
#include "operate/cluster_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include <fmt/format.h>

namespace todoku::operate {
namespace {

using What = OtherName::What;

// The record: a line each, key and value. Configuration has no line feeds in texts.
// Those of one kind of store stand last and only where they are known: a version that does not know
// them reads the record of a store of the other kind.
constexpr std::array<std::pair<std::string_view, std::string ClusterNames::*>, 3> kNameLines{
    {{"cluster ", &ClusterNames::cluster},
     {"database ", &ClusterNames::database},
     {"queue ", &ClusterNames::queue}}};

constexpr std::string_view kFileLine = "file ";

// How far none goes.
constexpr std::string_view kNoJournal = "0";

std::string in_one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  return line;
}

// A record is noted in the store after it was appended, so one more proves nothing; but it tells of
// nothing that a store had not committed before.
bool knows_more(const ClusterNames& journal, const ClusterNames& store) {
  if (store.folding) return true;
  return journal.journal > store.journal + 1 ||
         (journal.journal > store.journal && journal.journal_place > store.journal_place);
}

}  // namespace

std::string to_text(const ClusterNames& names) {
  std::string text;
  for (const auto& [key, member] : kNameLines) {
    text += fmt::format("{}{}\n", key, in_one_line(names.*member));
  }
  if (!names.file.empty()) text += fmt::format("{}{}\n", kFileLine, in_one_line(names.file));
  return text;
}

std::optional<ClusterNames> parse_cluster_names(std::string_view text) {
  ClusterNames names;
  for (const auto& [key, member] : kNameLines) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !text.starts_with(key)) return std::nullopt;
    names.*member = text.substr(key.size(), end - key.size());
    text.remove_prefix(end + 1);
  }
  if (text.starts_with(kFileLine) && text.find('\n') == text.size() - 1) {
    names.file = text.substr(kFileLine.size(), text.size() - 1 - kFileLine.size());
    return names;
  }
  return text.empty() ? std::optional(names) : std::nullopt;
}

std::optional<std::uint64_t> parse_age(std::string_view text) {
  std::uint64_t age = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, age);
  return error == std::errc() && rest == end ? std::optional(age) : std::nullopt;
}

std::vector<OtherName> other_names(const std::optional<ClusterNames>& stored,
                                   const ClusterNames& here,
                                   const std::optional<std::string>& carried_to) {
  std::vector<OtherName> others;
  if (carried_to) others.push_back({What::carried, *carried_to, {}});
  if (!stored) return others;
  if (stored->cluster != here.cluster) {
    others.push_back({What::cluster, stored->cluster, here.cluster});
  }
  const auto compare = [&](What what, const std::string& before, const std::string& now) {
    if (!before.empty() && !now.empty() && before != now) others.push_back({what, before, now});
  };
  compare(What::database, stored->database, here.database);
  compare(What::queue, stored->queue, here.queue);
  compare(What::file, stored->file, here.file);
  if (stored->age < here.age) {
    others.push_back({What::age, std::to_string(stored->age), std::to_string(here.age)});
  }
  if (!stored->journal_store.empty() && !here.journal_store.empty() &&
      stored->journal_store != here.journal_store) {
    others.push_back({What::other_journal, stored->journal_store, here.journal_store});
  } else if (knows_more(here, *stored)) {
    others.push_back(
        {What::journal, std::to_string(stored->journal), std::to_string(here.journal)});
  }
  return others;
}

bool is_behind_journal(const std::vector<OtherName>& names) {
  return std::ranges::find(names, What::journal, &OtherName::what) != names.end();
}

std::string_view way_out(const std::vector<OtherName>& names) {
  const auto folds = [](const OtherName& name) {
    return name.what == What::journal && name.here != kNoJournal;
  };
  return std::ranges::any_of(names, folds) ? "todoku restore fold" : "todoku cluster adopt";
}

ClusterNames merged_names(const std::optional<ClusterNames>& stored, const ClusterNames& here) {
  ClusterNames names = here;
  if (!stored) return names;
  if (names.database.empty()) names.database = stored->database;
  if (names.queue.empty()) names.queue = stored->queue;
  // What was carried into a database is no file any more.
  if (names.file.empty() && names.database.empty()) names.file = stored->file;
  return names;
}

std::string to_sentence(const OtherName& name, Language language) {
  const auto said = [&](const Sentence& sentence) {
    return fmt::vformat(sentence.in(language), fmt::make_format_args(name.stored, name.here));
  };
  switch (name.what) {
    case What::cluster:
      return said({"the cluster is named \"{0}\" in the store and \"{1}\" here (cluster.name)",
                   "クラスター名はストアでは「{0}」、ここでは「{1}」です（cluster.name）"});
    case What::database:
      return said({"the store was served as {0} and is reached here as {1}",
                   "データベースは {0} として使われていましたが、ここでは {1} です"});
    case What::queue:
      return said(
          {"the queues were {0} and are {1} here", "キューは {0} でしたが、ここでは {1} です"});
    case What::file:
      return said(
          {"the database file is another one than was served before, which was {0}: a copy, or "
           "restored from a backup, {1}",
           "データベースのファイルがこれまで使われていたもの（{0}）と異なります。コピー、または"
           "バックアップから復元したものです（{1}）"});
    case What::age:
      return said(
          {"the database is older than the one that was served here last (age {0}, and {1} "
           "beside it): restored from a backup",
           "データベースが、ここで最後に使われていたものより古くなっています（世代 {0}、フォルダの"
           "記録は {1}）。バックアップから復元したものです"});
    case What::carried:
      return said({"everything was carried from this store to {0}, which sends it",
                   "このストアの内容は {0} に移行済みで、そちらから送信されます"});
    case What::journal:
      if (name.here == kNoJournal) {
        return said(
            {"a fold of the journal was begun and is not over, and there is no journal "
             "here (journal.directory): see whether its folder is mounted",
             "ジャーナルの反映が途中ですが、ここにはジャーナルがありません"
             "（journal.directory）。フォルダーがマウントされているか確認してください"});
      }
      return said(
          {"the journal outside of the store knows what this store has forgotten: it is an older "
           "copy (record {0}, and {1} outside)",
           "ジャーナルに、このストアにない記録があります。バックアップから復元した古い状態です"
           "（記録 {0}、ジャーナルは {1}）"});
    case What::other_journal:
      return said(
          {"the folder of the journal (journal.directory) holds the one of another store, "
           "{1} and not {0}: give this one a folder of its own",
           "ジャーナルのフォルダー（journal.directory）に別のストアのもの（{1}、このストアは "
           "{0}）があります。別のフォルダーを指定してください"});
  }
  return {};
}

std::string to_sentence(const std::vector<OtherName>& names, Language language) {
  std::string text;
  for (const OtherName& name : names) {
    if (!text.empty()) text += "; ";
    text += to_sentence(name, language);
  }
  return text;
}

std::string held_sentence(const std::vector<OtherName>& names, Language language) {
  constexpr Sentence kHeld{"HOLD: {}; see `{}`", "HOLD（停止状態）: {}。`{}` を参照してください"};
  return fmt::format(fmt::runtime(kHeld.in(language)), to_sentence(names, language),
                     way_out(names));
}

}  // namespace todoku::operate
