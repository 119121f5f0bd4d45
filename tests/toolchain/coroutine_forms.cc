// SPDX-License-Identifier: Apache-2.0
// One coroutine per form. Each would crash, free a bad pointer or not compile with g++ 12.2; with a
// sound compiler every one gives its value.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "async/runtime.h"
#include "async/task.h"

namespace todoku {
namespace {

struct Args {
  int number = 0;
  std::string text;
};

Task<bool> yes() {
  co_return true;
}
Task<int> number(int value) {
  co_return value;
}
Task<std::string> echo(std::string text) {
  co_return text;
}
Task<std::string> of_args(Args args) {
  co_return args.text;
}
Task<std::size_t> of_list(std::vector<std::string> list) {
  co_return list.size();
}

void expect(bool holds, const char* form) {
  if (holds) return;
  std::fprintf(stderr, "miscompiled: %s\n", form);
  std::exit(1);
}

Task<void> condition_alone() {
  if (co_await yes()) co_return;
  expect(false, "if (co_await f())");
}

Task<void> loop_condition() {
  int rounds = 0;
  while (co_await number(rounds) < 3) ++rounds;
  expect(rounds == 3, "while (co_await f())");
}

Task<void> switch_condition() {
  switch (co_await number(2)) {
    case 2:
      co_return;
    default:
      expect(false, "switch (co_await f())");
  }
}

Task<void> ternary() {
  const bool first = co_await yes();
  const std::string text = first ? co_await echo("a long enough string to live on the heap")
                                 : co_await echo("another one, long enough for the heap too");
  expect(text.starts_with("a long"), "c ? co_await a() : co_await b()");
}

Task<void> aggregate_argument() {
  const std::string text = co_await of_args(Args{7, "a long enough string to live on the heap"});
  expect(text.starts_with("a long"), "co_await f(Args{...})");
}

Task<void> designated_argument() {
  const std::string text = co_await of_args({.text = "a long enough string to live on the heap"});
  expect(text.starts_with("a long"), "co_await f({.v = ...})");
}

Task<void> aggregate_initialiser() {
  const Args args{co_await number(5), "a long enough string to live on the heap"};
  expect(args.number == 5 && args.text.starts_with("a long"), "Args a{co_await f(), ...}");
}

Task<void> list_argument() {
  const std::size_t size = co_await of_list({"one", "two", "three"});
  expect(size == 3, "co_await f({a, b})");
}

Task<void> all() {
  co_await condition_alone();
  co_await loop_condition();
  co_await switch_condition();
  co_await ternary();
  co_await aggregate_argument();
  co_await designated_argument();
  co_await aggregate_initialiser();
  co_await list_argument();
}

}  // namespace
}  // namespace todoku

int main() {
  todoku::async::run_to_completion(todoku::all());
  std::puts("every form compiled right");
}
