// Child: a process of this program's own that tells by lines, so that what ends it is a finding and not
// the end of the work.
//
// Holds    It ends with its owner, however that ends.
// Errors   wait() says which signal, or which exit code.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

namespace creto {

/// A child that writes lines to us. Moves only; ends with its owner.
class Child {
public:
    /// `body` runs in the child with the descriptor to write to.
    explicit Child(const std::function<void(int fd)>& body);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();

    [[nodiscard]] int fd() const { return fd_; }
    /// Reads what is there; false at the end of the stream.
    bool read_some();
    /// The next whole line; none when there is none yet.
    [[nodiscard]] std::optional<std::string> line();
    /// Asks it to end in good order.
    void interrupt();
    void stop();
    /// Waits for the end: "signal 6" or "exit 1"; empty when it ended well.
    [[nodiscard]] std::string wait();

private:
    pid_t pid_ = -1;
    int fd_ = -1;
    std::string buffer_;
};

/// In the child. `text` has no line break. False: nobody listens any more.
bool tell_line(int fd, std::string text);

}  // namespace creto
