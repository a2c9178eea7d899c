// ScaleProgress: how far the bench is, for people.
//
// Holds    On a terminal one line that is rewritten; else a line now and then. Several scenarios at a time
//          stand in one line.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "scale/bench/run.hpp"

namespace creto {

class ScaleProgress {
public:
    /// `unit` is of the time that runs are told by: "virtual s", "s".
    ScaleProgress(std::size_t total, const char* unit) : total_{total}, unit_{unit} {}

    void begin(std::size_t index);
    void tell(std::size_t index, const BenchProgress& at);
    void end(std::size_t index);

private:
    using Clock = std::chrono::steady_clock;
    struct Running {
        Clock::time_point begun;
        std::string says;
    };

    std::size_t total_;
    const char* unit_;
    std::map<std::size_t, Running> running_;
    Clock::time_point told_ = Clock::now();
    bool is_open_ = false;  ///< A line on the terminal.
};

}  // namespace creto
