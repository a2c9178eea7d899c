// StopSignals: Ctrl-C asks long work to end in good order, with what it has.
//
// Use      One at a time. While it lives the first SIGINT or SIGTERM sets stop_asked(); the next one is the
//          system's, and ends the process.
#pragma once

#include <csignal>

namespace creto {

/// A signal came while a StopSignals lived.
[[nodiscard]] bool stop_asked();

class StopSignals {
public:
    StopSignals();
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

private:
    struct sigaction before_int_ {};
    struct sigaction before_term_ {};
};

}  // namespace creto
