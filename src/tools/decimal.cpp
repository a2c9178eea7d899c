#include "tools/decimal.hpp"

#include <algorithm>
#include <array>

#include "base/assert.hpp"

namespace creto {

namespace {

__extension__ using Wide = __int128;

constexpr std::size_t small_digits = 18;

constexpr std::array<std::int64_t, small_digits + 1> powers_of_ten = [] {
    std::array<std::int64_t, small_digits + 1> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i)
        powers[i] = powers[i - 1] * 10;
    return powers;
}();

std::size_t count_digits(std::uint64_t value) {
    std::size_t count = 0;
    while (count <= small_digits && static_cast<std::uint64_t>(powers_of_ten[count]) <= value)
        ++count;
    return count;
}

std::uint64_t magnitude_of(std::int64_t value) {
    return value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value);
}

tl::unexpected<Error> too_long() {
    return fail(
        ErrorCode::limit,
        "number: more than " + std::to_string(Decimal::digits_max) + " significant digits"
    );
}

tl::unexpected<Error> exponent_out_of_range() {
    return fail(
        ErrorCode::limit, "number: exponent beyond +-" + std::to_string(Decimal::exponent_max)
    );
}

/// value / 10^drop, rounded half to even; `sticky` says that a non-zero rest was cut off before.
Magnitude round_half_even(const Magnitude& value, std::size_t drop, bool sticky) {
    Magnitude unit{1};
    unit.shift_left(drop);
    auto [quotient, remainder] = Magnitude::divide(value, unit);
    const auto order = (remainder + remainder) <=> unit;
    const std::string digits = quotient.digits();
    const bool odd = (digits.back() - '0') % 2 != 0;
    const bool up = order > 0 || (order == 0 && (sticky || odd));
    return up ? quotient + Magnitude{1} : quotient;
}

}  // namespace

Decimal::Decimal(std::int64_t value) {
    const std::uint64_t magnitude = magnitude_of(value);
    if (magnitude >= static_cast<std::uint64_t>(small_limit)) {
        *this = make(Large{.negative = value < 0, .magnitude = Magnitude{magnitude}}, 0).value();
    } else {
        *this = make_small(value, 0).value();
    }
}

Decimal::Decimal(const Decimal& other)
    : small_{other.small_},
      large_{other.large_ ? std::make_unique<Large>(*other.large_) : nullptr},
      exponent_{other.exponent_} {}

Decimal& Decimal::operator=(const Decimal& other) {
    if (this != &other) *this = Decimal{other};
    return *this;
}

Result<Decimal> Decimal::make_small(std::int64_t significand, std::int64_t exponent) {
    Decimal number;
    if (significand == 0) return number;
    while (significand % 10 == 0) {
        significand /= 10;
        ++exponent;
    }
    // The leading digit's exponent is at most 17 above; look closer only near the limits.
    if (exponent > exponent_max - 17 || exponent < -exponent_max) {
        const auto digits = static_cast<std::int64_t>(count_digits(magnitude_of(significand)));
        const std::int64_t leading = exponent + digits - 1;
        if (leading > exponent_max || leading < -exponent_max) return exponent_out_of_range();
    }
    number.small_ = significand;
    number.exponent_ = static_cast<std::int32_t>(exponent);
    return number;
}

Result<Decimal> Decimal::make(Large significand, std::int64_t exponent) {
    exponent += static_cast<std::int64_t>(significand.magnitude.strip_zeros());
    const std::size_t digits = significand.magnitude.digit_count();
    if (digits <= small_digits) {
        const auto value = static_cast<std::int64_t>(significand.magnitude.to_u64());
        return make_small(significand.negative ? -value : value, exponent);
    }
    if (digits > digits_max) return too_long();
    const std::int64_t leading = exponent + static_cast<std::int64_t>(digits) - 1;
    if (leading > exponent_max || leading < -exponent_max) return exponent_out_of_range();
    Decimal number;
    number.large_ = std::make_unique<Large>(std::move(significand));
    number.exponent_ = static_cast<std::int32_t>(exponent);
    return number;
}

