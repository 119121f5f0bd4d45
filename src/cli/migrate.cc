// SPDX-License-Identifier: Apache-2.0
// todoku migrate status|up, and todoku migrate --from: a store carried over
#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/printable.h"
#include "cli/commands.h"

namespace todoku::cli {
namespace {

std::time_t seconds_of(Instant instant) {
  return to_epoch_ms(instant) / 1'000;
}
std::string in_utc(Instant instant) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds_of(instant)));
}
// For people, as everywhere.
std::string in_japan(Instant instant) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} JST",
                     fmt::gmtime(seconds_of(instant + std::chrono::hours(9))));
}

// Of a store that has steps; prints what there is to say of one that has none. nullopt: all is
// said, and the exit status stands in `status`.
std::optional<Schema> schema_of(Session& session, int& status) {
  auto schema = session.host().schema(session.common().config);
  if (!schema) {
    status = session.fail(schema.error().detail);
    return std::nullopt;
  }
  status = 0;
  if (!schema->by_itself || session.common().json) return std::move(*schema);
  session.say({"{}: nothing to do, the engine brings its tables up to date by itself when it "
               "starts",
               "{}: テーブルは起動時にエンジンが自動で更新するため、何もする必要はありません"},
              schema->place);
  return std::nullopt;
}

std::int64_t missing_of(const Schema& schema, bool contract = false) {
  return std::ranges::count_if(schema.steps, [contract](const SchemaStep& step) {
    return step.contracts == contract && !step.taken.has_value();
  });
}

int print_json(Session& session, const Schema& schema) {
  boost::json::array steps;
  for (const SchemaStep& step : schema.steps) {
    boost::json::object object{{"step", step.number}, {"name", step.name}};
    if (step.contracts) object["contracts"] = true;
    if (step.taken) object["taken"] = in_utc(*step.taken);
    steps.push_back(std::move(object));
  }
  const boost::json::object all{{"kind", schema.kind},
                                {"by_itself", schema.by_itself},
                                {"missing", missing_of(schema)},
                                {"contractions", missing_of(schema, true)},
                                {"worked_on_by", schema.worked_on_by},
                                {"steps", std::move(steps)}};
  session.out() << boost::json::serialize(all) << '\n';
  return 0;
}

void tell_blockers(Session& session, std::int64_t step, const std::vector<SchemaBlocker>& by) {
  const Language language = session.language();
  constexpr Sentence kWaits{"step {} waits for locks and is tried again\n",
                            "手順 {} はロック待ちのため、再試行します\n"};
  session.err() << fmt::format(fmt::runtime(kWaits.in(language)), step);
  constexpr Sentence kBlocker{
      "  held by process {} ({}), its transaction runs for {} s: {}\n",
      "  ロック元のプロセス {}（{}）、トランザクション開始から {} 秒: {}\n"};
  for (const SchemaBlocker& each : by) {
    session.err() << fmt::format(fmt::runtime(kBlocker.in(language)), each.pid,
                                 printable(each.application.empty() ? "-" : each.application),
                                 each.seconds, printable(each.query));
  }
}

}  // namespace

int migrate_status(Session& session) {
  int status = 0;
  const auto schema = schema_of(session, status);
  if (!schema) return status;
  if (session.common().json) return print_json(session, *schema);
  session.out() << schema->place << '\n';
  for (const SchemaStep& step : schema->steps) {
    const std::string taken =
        step.taken ? in_japan(*step.taken) : session.words({"not taken yet", "未実行"});
    session.out() << fmt::format("{:>4}  {:<24} {}\n", step.number, step.name, taken);
  }
  const std::int64_t missing = missing_of(*schema);
  if (missing == 0) {
    session.say({"nothing is missing", "すべて実行済みです"});
  } else {
    session.say(
        {"{} to take: todoku migrate up", "未実行の手順が {} 件あります: todoku migrate up"},
        missing);
  }
  if (const std::int64_t contractions = missing_of(*schema, true); contractions > 0) {
    session.say({"{} that take away what the version before needs, once none of it runs: "
                 "todoku migrate contract",
                 "前の版に必要なものを取り除く手順が {} 件あります。前の版が動いていなければ: "
                 "todoku migrate contract"},
                contractions);
  }
  return 0;
}

int migrate_up(Session& session, bool contract, std::chrono::seconds patience) {
  int status = 0;
  const auto before = schema_of(session, status);
  if (!before) return status;
  if (!before->by_itself) {
    const auto done =
        session.host().migrate(session.common().config, contract, patience,
                               [&](std::int64_t step, const std::vector<SchemaBlocker>& by) {
                                 tell_blockers(session, step, by);
                               });
    if (!done) return session.fail(done.error().detail);
  }
  const auto after = schema_of(session, status);
  if (!after) return status;
  if (session.common().json) return print_json(session, *after);
  const auto left = [](const Schema& schema) {
    return missing_of(schema) + missing_of(schema, true);
  };
  const std::int64_t taken = left(*before) - left(*after);
  if (taken == 0) {
    session.say({"{}: nothing was missing", "{}: すべて実行済みです"}, after->place);
  } else {
    session.say({"{}: {} taken", "{}: 手順を {} 件実行しました"}, after->place, taken);
  }
  return 0;
}

namespace {

int print_carriage_json(Session& session, const Carriage& carriage) {
  boost::json::array tables;
  for (const CarriedTable& table : carriage.tables) {
    tables.push_back(
        boost::json::object{{"table", table.name}, {"rows", table.rows}, {"sum", table.sum}});
  }
  const boost::json::object all{{"from", carriage.from},
                                {"to", carriage.to},
                                {"took_ms", carriage.took.count()},
                                {"tables", std::move(tables)}};
  session.out() << boost::json::serialize(all) << '\n';
  return 0;
}

}  // namespace

int migrate_from(Session& session, const std::string& from) {
  const auto told = [&](std::string_view table, std::int64_t rows, bool comparing) {
    if (session.common().json) return;
    const Sentence sentence = comparing
                                  ? Sentence{"comparing {}: {} rows so far", "{} を照合中: {} 行"}
                                  : Sentence{"carrying {}: {} rows so far", "{} を移行中: {} 行"};
    session.err() << session.words(sentence, table, rows) << '\n';
  };
  const auto carriage = session.host().carry(session.common().config, from, told);
  if (!carriage) return session.fail(carriage.error().detail);
  if (session.common().json) return print_carriage_json(session, *carriage);
  std::vector<std::vector<std::string>> rows{
      {session.words({"table", "テーブル"}), session.words({"rows", "行数"}),
       session.words({"sum, the same on both sides", "ハッシュの和（両側で一致）"})}};
  for (const CarriedTable& table : carriage->tables) {
    rows.push_back({table.name, fmt::format("{}", table.rows), table.sum});
  }
  print_table(session.out(), std::move(rows));
  session.say({"Carried from {} to {} in {:.1f} s. The old store is kept as it is, and no engine "
               "sends from it any more.",
               "{} から {} へ {:.1f} 秒で移行しました。元のデータはそのまま残りますが、"
               "そこからはもう送信しません。"},
              carriage->from, carriage->to, static_cast<double>(carriage->took.count()) / 1'000.0);
  return 0;
}

}  // namespace todoku::cli
