#include "cli/child.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/assert.hpp"

namespace creto {

Child::Child(const std::function<void(int fd)>& body) {
    int ends[2] = {-1, -1};
    CRETO_ASSERT(::pipe(ends) == 0);
    const pid_t owner = ::getpid();
    pid_ = ::fork();
    CRETO_ASSERT(pid_ >= 0);
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != owner) ::_exit(1);  // It ended before we said so.
        ::setpgid(0, 0);                       // Ctrl-C is for the owner to hand on.
        ::close(ends[0]);
        body(ends[1]);
        ::_exit(0);
    }
    ::close(ends[1]);
    fd_ = ends[0];
}

Child::~Child() {
    stop();
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    if (fd_ >= 0) ::close(fd_);
}

bool Child::read_some() {
    char chunk[65'536];
    const ssize_t count = ::read(fd_, chunk, sizeof chunk);
    if (count < 0) return errno == EINTR;
    buffer_.append(chunk, static_cast<std::size_t>(count));
    return count > 0;
}

std::optional<std::string> Child::line() {
    const std::size_t end = buffer_.find('\n');
    if (end == std::string::npos) return std::nullopt;
    std::string text = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return text;
}

void Child::interrupt() {
    if (pid_ > 0) ::kill(pid_, SIGINT);
}

void Child::stop() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
}

std::string Child::wait() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &status, 0) != pid_) return "no such process";
    pid_ = -1;
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
    if (WEXITSTATUS(status) != 0) return "exit " + std::to_string(WEXITSTATUS(status));
    return {};
}

bool tell_line(int fd, std::string text) {
    text += '\n';
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        done += static_cast<std::size_t>(count);
    }
    return true;
}

}  // namespace creto