Decimal::Large Decimal::unpack() const {
    if (large_) return *large_;
    return {.negative = small_ < 0, .magnitude = Magnitude{magnitude_of(small_)}};
}

std::size_t Decimal::digit_count() const {
    return large_ ? large_->magnitude.digit_count() : count_digits(magnitude_of(small_));
}

std::int64_t Decimal::leading_exponent() const {
    return exponent_ + static_cast<std::int64_t>(digit_count()) - 1;
}

Result<Decimal> Decimal::parse(std::string_view text) {
    const auto bad = [] { return fail(ErrorCode::invalid, "number: not a JSON number"); };
    const auto is_digit = [&](std::size_t i) {
        return i < text.size() && text[i] >= '0' && text[i] <= '9';
    };
    std::size_t at = 0;
    const bool negative = at < text.size() && text[at] == '-';
    if (negative) ++at;
    const std::size_t whole = at;
    while (is_digit(at))
        ++at;
    if (at == whole || (text[whole] == '0' && at - whole > 1)) return bad();
    std::string_view digits = text.substr(whole, at - whole);
    std::string joined;
    std::int64_t exponent = 0;
    if (at < text.size() && text[at] == '.') {
        const std::size_t fraction = ++at;
        while (is_digit(at))
            ++at;
        if (at == fraction) return bad();
        exponent = -static_cast<std::int64_t>(at - fraction);
        joined.append(digits).append(text.substr(fraction, at - fraction));
        digits = joined;
    }
    std::int64_t written = 0;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        const bool down = at < text.size() && text[at] == '-';
        if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
        const std::size_t first = at;
        for (; is_digit(at); ++at)  // Saturates far outside the limits.
            written = std::min<std::int64_t>(written * 10 + (text[at] - '0'), 1'000'000'000'000);
        if (at == first) return bad();
        if (down) written = -written;
    }
    if (at != text.size()) return bad();
    exponent += written;
    // Zeros at either end are not significant.
    const std::size_t leading = std::min(digits.find_first_not_of('0'), digits.size());
    digits.remove_prefix(leading);
    const std::size_t last = digits.find_last_not_of('0');
    const std::size_t kept = last == std::string_view::npos ? 0 : last + 1;
    exponent += static_cast<std::int64_t>(digits.size() - kept);
    digits = digits.substr(0, kept);
    if (digits.empty()) return Decimal{};
    if (digits.size() > digits_max) return too_long();
    if (digits.size() > small_digits) {
        return make({.negative = negative, .magnitude = Magnitude::from_digits(digits)}, exponent);
    }
    std::int64_t value = 0;
    for (const char c : digits)
        value = value * 10 + (c - '0');
    return make_small(negative ? -value : value, exponent);
}

std::string Decimal::text() const {
    std::string out;
    append_text(out);
    return out;
}

void Decimal::append_text(std::string& out) const {
    if (is_negative()) out.push_back('-');
    std::array<char, 24> buffer{};
    std::string long_digits;
    std::string_view digits;
    if (large_) {
        long_digits = large_->magnitude.digits();
        digits = long_digits;
    } else {
        char* begin = buffer.data() + buffer.size();
        std::uint64_t value = magnitude_of(small_);
        do {
            *--begin = static_cast<char>('0' + value % 10);
            value /= 10;
        } while (value != 0);
        digits = {begin, static_cast<std::size_t>(buffer.data() + buffer.size() - begin)};
    }
    const auto count = static_cast<std::int64_t>(digits.size());
    const std::int64_t point = count + exponent_;  // Digits before the point, when positive.
    if (exponent_ == 0) {
        out.append(digits);
    } else if (exponent_ > 0 && (point <= 21 || exponent_ <= 6)) {
        out.append(digits).append(static_cast<std::size_t>(exponent_), '0');
    } else if (exponent_ < 0 && point > 0) {
        const auto before = static_cast<std::size_t>(point);
        out.append(digits.substr(0, before)).push_back('.');
        out.append(digits.substr(before));
    } else if (exponent_ < 0 && point > -6) {
        out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
    } else {
        out.push_back(digits.front());
        if (count > 1) out.append(".").append(digits.substr(1));
        out.append(point > 0 ? "e+" : "e").append(std::to_string(point - 1));
    }
}

