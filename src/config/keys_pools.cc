// SPDX-License-Identifier: Apache-2.0
// Keys about pools of sources, and which mail goes by which.
#include "config/table.h"

namespace todoku::config {
namespace {

ConfigSection pool() {
  using S = Config::Pool;
  SectionBuilder<S> s(
      "pool", &Config::pools,
      {"Sources that share what `[[pool_rule]]` gives them, by their `weight`; a "
       "source may be in several. What no rule fits goes by the sources that are "
       "in no pool. Without any, all sources share all mail.",
       "`[[pool_rule]]` で割り当てたメールを `weight` に応じて分け合う送信元の組。"
       "1 つの送信元を複数の組に入れてもよい。どのルールにも当てはまらないメールは、"
       "どの組にも入っていない送信元から送る。1 つもなければ、すべての送信元で分け合"
       "う。"});
  s.add("name", &S::name, "", {"Its name in rules and stories.", "ルールと配信の記録に出る名前。"})
      .form(TextForm::label)
      .required();
  s.add("sources", &S::sources, {},
        {"Names of its sources (`egress.name`).", "組に入れる送信元の名前（`egress.name`）。"})
      .form(TextForm::label)
      .required();
  return std::move(s).build();
}

ConfigSection pool_rule() {
  using S = Config::PoolRule;
  SectionBuilder<S> s(
      "pool_rule", &Config::pool_rules,
      {"Which mail goes by a pool: what all conditions that are written fit. The "
       "first rule that fits decides; one without conditions fits everything.",
       "どのメールをどの組から送るか。書いた条件がすべて合うメールに当てはまる。最初"
       "に当てはまったルールで決まり、条件のないルールはすべてに当てはまる。"});
  s.add("pool", &S::pool, "", {"The pool (`pool.name`).", "送信元の組（`pool.name`）。"})
      .form(TextForm::label)
      .required();
  s.add("account", &S::account, "",
        {"Of this account. Empty: of any.", "このアカウントのメール。空なら問わない。"});
  s.add("traffic", &S::traffic, "any", {"Of this class.", "この種類のメール。"})
      .choices({"any", "transactional", "bulk"});
  s.add("purpose", &S::purpose, "any",
        {"For this purpose: as the delivery says, else bulk is advertisement and all other mail "
         "transactional.",
         "この目的（`purpose`）のメール。指定のない配信は、一斉配信なら "
         "`advertisement`、ほかは `transactional` とみなす。"})
      .choices({"any", "advertisement", "notice", "transactional"});
  s.add("from_domain", &S::from_domain, "",
        {"From this domain, as From has it; `*.example.jp`: from any below it. Empty: from any.",
         "From のドメイン。`*.example.jp` ならその下のすべて。空なら問わない。"});
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> pool_sections() {
  return {pool(), pool_rule()};
}

}  // namespace todoku::config
