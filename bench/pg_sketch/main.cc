// SPDX-License-Identifier: Apache-2.0
// Bench only, no part of the engine: can the hot operations of store/work.h be merged on
// PostgreSQL, and what is it worth? Prints name, value and unit, tab-separated, and a table at the
// end.
//
//   todoku_pg_sketch PORT USER [--quick]       (bench/run pg_sketch starts the server)
#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "data.h"
#include "measure.h"
#include "merged.h"
#include "singly.h"
#include "trial.h"

namespace todoku::pg_sketch {
namespace {

template <class T>
T must(Result<T> result) {
  check(result.has_value(), result ? "" : result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class Op>
std::int64_t answered(const Result<Answers<Op>>& answers) {
  check(answers.has_value(), answers ? "" : answers.error().detail);
  for (const auto& answer : *answers) check(answer.has_value(), "an item was refused");
  return static_cast<std::int64_t>(answers->size());
}

// Numbers of what is stored beforehand: far from those that are given out.
std::int64_t fresh_key() {
  static std::int64_t next = 1'000'000'000;
  return next += 10'000'000;
}

// ---- the cases ---------------------------------------------------------------------------------

void accepts(Bench& bench) {
  for (const std::size_t waiting : {64U, 256U}) {
    bench.measure(fmt::format("accept_{}", waiting), "mails/s", false, [waiting] {
      auto items = std::make_shared<std::vector<store::Accept>>(some_accepts(waiting));
      auto ids = std::make_shared<Ids>();
      return std::vector{Worker{.run = [items, ids](Link& link) {
        std::vector<const store::Accept*> together;
        for (const auto& item : *items) together.push_back(&item);
        return answered<store::Accept>(accept(link, *ids, together));
      }}};
    });
  }
  bench.measure("accept_singly", "mails/s", true, [] {
    auto items = std::make_shared<std::vector<store::Accept>>(some_accepts(1));
    auto ids = std::make_shared<Ids>();
    return std::vector{Worker{.run = [items, ids](Link& link) {
      const store::Accept* const one = items->data();
      return answered<store::Accept>(accept(link, *ids, std::span(&one, 1)));
    }}};
  });
}

// Outcomes one after the other, by batches; each batch is released with its last.
struct Outcomes {
  std::int64_t first = 0;
  std::uint32_t next = 0;
  std::vector<store::OutcomeRecord> outcomes;
  std::vector<store::BatchRelease> releases;

  void prepare(std::uint32_t size) {
    outcomes.clear();
    releases.clear();
    const store::DeliveryKey key{first};
    for (std::uint32_t i = 0; i < size; ++i, ++next) {
      constexpr auto kSize = static_cast<std::uint32_t>(kBatchSize);
      const std::uint32_t batch = next / kSize;
      outcomes.push_back(some_outcome({key, batch, next % kSize}));
      if (next % kSize == kSize - 1) releases.push_back({{{key, batch}, 1}, {}});
    }
  }
};

constexpr std::int64_t kBatches = 2'000;

void settles(Bench& bench) {
  struct Case {
    std::string_view name;
    std::uint32_t group;  // outcomes of an item
    std::uint32_t items;  // merged
    std::size_t links;
    bool one_delivery;
  };
  for (const Case& each :
       {Case{"settle_128", 128, 1, 1, true}, Case{"settle_4x128", 128, 4, 1, true},
        Case{"settle_512", 512, 1, 1, true}, Case{"settle_512_3_links", 512, 1, 3, true},
        Case{"settle_512_3_links_own", 512, 1, 3, false}}) {
    bench.measure(each.name, "outcomes/s", false, [&bench, each] {
      const std::int64_t key = fresh_key();
      store_held(bench.direct(), key, kBatches);
      std::vector<Worker> workers;
      for (std::size_t link = 0; link < each.links; ++link) {
        auto groups = std::make_shared<std::vector<Outcomes>>(each.items);
        auto place = std::make_shared<std::uint32_t>(
            static_cast<std::uint32_t>(each.one_delivery ? link * kBatches / 3 * kBatchSize : 0));
        const std::int64_t own = each.one_delivery || link == 0 ? key : fresh_key();
        if (own != key) store_held(bench.direct(), own, kBatches);
        workers.push_back({.ready =
                               [groups, place, own, each] {
                                 for (Outcomes& group : *groups) {
                                   group.first = own;
                                   group.next = *place;
                                   group.prepare(each.group);
                                   *place = group.next;
                                 }
                               },
                           .run =
                               [groups](Link& link_used) {
                                 std::vector<store::Settle> items;
                                 for (const Outcomes& group : *groups) {
                                   items.push_back({group.outcomes, group.releases});
                                 }
                                 std::vector<const store::Settle*> together;
                                 std::int64_t size = 0;
                                 for (const auto& item : items) {
                                   together.push_back(&item);
                                   size += static_cast<std::int64_t>(item.outcomes.size());
                                 }
                                 answered<store::Settle>(settle(link_used, together));
                                 return size;
                               }});
      }
      return workers;
    });
  }
  bench.measure("settle_singly", "outcomes/s", true, [&bench] {
    auto group = std::make_shared<Outcomes>();
    group->first = fresh_key();
    store_held(bench.direct(), group->first, kBatches);
    return std::vector{Worker{.ready = [group] { group->prepare(128); },
                              .run =
                                  [group](Link& link) {
                                    must(settle_singly(link, {group->outcomes, group->releases}));
                                    return std::int64_t{128};
                                  }}};
  });
}

void claims(Bench& bench) {
  constexpr std::int64_t kStored = 64;
  const std::int64_t key = fresh_key();
  store_claimable(bench.direct(), key, kStored);
  must(bench.direct(), "ANALYZE");
  for (const std::uint32_t size : {8U, 1U}) {
    const bool singly = size == 1;
    bench.measure(singly ? "claim_singly" : "claim_8", "batches/s", singly, [&bench, key, size] {
      auto next = std::make_shared<std::uint32_t>(0);
      offer(bench.direct(), key, kStored);
      return std::vector{
          Worker{.ready =
                     [&bench, key, next] {
                       if (*next < kStored) return;
                       *next = 0;
                       offer(bench.direct(), key, kStored);
                     },
                 .run =
                     [key, next, size](Link& link) {
                       std::array<store::Claim, 2> items;
                       for (std::uint32_t i = 0; i < size; ++i, ++*next) {
                         items.at(i % 2).batches.push_back({store::DeliveryKey{key}, *next});
                       }
                       items[0].node = items[1].node = kNode;
                       const std::array<const store::Claim*, 2> together{items.data(), &items[1]};
                       const auto answers =
                           must(claim(link, std::span(together).first(size == 1 ? 1 : 2)));
                       for (const auto& answer : answers) {
                         check(answer.has_value(), "refused");
                         for (const auto& batch : answer->batches) {
                           check(batch && batch->recipients.size() == kBatchSize, "not leased");
                         }
                       }
                       return std::int64_t{size};
                     }}};
    });
  }
}

void stages(Bench& bench) {
  static std::int64_t job = 100;
  struct Case {
    std::string_view name;
    std::size_t rows;
    int way;  // 0: arrays, 1: COPY, 2: singly
  };
  for (const Case& each : {Case{"stage_1000_arrays", 1'000, 0}, Case{"stage_1000_copy", 1'000, 1},
                           Case{"stage_10000_arrays", 10'000, 0},
                           Case{"stage_10000_copy", 10'000, 1}, Case{"stage_singly", 100, 2}}) {
    bench.measure(each.name, "rows/s", each.way == 2, [&bench, each] {
      const std::int64_t key = fresh_key();
      store_held(bench.direct(), key, 0);
      store_job(bench.direct(), key, ++job);
      auto item = std::make_shared<store::StageRows>(
          store::StageRows{job, store::AccountKey{1}, kNode, some_recipients(each.rows), 50});
      auto ids = std::make_shared<Ids>();
      return std::vector{Worker{.run = [item, ids, way = each.way](Link& link) {
        const store::StageRows* const one = item.get();
        if (way == 2) {
          must(stage_singly(link, *ids, *item));
        } else if (way == 1) {
          answered<store::StageRows>(stage_by_copy(link, *ids, std::span(&one, 1)));
        } else {
          answered<store::StageRows>(stage(link, *ids, std::span(&one, 1)));
        }
        return static_cast<std::int64_t>(item->recipients.size());
      }}};
    });
  }
}

void dues(Bench& bench) {
  const auto page = [&](std::string_view name, store::Workload workload = {}) {
    bench.measure(name, "pages/s", false, [workload] {
      return std::vector{Worker{.run = [workload](Link& link) {
        const auto found = must(due(link, {.workload = workload}));
        check(found.domains.size() == 256, "not a page");
        return std::int64_t{1};
      }}};
    });
  };
  store_due(bench.direct(), 10'000'000'000, 1'024 + 256, 256);
  must(bench.direct(), "ANALYZE batches");
  page("due_256_domains");
  bench.measure("due_singly", "pages/s", true, [] {
    return std::vector{Worker{.run = [](Link& link) {
      must(due_singly(link, 256));
      return std::int64_t{1};
    }}};
  });
  const std::int64_t many = bench.options().quick ? 100'000 : 1'000'000;
  store_due(bench.direct(), 20'000'000'000, many, 2'000);
  must(bench.direct(), "ANALYZE batches");
  page(fmt::format("due_{}_waiting", many));
  const std::int64_t bulk = 100'000;
  store_bulk_due(bench.direct(), 30'000'000'000, bulk, 2'000, 2);
  must(bench.direct(), "ANALYZE batches");
  page(fmt::format("due_{}_of_a_bulk", bulk), store::DeliveryKey{30'000'000'000});
}

// Octets of a row with its share of the index.
void sizes(Bench& bench) {
  for (const std::string_view table : {"recipients", "progress"}) {
    const auto size = must(bench.direct().simple(
        fmt::format("SELECT pg_total_relation_size('{0}') / (SELECT count(*) FROM {0})", table)));
    fmt::print("stored_{}\t{}\toctets\n", table, PQgetvalue(size.get(), 0, 0));
  }
}

int run(const Options& options) {
  Bench bench(options);
  store_accounts_and_nodes(bench.direct());
  Ids ids;
  fmt::print("accept_64_with_a_bad_one\t{}\tflights\n",
             try_answers(bench.direct(), *bench.another(), ids));
  accepts(bench);
  settles(bench);
  claims(bench);
  stages(bench);
  sizes(bench);
  dues(bench);
  bench.print_table();
  return 0;
}

}  // namespace
}  // namespace todoku::pg_sketch

int main(int argc, char** argv) {
  using namespace std::string_view_literals;
  todoku::pg_sketch::Options options;
  if (argc < 3) {
    fmt::print(stderr, "usage: todoku_pg_sketch PORT USER [--quick]\n");
    return 2;
  }
  const std::string_view port = argv[1];
  std::from_chars(port.data(), port.data() + port.size(), options.port);
  options.user = argv[2];
  options.quick = argc > 3 && argv[3] == "--quick"sv;
  return todoku::pg_sketch::run(options);
}
