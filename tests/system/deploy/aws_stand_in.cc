// SPDX-License-Identifier: Apache-2.0
// Stands for `aws`: hands its words to the recorder (aws_recorder.py), says what that answers, and
// ends as it says. A roll-out asks hundreds of times, so this is no script: an interpreter's start
// costs more than all of the answer.
//
// Each word with a NUL behind it goes to the socket AWS_RECORDER; back comes `STATUS OCTETS\n`,
// OCTETS for standard output, and the rest for standard error.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

int broke(const char* what) {
  std::perror(what);
  return 255;
}

bool hand_over(int peer, const std::string& words) {
  std::size_t sent = 0;
  while (sent < words.size()) {
    const ssize_t some = write(peer, words.data() + sent, words.size() - sent);
    if (some <= 0) return false;
    sent += static_cast<std::size_t>(some);
  }
  return shutdown(peer, SHUT_WR) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const char* path = std::getenv("AWS_RECORDER");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path == nullptr || std::strlen(path) >= sizeof(address.sun_path))
    return broke("AWS_RECORDER");
  std::strcpy(address.sun_path, path);
  const int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (peer < 0 || connect(peer, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return broke("the recorder");
  }
  std::string words;
  for (int i = 1; i < argc; ++i) words.append(argv[i]).push_back('\0');
  if (!hand_over(peer, words)) return broke("handing over");

  std::string answer;
  char piece[16384];
  ssize_t some = 0;
  while ((some = read(peer, piece, sizeof piece)) > 0)
    answer.append(piece, static_cast<std::size_t>(some));
  close(peer);
  int status = 255;
  std::size_t octets = 0;
  int begins = 0;
  if (some < 0 || std::sscanf(answer.c_str(), "%d %zu%n", &status, &octets, &begins) != 2)
    return broke("the answer");
  const std::size_t out = static_cast<std::size_t>(begins) + 1;
  if (out + octets > answer.size()) return broke("the answer");
  std::fwrite(answer.data() + out, 1, octets, stdout);
  std::fwrite(answer.data() + out + octets, 1, answer.size() - out - octets, stderr);
  return status;
}
