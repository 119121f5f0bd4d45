// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/schema.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/log.h"
#include "store/postgres/schema_steps.h"

namespace todoku::store::postgres {
namespace {

constexpr std::array<Step, 38> kSteps{{{"tables", kStep1},
                                       {"terms of API keys", kStep2},
                                       {"what nodes say of themselves", kStep3},
                                       {"answers to repeated requests", kStep4},
                                       {"events", kStep5},
                                       {"log and usages", kStep6},
                                       {"domains and limits of accounts", kStep7},
                                       {"suppression lists and exports", kStep8},
                                       {"openings", kStep9},
                                       {"header fields, lives and courses", kStep10},
                                       {"endpoints of webhooks", kStep11},
                                       {"inline parts", kStep12},
                                       {"relayed messages", kStep13},
                                       {"relayed messages in pieces", kStep14},
                                       {"of whom mails may be out", kStep15},
                                       {"readers of events", kStep16},
                                       {"credentials that are held", kStep17},
                                       {"audit and erased subjects", kStep18},
                                       {"what a preflight goes by", kStep19},
                                       {"reports of domains", kStep20},
                                       {"checks of domains", kStep21},
                                       {"transport security of receivers", kStep22},
                                       {"keys that rotate by themselves", kStep23},
                                       {"outcomes by cause", kStep24},
                                       {"paces of lanes", kStep25},
                                       {"rates of bounces and complaints", kStep26},
                                       {"volumes of sources that warm up", kStep27},
                                       {"probes of mailboxes", kStep28},
                                       {"complaints in stories", kStep29},
                                       {"what imports find", kStep30},
                                       {"of which limits accounts were told", kStep31},
                                       {"templates", kStep32},
                                       {"accounts for trials", kStep33},
                                       {"paces, quiet hours and resends", kStep34},
                                       {"marks of recipients", kStep35},
                                       {"people who sign in", kStep36},
                                       {"audit by account, last uses", kStep37},
                                       {"approvals, makers of keys", kStep38}}};

// How many steps a program must know to work on these tables, whatever contractions say: those of
// the release before, so that its processes go on, and start again, until each has been replaced,
// and can come back. Told to the database with each step. It rises where they would do wrong: of
// fewer than 18 a program does not know that somebody whose address was erased has opted out.
constexpr std::int64_t kWorkedOnBy = 18;

// Of what a node says of itself; reads_nodes.cc asks for it.
constexpr std::string_view kKnownSteps = "knows ";

constexpr Milliseconds kLockMost = std::chrono::seconds(2);
constexpr Milliseconds kStepMax = std::chrono::minutes(10);
constexpr Milliseconds kSchemaLookMax = std::chrono::seconds(10);

const Sql kHasSteps{
    "schema: are there steps",
    "SELECT to_regclass('todoku_schema') IS NOT NULL,"
    " (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND c.relkind = 'r')"};
const Sql kStepsTaken{"schema: steps taken",
                      "SELECT count(*), coalesce(max(step), 0) FROM todoku_schema"};
const Sql kStepsAll{"schema: steps", "SELECT step, taken FROM todoku_schema ORDER BY step"};
const Sql kTellWorkedOnBy{"schema: tell who can work on it",
                          "INSERT INTO meta VALUES('worked_on_by', convert_to($1::bigint::text,"
                          " 'UTF8')) ON CONFLICT (name) DO UPDATE SET value = excluded.value"};
const Sql kWorkedOnBySql{"schema: who can work on it",
                         "SELECT convert_from(value, 'UTF8')::bigint FROM meta"
                         " WHERE name = 'worked_on_by'"};
const Sql kMakeSteps{"schema: table of steps",
                     "CREATE TABLE IF NOT EXISTS todoku_schema(step bigint PRIMARY KEY,"
                     " taken bigint NOT NULL)"};
const Sql kLockTimeout{"schema: lock timeout",
                       "SELECT set_config('lock_timeout', $1 || 'ms', true),"
                       " pg_backend_pid()::bigint,"
                       " set_config('client_min_messages', 'warning', true)"};
// A step is begun by one at a time, and who comes second finds it taken: its statements see what
// was committed while they waited, whatever isolation the database has by default. The lock of a
// number comes first, because tables that are not there cannot be locked, and two who make one at
// once fail ("todoku" as a number).
const Sql kBeginStep{"schema: begin", "BEGIN ISOLATION LEVEL READ COMMITTED"};
const Sql kLockMigration{"schema: lock migration", "SELECT pg_advisory_xact_lock(128021775215477)"};
const Sql kLockSteps{"schema: lock", "LOCK TABLE todoku_schema IN SHARE ROW EXCLUSIVE MODE"};
const Sql kStepTaken{"schema: step taken",
                     "INSERT INTO todoku_schema VALUES($1, (extract(epoch FROM now())"
                     " * 1000)::bigint) ON CONFLICT DO NOTHING RETURNING step"};

// Nobody enters until the step is taken, and then finds out whether he can work on the tables.
const Sql kLockNodes{"schema: lock nodes", "LOCK TABLE nodes IN SHARE MODE"};
const Sql kOthersLive{
    "schema: nodes of other versions",
    "SELECT count(*), coalesce(string_agg(DISTINCT n.version, ', '), '') FROM nodes n"
    " JOIN node_leases l ON l.node = n.key WHERE n.void = 0 AND n.version <> $1"
    " AND l.until > (extract(epoch FROM now()) * 1000)::bigint"};

std::int64_t count_of(Steps steps) {
  return static_cast<std::int64_t>(steps.size());
}
const Step& step_at(Steps steps, std::int64_t number) {
  return steps[static_cast<std::size_t>(number - 1)];
}

// Of a database that has steps which this program does not know.
Result<std::int64_t> judge_newer(Link& link, std::int64_t last, Steps steps) {
  const auto told = link.fly_one(kWorkedOnBySql, {}, kSchemaLookMax);
  if (!told) return fail(told.error());
  if (!told->empty() && told->integer(0, 0) <= count_of(steps)) return count_of(steps);
  return fail(ErrorKind::unsupported,
              fmt::format("the database has schema step {} and this program knows up to {}; "
                          "start the newer todoku that wrote it",
                          last, count_of(steps)));
}

// Within the transaction of a contraction. conflict: somebody of another version lives.
Result<void> check_alone(Link& link, std::string_view version) {
  auto others = link.add(kLockNodes).add(kOthersLive, Params() << version).fly(kStepMax);
  if (!others) return fail(std::move(others.error()));
  const Table& told = others->back();
  if (told.integer(0, 0) == 0) return {};
  return fail(ErrorKind::conflict,
              fmt::format("nothing was taken away: {} processes of other versions than {} work on "
                          "the tables ({}), and may need it. Replace them first; one that was "
                          "killed counts for 15 s more",
                          told.integer(0, 0), version, told.text(0, 1)));
}

}  // namespace

Steps schema() {
  return kSteps;
}

std::int64_t schema_steps() {
  return count_of(kSteps);
}

std::int64_t schema_steps_needed(Steps steps) {
  std::int64_t needed = count_of(steps);
  while (needed > 0 && step_at(steps, needed).kind == StepKind::contraction) --needed;
  return needed;
}

// Who knows a contraction does not use what it takes away.
std::int64_t schema_worked_on_by(Steps steps, std::int64_t step) {
  std::int64_t last = std::min(step, count_of(steps));
  while (last > kWorkedOnBy && step_at(steps, last).kind != StepKind::contraction) --last;
  return std::max(last, kWorkedOnBy);
}

std::string with_known_steps(std::string_view settings) {
  return fmt::format("{}{}\n{}", kKnownSteps, schema_steps(), settings);
}

std::string_view without_known_steps(std::string_view settings) {
  if (!settings.starts_with(kKnownSteps)) return settings;
  const auto end = settings.find('\n');
  return end == std::string_view::npos ? settings : settings.substr(end + 1);
}

Result<std::vector<SchemaStep>> schema_history(Link& link, Steps known) {
  const auto last = schema_step_of(link, known);
  if (!last) return fail(last.error());
  std::vector<SchemaStep> steps;
  for (const Step& step : known) {
    steps.push_back(
        {static_cast<std::int64_t>(steps.size()) + 1, step.name, std::nullopt, step.kind});
  }
  if (*last == 0) return steps;
  const auto taken = link.fly_one(kStepsAll, {}, kSchemaLookMax);
  if (!taken) return fail(taken.error());
  for (int row = 0; row < taken->size(); ++row) {
    const auto place = static_cast<std::size_t>(taken->integer(row, 0) - 1);
    if (place < steps.size()) steps[place].taken = taken->instant(row, 1);
  }
  return steps;
}

Result<std::int64_t> schema_step_of(Link& link, Steps steps) {
  const auto has = link.fly_one(kHasSteps, {}, kSchemaLookMax);
  if (!has) return fail(has.error());
  if (!has->flag(0, 0)) {
    if (has->integer(0, 1) == 0) return 0;
    return fail(ErrorKind::corrupt,
                "the database belongs to another program; give todoku a database of its own");
  }
  const auto taken = link.fly_one(kStepsTaken, {}, kSchemaLookMax);
  if (!taken) return fail(taken.error());
  const std::int64_t last = taken->integer(0, 1);
  if (taken->integer(0, 0) != last) {
    return fail(ErrorKind::corrupt,
                "the database lacks a step of its schema before its last; restore a backup");
  }
  return last > count_of(steps) ? judge_newer(link, last, steps) : last;
}

Result<void> check_schema(Link& link, Steps steps) {
  const auto step = schema_step_of(link, steps);
  if (!step) return fail(step.error());
  const std::int64_t needed = schema_steps_needed(steps);
  if (*step >= needed) return {};
  return fail(ErrorKind::not_found,
              *step == 0 ? std::string("the database is empty; run `todoku migrate up`")
                         : fmt::format("the database has schema step {} and this program needs "
                                       "{}; run `todoku migrate up`",
                                       *step, needed));
}

Result<void> take_schema_step(Link& link, const StepOrder& order,
                              const std::function<void(std::int64_t pid)>& begun, Steps steps) {
  const std::string most = fmt::format("{}", order.lock_most.count());
  const auto first = link.add(kBeginStep)
                         .add(kLockTimeout, Params() << std::string_view(most))
                         .fly(kSchemaLookMax);
  if (!first) return fail(first.error());
  begun(first->back().integer(0, 1));
  auto locked = link.add(kLockMigration)
                    .add(kMakeSteps)
                    .add(kLockSteps)
                    .add(kStepTaken, Params() << order.step)
                    .fly(kStepMax);
  if (!locked) return fail(std::move(locked.error()));
  if (locked->back().empty()) {
    (void)link.roll_back(kSchemaLookMax);
    return {};
  }
  const Step& step = step_at(steps, order.step);
  if (step.kind == StepKind::contraction && !order.alone_as.empty()) {
    if (auto alone = check_alone(link, order.alone_as); !alone) {
      (void)link.roll_back(kSchemaLookMax);
      return alone;
    }
  }
  std::string_view rest = step.statements;
  for (auto end = rest.find(";\n"); end != std::string_view::npos; end = rest.find(";\n")) {
    const std::string text(rest.substr(0, end));
    rest.remove_prefix(end + 2);
    const Sql sql{Sql::Once{}, "schema: step", text.c_str()};
    auto done = link.fly_one(sql, {}, kStepMax);
    if (!done) return fail(std::move(done.error()));
  }
  auto done = link.add(kTellWorkedOnBy, Params() << schema_worked_on_by(steps, order.step))
                  .add(kCommit)
                  .fly(kStepMax);
  if (!done) return fail(std::move(done.error()));
  log::info("schema step taken", {{"step", order.step}});
  return {};
}

Result<void> take_schema_steps(Link& link) {
  const auto from = schema_step_of(link);
  if (!from) return fail(from.error());
  for (std::int64_t step = *from + 1; step <= schema_steps(); ++step) {
    auto done = take_schema_step(link, {.step = step, .lock_most = kLockMost}, [](std::int64_t) {});
    if (!done) return fail(fmt::format("schema step {}", step), std::move(done.error()));
  }
  return {};
}

}  // namespace todoku::store::postgres
