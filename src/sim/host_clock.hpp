// HostClock: what a simulated node believes the time to be, against the time of the simulation.
//
// Why      Two real machines never agree how long a second is, and a suspended one finds that hours
//          are gone. Timers must bear both.
// Holds    Never goes back. when(read(t)) <= t and read(when(x)) >= x; without drift and steps both
//          are the identity.
// Units    Drift in parts per million: 100 means that this clock gains 100 us in a second.
#pragma once

#include <cstdint>

#include "base/assert.hpp"
#include "base/time.hpp"

namespace creto {

class HostClock {
public:
    static constexpr std::int64_t drift_ppm_max = 200'000;

    [[nodiscard]] Instant read(Instant now) const {
        const std::int64_t elapsed = (now - since_).ns();
        return shown_ + Duration::from_ns(elapsed + share(elapsed, ppm_, million));
    }
    /// The first instant of the simulation at which read() gives `shown` or more.
    [[nodiscard]] Instant when(Instant shown) const {
        if (shown == Instant::max()) return shown;
        const std::int64_t elapsed = (shown - shown_).ns();
        if (elapsed <= 0) return since_;
        Instant at = since_ + Duration::from_ns(elapsed - share(elapsed, ppm_, million + ppm_));
        while (read(at) < shown)
            at = at + Duration::from_ns(1);
        return at;
    }

    /// Requires: |ppm| <= drift_ppm_max.
    void set_drift(std::int64_t ppm, Instant now) {
        CRETO_ASSERT(-drift_ppm_max <= ppm && ppm <= drift_ppm_max);
        rebase(now);
        ppm_ = ppm;
    }
    /// Requires: span >= 0; a steady clock never goes back.
    void step(Duration span, Instant now) {
        CRETO_ASSERT(span >= Duration{});
        rebase(now);
        shown_ = shown_ + span;
    }

private:
    static constexpr std::int64_t million = 1'000'000;

    /// value * part / whole without overflow; rounds toward zero, off by less than `part`.
    static constexpr std::int64_t share(std::int64_t value, std::int64_t part, std::int64_t whole) {
        return value / whole * part + value % whole * part / whole;
    }
    void rebase(Instant now) {
        shown_ = read(now);
        since_ = now;
    }

    Instant since_;
    Instant shown_;
    std::int64_t ppm_ = 0;
};

}  // namespace creto
