// SPDX-License-Identifier: Apache-2.0
// Taking secrets out of memory when they have served.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace todoku {

// Overwrites all that the text's memory holds, and empties it.
void wipe(std::string& text) noexcept;
void wipe(std::span<char> memory) noexcept;

// Overwrites the stack below the caller's frame, where the functions that it called kept their
// variables and compilers put registers down: 48 KB, more than any computation with a key uses.
[[gnu::noinline]] void wipe_stack() noexcept;

// From now on OpenSSL's memory is overwritten when it is given back. OpenSSL does so itself where
// it thinks of it; when it reads a private key in PEM, for one, it leaves a copy. For the beginning
// of main(): false if OpenSSL has memory already, and then nothing changes.
[[nodiscard]] bool wipe_what_openssl_frees() noexcept;

// A text that is wiped when it goes: a private key in PEM, what a sealed secret holds. It is not
// copied; who takes its characters elsewhere wipes them there.
class SecretText {
 public:
  SecretText() = default;
  // Takes the text's own memory over, so nothing stays behind with the caller.
  explicit SecretText(std::string&& text) noexcept { take(text); }
  SecretText(SecretText&& other) noexcept { take(other.text_); }
  SecretText& operator=(SecretText&& other) noexcept {
    if (this != &other) {
      wipe(text_);
      take(other.text_);
    }
    return *this;
  }
  ~SecretText() { wipe(text_); }

  [[nodiscard]] std::string_view view() const { return text_; }
  operator std::string_view() const { return text_; }
  friend bool operator==(const SecretText& a, std::string_view b) { return a.text_ == b; }
  friend bool operator==(const SecretText& a, const SecretText& b) { return a.text_ == b.text_; }

 private:
  void take(std::string& text) noexcept {
    text_ = std::move(text);
    wipe(text);  // a short text was copied
  }

  std::string text_;
};

}  // namespace todoku
