// SPDX-License-Identifier: Apache-2.0
// What an installation is called: by itself, and where it finds its database and its queues. The
// store remembers the names under which it was served, so that a process that comes to a copy of it
// (staging on a snapshot of production) notices before it sends everything a second time. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/result.h"

namespace todoku::operate {

// Names of settings of the store (store/settings.h). The second: it was carried to another store,
// which sends from now on; its value says where.
inline constexpr std::string_view kClusterSetting = "cluster";
inline constexpr std::string_view kCarriedToSetting = "carried_to";

// How old a store in a file is: see app/age.h.
inline constexpr std::string_view kAgeSetting = "age";

// Up to which number the journal was folded in; and whether that was begun and is not over by an
// adoption: "1", or nothing.
inline constexpr std::string_view kFoldedSetting = "journal_folded";
inline constexpr std::string_view kFoldingSetting = "journal_folding";

// Of a store that is open, or is only peeked into; nullopt: there is no such setting.
using ReadSetting = std::function<Result<std::optional<std::string>>(std::string_view name)>;

struct ClusterNames {
  std::string cluster;   // cluster.name; may be empty
  std::string database;  // host:port/dbname, without user and password; of a file: empty
  std::string queue;     // region, endpoint and prefix; without one of its own: empty
  // Which file it is, where the store is one: a copy is another. Unknown, or no file: empty.
  std::string file = {};
  // How old the file was when it was last served from this folder; 0: not known. Not a part of the
  // record, and in the store a setting of its own.
  std::uint64_t age = 0;
  // How far the journal outside of the store goes (events/journal), and of which store it is; in
  // the store, how far that had come as far as it knows. Nothing, and of none: there is none. Not a
  // part of the record either.
  std::uint64_t journal = 0;
  std::int64_t journal_place = 0;  // store::sheet_place(); of a store: of its last event
  std::string journal_store = {};
  // Of a store: what the journal knows is being folded in, or is.
  bool folding = false;
  friend bool operator==(const ClusterNames&, const ClusterNames&) = default;
};

[[nodiscard]] std::string to_text(const ClusterNames& names);
// nullopt: it is none.
[[nodiscard]] std::optional<ClusterNames> parse_cluster_names(std::string_view text);

// As the store and the folder keep it; nullopt: it is none.
[[nodiscard]] std::optional<std::uint64_t> parse_age(std::string_view text);

// A name under which the store was served, and the one that this process has for it.
struct OtherName {
  enum class What : std::uint8_t {
    cluster,
    database,
    queue,
    file,
    age,
    carried,
    journal,       // it knows more than the store
    other_journal  // it is another store's
  };
  What what = What::cluster;
  std::string stored;
  std::string here;
};

// What keeps a process called `here` from working on the store; empty: nothing. A database or a
// queue where there was none before, or none any more, is no other one. `carried_to`: the setting.
[[nodiscard]] std::vector<OtherName> other_names(const std::optional<ClusterNames>& stored,
                                                 const ClusterNames& here,
                                                 const std::optional<std::string>& carried_to);

// Whether one of them is that the journal knows more.
[[nodiscard]] bool is_behind_journal(const std::vector<OtherName>& names);

// What an engine that serves under `here` leaves stored: names that it does not have itself stay.
[[nodiscard]] ClusterNames merged_names(const std::optional<ClusterNames>& stored,
                                        const ClusterNames& here);

// "the cluster is named "production" in the store and "staging" here"
[[nodiscard]] std::string to_sentence(const OtherName& name, Language language);
[[nodiscard]] std::string to_sentence(const std::vector<OtherName>& names, Language language);
// The command that has a process in HOLD go on.
[[nodiscard]] std::string_view way_out(const std::vector<OtherName>& names);
// What is said to whoever comes with others: "HOLD: ...; see `todoku cluster adopt`"
[[nodiscard]] std::string held_sentence(const std::vector<OtherName>& names, Language language);

}  // namespace todoku::operate