std::optional<std::int64_t> Decimal::to_int64() const {
    if (exponent_ < 0) return std::nullopt;
    if (!large_ && exponent_ <= static_cast<std::int32_t>(small_digits)) {
        std::int64_t value = 0;
        const std::int64_t power = powers_of_ten[static_cast<std::size_t>(exponent_)];
        if (__builtin_mul_overflow(small_, power, &value)) return std::nullopt;
        return value;
    }
    if (leading_exponent() > 18) return std::nullopt;
    Wide value = 0;
    for (const char c : unpack().magnitude.digits())
        value = value * 10 + (c - '0');
    for (std::int32_t i = 0; i < exponent_; ++i)
        value *= 10;
    if (is_negative()) value = -value;
    const auto narrow = static_cast<std::int64_t>(value);
    if (narrow != value) return std::nullopt;
    return narrow;
}

Decimal Decimal::negated() const {
    Decimal number = *this;
    if (number.large_) {
        number.large_->negative = !number.large_->negative;
    } else {
        number.small_ = -number.small_;
    }
    return number;
}

bool operator==(const Decimal& a, const Decimal& b) {
    if (a.exponent_ != b.exponent_ || (a.large_ == nullptr) != (b.large_ == nullptr)) return false;
    return a.large_ ? *a.large_ == *b.large_ : a.small_ == b.small_;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
    if (!a.large_ && !b.large_ && a.exponent_ == b.exponent_) return a.small_ <=> b.small_;
    if (a.is_negative() != b.is_negative() || a.is_zero() || b.is_zero()) {
        const int left = a.is_negative() ? -1 : a.is_zero() ? 0 : 1;
        const int right = b.is_negative() ? -1 : b.is_zero() ? 0 : 1;
        return left <=> right;
    }
    const auto oriented = [&a](std::strong_ordering order) {
        return a.is_negative() ? 0 <=> order : order;
    };
    if (const auto order = a.leading_exponent() <=> b.leading_exponent(); order != 0) {
        return oriented(order);
    }
    // Equal leading exponents: aligning adds no more digits than the longer number has.
    Magnitude left = a.unpack().magnitude;
    Magnitude right = b.unpack().magnitude;
    const std::int64_t shift = std::int64_t{a.exponent_} - b.exponent_;
    (shift > 0 ? left : right).shift_left(static_cast<std::size_t>(shift > 0 ? shift : -shift));
    return oriented(left <=> right);
}

Result<Decimal> Decimal::add(const Decimal& a, const Decimal& b) {
    if (a.is_zero()) return b;
    if (b.is_zero()) return a;
    if (!a.large_ && !b.large_) {
        const Decimal& high = a.exponent_ >= b.exponent_ ? a : b;
        const Decimal& low = a.exponent_ >= b.exponent_ ? b : a;
        const std::int64_t shift = std::int64_t{high.exponent_} - low.exponent_;
        if (shift <= static_cast<std::int64_t>(small_digits)) {
            const Wide sum =
                Wide{high.small_} * powers_of_ten[static_cast<std::size_t>(shift)] + low.small_;
            if (sum > -small_limit && sum < small_limit) {
                return make_small(static_cast<std::int64_t>(sum), low.exponent_);
            }
        }
    }
    return add_large(a, b);
}

