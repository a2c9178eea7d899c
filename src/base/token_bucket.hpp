// TokenBucket: admits `rate` units a second with bursts of up to `burst`.
//
// Why      The flood of one peer must not raise another's latency; every peer has buckets for
//          calls, bytes and signature checks.
// Holds    Never admits more than burst + rate * t units in any span t. Integer arithmetic only.
//          What is only known afterwards is charged afterwards: a bucket in debt admits nothing until
//          time has paid.
// Units    Units are the caller's (calls, bytes); rates are units per second.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/assert.hpp"
#include "base/time.hpp"

namespace creto {

class TokenBucket {
public:
    struct Options {
        std::uint64_t rate_per_s = 1;
        std::uint64_t burst = 1;
    };

    explicit TokenBucket(Options options) : options_{options}, level_{options.burst * scale} {
        CRETO_ASSERT(options.rate_per_s > 0 && options.rate_per_s <= 1'000'000'000);
        CRETO_ASSERT(options.burst > 0 && options.burst <= 1'000'000'000);
    }

    /// None when the units are admitted; else how long until they would be. More units than the
    /// burst are admitted when the bucket is full, so that one large request is not refused for
    /// ever.
    std::optional<Duration> take(std::uint64_t units, Instant now) {
        refill(now);
        const std::uint64_t wanted = std::min(units, options_.burst) * scale;
        if (debt_ == 0 && level_ >= wanted) {
            level_ -= wanted;
            return std::nullopt;
        }
        const std::uint64_t lacking = wanted - level_ + debt_;
        return Duration::from_ns(
            static_cast<std::int64_t>((lacking + options_.rate_per_s - 1) / options_.rate_per_s)
        );
    }

    /// Takes back a take() of so many units that came to nothing.
    void give_back(std::uint64_t units) { gain(std::min(units, options_.burst) * scale); }
    /// Units that were used already, whether or not there were so many.
    void charge(std::uint64_t units, Instant now) {
        refill(now);
        const std::uint64_t used = std::min(units, debt_max / scale) * scale;
        const std::uint64_t paid = std::min(level_, used);
        level_ -= paid;
        debt_ = std::min(debt_max, debt_ + (used - paid));
    }

private:
    /// One unit is 1e9 parts, so that one nanosecond adds `rate_per_s` parts exactly.
    static constexpr std::uint64_t scale = 1'000'000'000;
    static constexpr std::uint64_t debt_max = 8'000'000'000 * scale;
    /// Nanoseconds in which no rate overflows.
    static constexpr std::uint64_t elapsed_short = 8'000'000'000;

    void refill(Instant now) {
        if (now <= at_) return;
        const std::uint64_t full = options_.burst * scale;
        const auto elapsed = static_cast<std::uint64_t>((now - at_).ns());
        at_ = now;
        if (elapsed <= elapsed_short) return gain(elapsed * options_.rate_per_s);
        const std::uint64_t to_full = (full - level_ + debt_) / options_.rate_per_s + 1;
        if (elapsed >= to_full) {
            level_ = full;
            debt_ = 0;
            return;
        }
        gain(elapsed * options_.rate_per_s);
    }
    void gain(std::uint64_t parts) {
        const std::uint64_t paid = std::min(debt_, parts);
        debt_ -= paid;
        level_ = std::min(options_.burst * scale, level_ + (parts - paid));
    }

    Options options_;
    std::uint64_t level_;
    std::uint64_t debt_ = 0;  ///< Then the level is 0.
    Instant at_;
};

}  // namespace creto
