// Magnitude: a natural number of any size, for the rare numbers that do not fit 64 bits.
//
// Source   Schoolbook algorithms, division by Knuth's algorithm D (TAOCP 2, 4.3.1), in base 10^9:
//          decimal text goes in and out without conversion, and shifts by powers of ten are cheap.
// Holds    No leading zero limb; zero has no limbs.
// Cost     Multiplication and division are quadratic; callers bound the digits.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace creto {

class Magnitude {
public:
    Magnitude() = default;
    explicit Magnitude(std::uint64_t value);
    /// Requires: decimal digits only.
    [[nodiscard]] static Magnitude from_digits(std::string_view digits);

    [[nodiscard]] bool is_zero() const { return limbs_.empty(); }
    /// The number of decimal digits; 0 for zero.
    [[nodiscard]] std::size_t digit_count() const;
    [[nodiscard]] std::string digits() const;
    /// Requires: digit_count() <= 18.
    [[nodiscard]] std::uint64_t to_u64() const;

    /// Times 10^count.
    void shift_left(std::size_t count);
    /// Removes trailing decimal zeros and says how many there were.
    std::size_t strip_zeros();

    struct Division;
    /// Requires: !divisor.is_zero().
    [[nodiscard]] static Division divide(const Magnitude& dividend, const Magnitude& divisor);

    friend Magnitude operator+(const Magnitude& a, const Magnitude& b);
    /// Requires: a >= b.
    friend Magnitude operator-(const Magnitude& a, const Magnitude& b);
    friend Magnitude operator*(const Magnitude& a, const Magnitude& b);
    friend bool operator==(const Magnitude&, const Magnitude&) = default;
    friend std::strong_ordering operator<=>(const Magnitude& a, const Magnitude& b);

private:
    static constexpr std::uint64_t base = 1'000'000'000;
    static constexpr std::size_t base_digits = 9;

    void trim();
    /// Divides by a number below the base and returns the remainder.
    std::uint32_t divide_small(std::uint32_t divisor);
    void multiply_small(std::uint32_t factor);

    std::vector<std::uint32_t> limbs_;  ///< Least significant first.
};

struct Magnitude::Division {
    Magnitude quotient;
    Magnitude remainder;
};

}  // namespace creto
