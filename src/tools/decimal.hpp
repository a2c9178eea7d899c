// Decimal: an exact decimal number, significand times a power of ten.
//
// Why      Agreed values must be the same on every machine, and 0.1 + 0.2 must be 0.3. Binary
//          floating point gives neither.
// Holds    One representation per value: the significand has no trailing zero, zero has exponent
//          0. So equal values are equal bytes and have one text.
// Limits   Significand of 1,024 digits, exponents of scientific notation within +-10,000; what
//          would pass them is refused, never rounded. Only divide() rounds: to 34 significant
//          digits, half to even (the precision of IEEE 754 decimal128).
// Cost     A few ns while significands have at most 18 digits; beyond that it allocates.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "tools/magnitude.hpp"

namespace creto {

class Decimal {
public:
    static constexpr std::size_t digits_max = 1'024;
    static constexpr std::int64_t exponent_max = 10'000;
    static constexpr std::size_t quotient_digits = 34;

    Decimal() = default;
    explicit Decimal(std::int64_t value);
    Decimal(const Decimal& other);
    Decimal(Decimal&&) noexcept = default;
    Decimal& operator=(const Decimal& other);
    Decimal& operator=(Decimal&&) noexcept = default;
    ~Decimal() = default;

    /// Reads the number that JSON allows, all of the text.
    [[nodiscard]] static Result<Decimal> parse(std::string_view text);

    /// The one text of the value: plain while it has at most 21 places before the point or ends in
    /// at most 6 zeros, and at most 6 zeros follow the point; otherwise like "1.5e+30".
    [[nodiscard]] std::string text() const;
    void append_text(std::string& out) const;

    [[nodiscard]] bool is_zero() const { return !large_ && small_ == 0; }
    [[nodiscard]] bool is_negative() const { return large_ ? large_->negative : small_ < 0; }
    [[nodiscard]] bool is_integer() const { return exponent_ >= 0; }
    /// Whether the significand takes more than 18 digits: such numbers cost more.
    [[nodiscard]] bool is_large() const { return large_ != nullptr; }
    /// The value, when it is an integer of 64 bits.
    [[nodiscard]] std::optional<std::int64_t> to_int64() const;

    [[nodiscard]] Decimal negated() const;
    [[nodiscard]] Decimal absolute() const { return is_negative() ? negated() : *this; }

    friend bool operator==(const Decimal& a, const Decimal& b);
    friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);

    [[nodiscard]] static Result<Decimal> add(const Decimal& a, const Decimal& b);
    [[nodiscard]] static Result<Decimal> subtract(const Decimal& a, const Decimal& b);
    [[nodiscard]] static Result<Decimal> multiply(const Decimal& a, const Decimal& b);
    /// Fails for a divisor of zero; rounds to `quotient_digits`, half to even.
    [[nodiscard]] static Result<Decimal> divide(const Decimal& a, const Decimal& b);
    /// Whether a = k * b for an integer k. Requires: !b.is_zero().
    [[nodiscard]] static bool is_multiple(const Decimal& a, const Decimal& b);

private:
    struct Large {
        bool negative = false;
        Magnitude magnitude;
        friend bool operator==(const Large&, const Large&) = default;
    };
    /// Significands below 10^18 are small; products and aligned sums of them fit 128 bits.
    static constexpr std::int64_t small_limit = 1'000'000'000'000'000'000;

    [[nodiscard]] static Result<Decimal> make_small(
        std::int64_t significand, std::int64_t exponent
    );
    [[nodiscard]] static Result<Decimal> make(Large significand, std::int64_t exponent);
    [[nodiscard]] Large unpack() const;
    [[nodiscard]] std::size_t digit_count() const;
    /// Exponent of the leading digit.
    [[nodiscard]] std::int64_t leading_exponent() const;
    [[nodiscard]] static Result<Decimal> add_large(const Decimal& a, const Decimal& b);

    std::int64_t small_ = 0;        ///< The significand, unless it is large.
    std::unique_ptr<Large> large_;  ///< Set when the significand has more than 18 digits.
    std::int32_t exponent_ = 0;
};

}  // namespace creto
