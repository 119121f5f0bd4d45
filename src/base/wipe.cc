// SPDX-License-Identifier: Apache-2.0
#include "base/wipe.h"

#include <array>
#include <cstdlib>
#include <cstring>

#include <malloc.h>
#include <openssl/crypto.h>

namespace todoku {
namespace {

void* allocate(std::size_t size, const char*, int) {
  return std::malloc(size);
}

void wipe_and_free(void* memory, const char*, int) {
  if (memory == nullptr) return;
  OPENSSL_cleanse(memory, malloc_usable_size(memory));
  std::free(memory);
}

void* reallocate(void* memory, std::size_t size, const char* file, int line) {
  if (memory == nullptr) return std::malloc(size);
  if (size == 0) {
    wipe_and_free(memory, file, line);
    return nullptr;
  }
  const std::size_t before = malloc_usable_size(memory);
  if (size <= before) return memory;
  void* const larger = std::malloc(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, memory, before);
  wipe_and_free(memory, file, line);
  return larger;
}

}  // namespace

bool wipe_what_openssl_frees() noexcept {
  return CRYPTO_set_mem_functions(allocate, reallocate, wipe_and_free) == 1;
}

void wipe(std::string& text) noexcept {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

void wipe(std::span<char> memory) noexcept {
  if (!memory.empty()) OPENSSL_cleanse(memory.data(), memory.size());
}

void wipe_stack() noexcept {
  constexpr std::size_t kOctets = std::size_t{48} * 1024;
  std::array<char, kOctets> below;
  OPENSSL_cleanse(below.data(), below.size());
}

}  // namespace todoku
