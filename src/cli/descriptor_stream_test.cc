// SPDX-License-Identifier: Apache-2.0
#include "cli/descriptor_stream.h"

#include <array>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/user_files.h"

namespace todoku::cli {
namespace {

constexpr std::size_t kMax = 1'000'000;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  [[nodiscard]] int number() const { return number_; }
  void write(const std::string& text) const {
    ASSERT_EQ(::write(number_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

TEST(DescriptorStream, ReadsToTheEnd) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  to.write("first\nsecond");
  to.close();
  DescriptorStream in(from.number());
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  EXPECT_EQ(line, "first");
  EXPECT_EQ(read_octets("-", in, kMax).value_or("failed"), "second");
  EXPECT_TRUE(in.eof());
  EXPECT_FALSE(in.bad());
}

TEST(DescriptorStream, WhatCannotBeReadIsNoEnd) {
  const Descriptor folder(::open("/", O_RDONLY | O_CLOEXEC));
  const Descriptor for_writing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  for (const int each : {folder.number(), for_writing.number(), -1}) {
    DescriptorStream in(each);
    std::array<char, 10> some{};
    in.read(some.data(), some.size());
    EXPECT_EQ(in.gcount(), 0);
    EXPECT_TRUE(in.bad()) << each;
    EXPECT_EQ(errno, each == folder.number() ? EISDIR : EBADF);
  }
  DescriptorStream in(folder.number());
  const auto read = read_octets("-", in, kMax);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().detail, "-: Is a directory");
}

// The half that came is no whole.
TEST(DescriptorStream, APeerThatBreaksOffIsNoEnd) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const Descriptor ours(ends[0]);
  Descriptor peer(ends[1]);
  ours.write("what it has not read when it closes, so that it is a reset");
  peer.write("half");
  peer.close();
  DescriptorStream in(ours.number());
  std::array<char, 10> some{};
  in.read(some.data(), some.size());
  EXPECT_EQ(std::string(some.data(), static_cast<std::size_t>(in.gcount())), "half");
  EXPECT_TRUE(in.bad());
  EXPECT_EQ(errno, ECONNRESET);
  in.clear();
  in.read(some.data(), some.size());
  EXPECT_TRUE(in.bad()) << "it stays one";
}

}  // namespace
}  // namespace todoku::cli
