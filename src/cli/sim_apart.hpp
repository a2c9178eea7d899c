// Apart: a simulated life in a process of its own, so that a failing assertion is a finding and not
// the end of the search.
//
// Errors   A process that dies by a signal, or takes longer than its time, reports checker "crash"
//          or "timeout".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

#include "sim/life/life.hpp"
#include "sim/life/planted.hpp"

namespace creto {

/// What the other process says of one life, and what it cost.
struct LifeLine {
    LifeReport report;
    std::uint32_t nodes = 0;
    std::string profile;
    bool is_byzantine = true;  ///< The quorum's mode.
    std::int64_t cpu_us = 0;
    std::string trace;  ///< The report's hash, in hex; reports from another process have only this.
};

[[nodiscard]] std::string to_line(const LifeLine& line);
[[nodiscard]] std::optional<LifeLine> parse_line(const std::string& text);

/// The life, and now and then the same life again: "determinism" when they differ.
[[nodiscard]] LifeLine live_here(
    const Schedule& schedule, const std::optional<PlantedBug>& bug, bool twice
);

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
    void stop();
    /// Waits for the end: "signal 6" or "exit 1"; empty when it ended well.
    [[nodiscard]] std::string wait();

private:
    pid_t pid_ = -1;
    int fd_ = -1;
    std::string buffer_;
};

/// One life in a child of its own.
[[nodiscard]] LifeLine live_apart(
    const Schedule& schedule,
    const std::optional<PlantedBug>& bug,
    int seconds_max = 300,
    bool twice = false
);

}  // namespace creto
