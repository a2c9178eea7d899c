#include "cli/stop_signals.hpp"

namespace creto {

namespace {

volatile std::sig_atomic_t is_asked = 0;

extern "C" void on_stop(int /*signal*/) {
    is_asked = 1;
}

}  // namespace

bool stop_asked() {
    return is_asked != 0;
}

StopSignals::StopSignals() {
    struct sigaction action {};
    action.sa_handler = on_stop;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, &before_int_);
    ::sigaction(SIGTERM, &action, &before_term_);
}

StopSignals::~StopSignals() {
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
}

}  // namespace creto
