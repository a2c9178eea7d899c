// Instant and Duration: points and spans of time in nanoseconds, handed in as data.
//
// Why      Protocol code never reads a clock; the host says what time it is, so that virtual and
//          real time drive the same code.
// Units    Nanoseconds, signed 64 bits: 292 years. Instant zero is the host's own origin (start of
//          the process or of the simulation); it is never compared between nodes.
// Holds    Arithmetic saturates at the ends of the range instead of overflowing.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace creto {

class Duration {
public:
    constexpr Duration() = default;
    [[nodiscard]] static constexpr Duration from_ns(std::int64_t n) { return Duration{n}; }
    [[nodiscard]] static constexpr Duration from_us(std::int64_t n) {
        return Duration{scale(n, 1'000)};
    }
    [[nodiscard]] static constexpr Duration from_ms(std::int64_t n) {
        return Duration{scale(n, 1'000'000)};
    }
    [[nodiscard]] static constexpr Duration from_s(std::int64_t n) {
        return Duration{scale(n, 1'000'000'000)};
    }
    [[nodiscard]] static constexpr Duration max() {
        return Duration{std::numeric_limits<std::int64_t>::max()};
    }

    [[nodiscard]] constexpr std::int64_t ns() const { return ns_; }
    [[nodiscard]] constexpr std::int64_t us() const { return ns_ / 1'000; }
    [[nodiscard]] constexpr std::int64_t ms() const { return ns_ / 1'000'000; }

    friend constexpr Duration operator+(Duration a, Duration b) {
        return Duration{add(a.ns_, b.ns_)};
    }
    friend constexpr Duration operator-(Duration a, Duration b) {
        return Duration{
            add(a.ns_,
                b.ns_ == std::numeric_limits<std::int64_t>::min()
                    ? std::numeric_limits<std::int64_t>::max()
                    : -b.ns_)};
    }
    friend constexpr Duration operator*(Duration a, std::int64_t k) {
        return Duration{scale(a.ns_, k)};
    }
    friend constexpr Duration operator/(Duration a, std::int64_t k) { return Duration{a.ns_ / k}; }
    friend constexpr bool operator==(Duration, Duration) = default;
    friend constexpr auto operator<=>(Duration, Duration) = default;

private:
    constexpr explicit Duration(std::int64_t n) : ns_{n} {}
    static constexpr std::int64_t add(std::int64_t a, std::int64_t b) {
        std::int64_t sum = 0;
        if (__builtin_add_overflow(a, b, &sum)) {
            return b > 0 ? std::numeric_limits<std::int64_t>::max()
                         : std::numeric_limits<std::int64_t>::min();
        }
        return sum;
    }
    static constexpr std::int64_t scale(std::int64_t a, std::int64_t k) {
        std::int64_t product = 0;
        if (__builtin_mul_overflow(a, k, &product)) {
            return (a > 0) == (k > 0) ? std::numeric_limits<std::int64_t>::max()
                                      : std::numeric_limits<std::int64_t>::min();
        }
        return product;
    }
    std::int64_t ns_ = 0;
};

class Instant {
public:
    constexpr Instant() = default;
    [[nodiscard]] static constexpr Instant from_ns(std::int64_t n) { return Instant{n}; }
    /// Later than every other instant: "never".
    [[nodiscard]] static constexpr Instant max() {
        return Instant{std::numeric_limits<std::int64_t>::max()};
    }

    [[nodiscard]] constexpr std::int64_t ns() const { return ns_; }

    friend constexpr Instant operator+(Instant a, Duration b) {
        return Instant{(Duration::from_ns(a.ns_) + b).ns()};
    }
    friend constexpr Duration operator-(Instant a, Instant b) {
        return Duration::from_ns(a.ns_) - Duration::from_ns(b.ns_);
    }
    friend constexpr bool operator==(Instant, Instant) = default;
    friend constexpr auto operator<=>(Instant, Instant) = default;

private:
    constexpr explicit Instant(std::int64_t n) : ns_{n} {}
    std::int64_t ns_ = 0;
};

}  // namespace creto