Result<Decimal> Decimal::add_large(const Decimal& a, const Decimal& b) {
    const Decimal& high = a.exponent_ >= b.exponent_ ? a : b;
    const Decimal& low = a.exponent_ >= b.exponent_ ? b : a;
    const std::int64_t shift = std::int64_t{high.exponent_} - low.exponent_;
    // A significand ends in a non-zero digit, so the sum reaches down to low's last digit; when the
    // two are this far apart it has too many digits.
    if (shift > static_cast<std::int64_t>(digits_max)) return too_long();
    Large left = high.unpack();
    const Large right = low.unpack();
    left.magnitude.shift_left(static_cast<std::size_t>(shift));
    Large sum{.negative = left.negative, .magnitude = {}};
    if (left.negative == right.negative) {
        sum.magnitude = left.magnitude + right.magnitude;
    } else if (left.magnitude >= right.magnitude) {
        sum.magnitude = left.magnitude - right.magnitude;
    } else {
        sum.magnitude = right.magnitude - left.magnitude;
        sum.negative = right.negative;
    }
    return make(std::move(sum), low.exponent_);
}

Result<Decimal> Decimal::subtract(const Decimal& a, const Decimal& b) {
    return add(a, b.negated());
}

Result<Decimal> Decimal::multiply(const Decimal& a, const Decimal& b) {
    const std::int64_t exponent = std::int64_t{a.exponent_} + b.exponent_;
    if (!a.large_ && !b.large_) {
        const Wide product = Wide{a.small_} * b.small_;
        if (product > -small_limit && product < small_limit) {
            return make_small(static_cast<std::int64_t>(product), exponent);
        }
    }
    const Large left = a.unpack();
    const Large right = b.unpack();
    return make(
        {.negative = left.negative != right.negative,
         .magnitude = left.magnitude * right.magnitude},
        exponent
    );
}

Result<Decimal> Decimal::divide(const Decimal& a, const Decimal& b) {
    if (b.is_zero()) return fail(ErrorCode::invalid, "division by zero");
    if (a.is_zero()) return Decimal{};
    Large dividend = a.unpack();
    const Large divisor = b.unpack();
    // Two digits more than the result has, and whether a rest remains: enough to round rightly.
    const std::size_t wanted = divisor.magnitude.digit_count() + quotient_digits + 2;
    const std::size_t have = dividend.magnitude.digit_count();
    const std::size_t shift = wanted > have ? wanted - have : 0;
    dividend.magnitude.shift_left(shift);
    auto [quotient, remainder] = Magnitude::divide(dividend.magnitude, divisor.magnitude);
    const std::size_t drop = quotient.digit_count() - quotient_digits;
    const Large rounded{
        .negative = dividend.negative != divisor.negative,
        .magnitude = round_half_even(quotient, drop, !remainder.is_zero())};
    const std::int64_t exponent = std::int64_t{a.exponent_} - b.exponent_ -
                                  static_cast<std::int64_t>(shift) +
                                  static_cast<std::int64_t>(drop);
    return make(rounded, exponent);
}

bool Decimal::is_multiple(const Decimal& a, const Decimal& b) {
    CRETO_ASSERT(!b.is_zero());
    if (a.is_zero()) return true;
    const std::int64_t shift = std::int64_t{a.exponent_} - b.exponent_;
    // a's significand does not end in zero, so no multiple of ten divides it.
    if (shift < 0) return false;
    if (!a.large_ && !b.large_) {
        const std::uint64_t divisor = magnitude_of(b.small_);
        std::uint64_t rest = magnitude_of(a.small_) % divisor;
        // After 60 steps every factor 2 and 5 of a divisor below 10^18 < 2^60 is used up.
        for (std::int64_t i = 0; i < std::min<std::int64_t>(shift, 60) && rest != 0; ++i)
            rest = rest * 10 % divisor;
        return rest == 0;
    }
    const Magnitude divisor = b.unpack().magnitude;
    Magnitude dividend = a.unpack().magnitude;
    const std::size_t useful = divisor.digit_count() * 4;  // 10 < 2^4: no more factors than these.
    dividend.shift_left(std::min(static_cast<std::size_t>(shift), useful));
    return Magnitude::divide(dividend, divisor).remainder.is_zero();
}

}  // namespace creto
