// Process: a child of this program that never outlives it.
//
// Holds    The child gets SIGKILL when its parent dies, however that happens. The destructor ends it.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/result.hpp"

namespace creto {

class Process {
public:
    Process() = default;
    /// stdout and stderr go to the two files.
    [[nodiscard]] static Result<Process> start(
        const std::vector<std::string>& command,
        const std::filesystem::path& out,
        const std::filesystem::path& err,
        const std::map<std::string, std::string>& environment = {}
    );
    ~Process() { kill(); }
    Process(Process&& other) noexcept : pid_{other.pid_}, exit_{other.exit_} { other.pid_ = 0; }
    Process& operator=(Process&& other) noexcept;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    [[nodiscard]] bool running();
    /// Waits for its end: its exit code, or 128 and the signal that ended it. None: it still runs.
    [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds patience);
    [[nodiscard]] pid_t pid() const { return pid_; }
    void signal(int number) const;
    /// SIGKILL, and waits for the end.
    void kill();
    /// SIGTERM; SIGKILL when it is still there after `patience`. True when it left by itself.
    bool terminate(std::chrono::milliseconds patience);

private:
    explicit Process(pid_t pid) : pid_{pid} {}
    pid_t pid_ = 0;
    std::optional<int> exit_;
};

}  // namespace creto
