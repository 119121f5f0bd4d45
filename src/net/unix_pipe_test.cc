// SPDX-License-Identifier: Apache-2.0
#include "net/unix_pipe.h"

#include <array>
#include <string>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace todoku::net {
namespace {

class Server {
 public:
  explicit Server(std::string path) : path_(std::move(path)) {
    sockaddr_un at{.sun_family = AF_UNIX};
    path_.copy(static_cast<char*>(at.sun_path), path_.size());
    ::unlink(path_.c_str());
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  [[nodiscard]] int accept() const { return ::accept(fd_, nullptr, nullptr); }

 private:
  const std::string path_;
  const int fd_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
};

std::string read_all(int fd) {
  std::string all;
  std::array<char, 4096> some{};
  for (;;) {
    const ssize_t got = ::read(fd, some.data(), some.size());
    if (got <= 0) return all;
    all.append(some.data(), static_cast<std::size_t>(got));
  }
}

void write_all(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t sent = ::write(fd, octets.data(), octets.size());
    if (sent <= 0) return;
    octets.remove_prefix(static_cast<std::size_t>(sent));
  }
}

TEST(UnixPipe, WaitsForTheServersFirstWordsAndCarriesMuchBothWays) {
  const std::string path = testing::TempDir() + "unix_pipe_" + std::to_string(::getpid());
  const Server server(path);
  const std::string much(3'000'000, 'x');
  std::string heard;
  bool was_early = true;
  std::thread serving([&] {
    const int fd = server.accept();
    char c = 0;
    was_early = ::recv(fd, &c, 1, MSG_DONTWAIT) > 0;
    write_all(fd, "220 ready\r\n");
    // Its own words fill the way back while it listens to nobody.
    std::thread speaking([&] { write_all(fd, much); });
    heard = read_all(fd);
    speaking.join();
    ::close(fd);
  });
  std::array<int, 2> input{};
  std::array<int, 2> output{};
  ASSERT_EQ(::pipe(input.data()), 0);
  ASSERT_EQ(::pipe(output.data()), 0);
  std::thread writing([&] {
    write_all(input[1], much);
    ::close(input[1]);
  });
  std::string said;
  std::thread reading([&] { said = read_all(output[0]); });
  EXPECT_TRUE(pipe_to_unix_socket(path, input[0], output[1]));
  ::close(output[1]);
  for (std::thread* each : {&serving, &writing, &reading}) each->join();
  EXPECT_FALSE(was_early);
  EXPECT_EQ(heard, much);
  EXPECT_EQ(said, "220 ready\r\n" + much);
  ::close(input[0]);
  ::close(output[0]);
}

TEST(UnixPipe, EndsWhenTheServerHangsUpAlthoughInputIsLeft) {
  const std::string path = testing::TempDir() + "unix_pipe_end_" + std::to_string(::getpid());
  const Server server(path);
  std::thread serving([&] {
    const int fd = server.accept();
    write_all(fd, "421 stopping\r\n");
    ::close(fd);
  });
  std::array<int, 2> input{};
  std::array<int, 2> output{};
  ASSERT_EQ(::pipe(input.data()), 0);
  ASSERT_EQ(::pipe(output.data()), 0);
  write_all(input[1], "EHLO client\r\n");
  EXPECT_TRUE(pipe_to_unix_socket(path, input[0], output[1]));
  ::close(output[1]);
  EXPECT_EQ(read_all(output[0]), "421 stopping\r\n");
  serving.join();
  for (const int fd : {input[0], input[1], output[0]}) ::close(fd);
}

// As /dev/null is that stands for an input that was closed.
TEST(UnixPipe, AnInputThatCannotBeReadIsAFaultOfIo) {
  const std::string path = testing::TempDir() + "unix_pipe_deaf_" + std::to_string(::getpid());
  const Server server(path);
  const int input = ::open("/dev/null", O_WRONLY);
  std::thread peer([&] {
    const int fd = server.accept();
    write_all(fd, "220 ready\r\n");
    read_all(fd);
    ::close(fd);
  });
  const auto done = pipe_to_unix_socket(path, input, input);
  peer.join();
  ::close(input);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::io) << done.error().detail;
}

TEST(UnixPipe, SaysWhereNobodyIs) {
  EXPECT_EQ(pipe_to_unix_socket("/nonexistent/socket", 0, 1).error().kind, ErrorKind::not_found);
  EXPECT_EQ(pipe_to_unix_socket(std::string(200, 'x'), 0, 1).error().kind,
            ErrorKind::invalid_input);
}

}  // namespace
}  // namespace todoku::net
