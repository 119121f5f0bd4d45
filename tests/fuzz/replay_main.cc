// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over its corpus and over mutations of it, without libFuzzer. The seed is
// printed; TODOKU_SEED repeats a run.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr int kMutations = 3000;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One to four small changes: a changed, removed, doubled or foreign octet, a piece of another
// input.
std::string mutate(std::string input, const std::vector<std::string>& corpus,
                   todoku::Random& random) {
  for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
    const std::size_t at = input.empty() ? 0 : random.below(input.size());
    switch (random.below(5)) {
      case 0:
        if (!input.empty()) input[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        if (!input.empty()) input.erase(at, 1 + random.below(8));
        break;
      case 2:
        input.insert(at, 1, "\r\n:;=<>@ \"\\.\0{}"[random.below(15)]);
        break;
      case 3:
        input.insert(at, input.substr(at, random.below(16)));
        break;
      default: {
        const std::string& other = corpus[random.below(corpus.size())];
        if (!other.empty()) {
          const std::size_t from = random.below(other.size());
          input.insert(at, other.substr(from, random.below(32)));
        }
      }
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> corpus{""};
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) corpus.push_back(read(entry.path()));
    }
  }
  for (const std::string& input : corpus) run(input);
  const char* given = std::getenv("TODOKU_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  todoku::SeededRandom random(seed);
  for (int i = 0; i < kMutations; ++i) {
    run(mutate(corpus[random.below(corpus.size())], corpus, random));
  }
  std::printf("%zu inputs and %d mutations, seed %llu\n", corpus.size(), kMutations,
              static_cast<unsigned long long>(seed));
  return 0;
}
