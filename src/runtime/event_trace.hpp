// EventTrace: a line with the time for each thing that this host does, to see where time goes.
//
// Why      A write's milliseconds are spent between threads and processes; no profiler shows that.
// Format   "NANOSECONDS WHAT [DETAIL]", CLOCK_MONOTONIC: lines of several processes of one machine may be
//          sorted into one another.
// Holds    Without a file nothing is written and nothing is formatted. Lines of the threads of one
//          process come in the order in which they took the lock.
// Cost     About 0.3 us a line; written out every 64 KiB and at the end.
#pragma once

#include <chrono>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>

#include "model/effect.hpp"
#include "model/event.hpp"

namespace creto {

class EventTrace {
public:
    /// An empty path: off. A file that cannot be written: off, too.
    explicit EventTrace(const std::string& path);
    ~EventTrace();
    EventTrace(const EventTrace&) = delete;
    EventTrace& operator=(const EventTrace&) = delete;

    [[nodiscard]] bool on() const { return file_.is_open(); }
    /// From any thread.
    void note(std::string_view what, std::string_view detail = {});
    void note(const Event& event);
    void note(const Effect& effect);

private:
    std::mutex mutex_;
    std::ofstream file_;
    std::string lines_;
};

}  // namespace creto
