// Workload: how many operations a second clients offer, as time goes by.
//
// Why      Load is open-loop: what is sent when depends on the plan alone, never on how fast answers
//          come, so that a slow system cannot hide by being asked less.
// Source   The words of the catalogue: constant:R, ramp:A-B, burst:R/D, chaos:A-B, sine:A-B. A burst
//          of R lasts D and a pause as long follows; chaos draws a rate for each second; a ramp takes
//          the whole run; a sine has a period of a minute, or the run when that is shorter.
// Holds    The number of operations up to an instant is the integral of the rate, rounded down once:
//          nothing is lost by rounding in each step. Integers only.
// Units    Rates are operations a second, up to 1,000,000 with three decimals; a slot is 10 ms.
// Errors   invalid, with the word and the forms that there are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace creto {

class Workload {
public:
    enum class Kind : std::uint8_t { constant, ramp, burst, chaos, sine };
    static constexpr Duration slot = Duration::from_ms(10);

    Workload() = default;
    [[nodiscard]] static Result<Workload> parse(std::string_view text);

    /// Fixes what depends on the run. Requires: run > 0.
    void begin(std::uint64_t seed, Duration run);
    /// How many operations belong to the next slot; slot after slot from zero.
    [[nodiscard]] std::uint64_t next_slot();
    /// Thousandths of an operation a second, at an instant of the run.
    [[nodiscard]] std::uint64_t rate_milli(Duration at) const;
    /// As it was written.
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string text_ = "constant:100";
    Kind kind_ = Kind::constant;
    std::uint64_t low_ = 100'000;  ///< Milli-operations a second.
    std::uint64_t high_ = 100'000;
    Duration part_ = Duration::from_s(10);
    std::uint64_t seed_ = 0;
    Duration run_ = Duration::from_s(1);
    Duration at_;
    std::uint64_t rest_ = 0;  ///< Millionths of an operation that are not offered yet.
};

/// "20s", "10m", "24h", "7d", "250ms". Errors: invalid; at most 366 days, and not zero.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

}  // namespace creto
