#include "tools/magnitude.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace creto {

namespace {

std::uint32_t power_of_ten(std::size_t exponent) {
    std::uint32_t power = 1;
    for (std::size_t i = 0; i < exponent; ++i)
        power *= 10;
    return power;
}

using Limbs = std::vector<std::uint32_t>;

/// Step D4: takes guess * by from the limbs of `rest` that start at `from`; whether that went below
/// zero (the limbs are then off by base^(by.size() + 1)).
bool subtract_product(Limbs& rest, std::size_t from, const Limbs& by, std::uint64_t guess) {
    constexpr std::int64_t base = 1'000'000'000;
    std::int64_t borrow = 0;
    for (std::size_t i = 0; i <= by.size(); ++i) {
        const auto part = static_cast<std::int64_t>(i < by.size() ? guess * by[i] : 0);
        std::int64_t value = std::int64_t{rest[from + i]} - borrow - part % base;
        borrow = part / base;
        if (value < 0) {
            const std::int64_t up = (-value + base - 1) / base;
            value += up * base;
            borrow += up;
        }
        rest[from + i] = static_cast<std::uint32_t>(value);
    }
    return borrow != 0;
}

/// Step D6: adds `by` once; the carry out of the last limb cancels the borrow.
void add_back(Limbs& rest, std::size_t from, const Limbs& by) {
    constexpr std::uint64_t base = 1'000'000'000;
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i <= by.size(); ++i) {
        carry += rest[from + i];
        if (i < by.size()) carry += by[i];
        rest[from + i] = static_cast<std::uint32_t>(carry % base);
        carry /= base;
    }
}

}  // namespace

Magnitude::Magnitude(std::uint64_t value) {
    for (; value != 0; value /= base)
        limbs_.push_back(static_cast<std::uint32_t>(value % base));
}

Magnitude Magnitude::from_digits(std::string_view digits) {
    Magnitude number;
    number.limbs_.reserve(digits.size() / base_digits + 1);
    while (!digits.empty()) {
        const std::size_t take = std::min(digits.size(), base_digits);
        std::uint32_t limb = 0;
        for (const char c : digits.substr(digits.size() - take))
            limb = limb * 10 + static_cast<std::uint32_t>(c - '0');
        number.limbs_.push_back(limb);
        digits.remove_suffix(take);
    }
    number.trim();
    return number;
}

std::size_t Magnitude::digit_count() const {
    if (limbs_.empty()) return 0;
    std::size_t count = (limbs_.size() - 1) * base_digits;
    for (std::uint32_t top = limbs_.back(); top != 0; top /= 10)
        ++count;
    return count;
}

std::string Magnitude::digits() const {
    if (limbs_.empty()) return "0";
    std::string text = std::to_string(limbs_.back());
    for (std::size_t i = limbs_.size() - 1; i-- > 0;) {
        const std::string limb = std::to_string(limbs_[i]);
        text.append(base_digits - limb.size(), '0').append(limb);
    }
    return text;
}

std::uint64_t Magnitude::to_u64() const {
    CRETO_ASSERT(limbs_.size() <= 2);
    std::uint64_t value = 0;
    for (std::size_t i = limbs_.size(); i-- > 0;)
        value = value * base + limbs_[i];
    return value;
}

void Magnitude::shift_left(std::size_t count) {
    if (limbs_.empty()) return;
    multiply_small(power_of_ten(count % base_digits));
    limbs_.insert(limbs_.begin(), count / base_digits, 0);
}

std::size_t Magnitude::strip_zeros() {
    if (limbs_.empty()) return 0;
    const auto first =
        std::find_if(limbs_.begin(), limbs_.end(), [](std::uint32_t limb) { return limb != 0; });
    std::size_t count = static_cast<std::size_t>(first - limbs_.begin()) * base_digits;
    limbs_.erase(limbs_.begin(), first);
    std::size_t rest = 0;
    for (std::uint32_t limb = limbs_.front(); limb % 10 == 0; limb /= 10)
        ++rest;
    if (rest > 0) divide_small(power_of_ten(rest));
    return count + rest;
}

void Magnitude::trim() {
    while (!limbs_.empty() && limbs_.back() == 0)
        limbs_.pop_back();
}

std::uint32_t Magnitude::divide_small(std::uint32_t divisor) {
    std::uint64_t remainder = 0;
    for (std::size_t i = limbs_.size(); i-- > 0;) {
        const std::uint64_t value = remainder * base + limbs_[i];
        limbs_[i] = static_cast<std::uint32_t>(value / divisor);
        remainder = value % divisor;
    }
    trim();
    return static_cast<std::uint32_t>(remainder);
}

void Magnitude::multiply_small(std::uint32_t factor) {
    std::uint64_t carry = 0;
    for (std::uint32_t& limb : limbs_) {
        const std::uint64_t value = std::uint64_t{limb} * factor + carry;
        limb = static_cast<std::uint32_t>(value % base);
        carry = value / base;
    }
    if (carry != 0) limbs_.push_back(static_cast<std::uint32_t>(carry));
}

Magnitude operator+(const Magnitude& a, const Magnitude& b) {
    Magnitude sum;
    const std::size_t size = std::max(a.limbs_.size(), b.limbs_.size());
    sum.limbs_.reserve(size + 1);
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < size || carry != 0; ++i) {
        if (i < a.limbs_.size()) carry += a.limbs_[i];
        if (i < b.limbs_.size()) carry += b.limbs_[i];
        sum.limbs_.push_back(static_cast<std::uint32_t>(carry % Magnitude::base));
        carry /= Magnitude::base;
    }
    return sum;
}

Magnitude operator-(const Magnitude& a, const Magnitude& b) {
    CRETO_ASSERT(a >= b);
    Magnitude difference = a;
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < a.limbs_.size(); ++i) {
        const std::uint64_t take = borrow + (i < b.limbs_.size() ? b.limbs_[i] : 0);
        borrow = a.limbs_[i] < take ? 1 : 0;
        difference.limbs_[i] =
            static_cast<std::uint32_t>(a.limbs_[i] + borrow * Magnitude::base - take);
    }
    difference.trim();
    return difference;
}

Magnitude operator*(const Magnitude& a, const Magnitude& b) {
    Magnitude product;
    product.limbs_.assign(a.limbs_.size() + b.limbs_.size(), 0);
    for (std::size_t i = 0; i < a.limbs_.size(); ++i) {
        std::uint64_t carry = 0;
        for (std::size_t j = 0; j < b.limbs_.size() || carry != 0; ++j) {
            carry += product.limbs_[i + j];
            if (j < b.limbs_.size()) carry += std::uint64_t{a.limbs_[i]} * b.limbs_[j];
            product.limbs_[i + j] = static_cast<std::uint32_t>(carry % Magnitude::base);
            carry /= Magnitude::base;
        }
    }
    product.trim();
    return product;
}

std::strong_ordering operator<=>(const Magnitude& a, const Magnitude& b) {
    if (a.limbs_.size() != b.limbs_.size()) return a.limbs_.size() <=> b.limbs_.size();
    for (std::size_t i = a.limbs_.size(); i-- > 0;) {
        if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] <=> b.limbs_[i];
    }
    return std::strong_ordering::equal;
}

Magnitude::Division Magnitude::divide(const Magnitude& dividend, const Magnitude& divisor) {
    CRETO_ASSERT(!divisor.is_zero());
    if (dividend < divisor) return {.quotient = {}, .remainder = dividend};
    if (divisor.limbs_.size() == 1) {
        Magnitude quotient = dividend;
        const std::uint32_t rest = quotient.divide_small(divisor.limbs_.front());
        return {.quotient = std::move(quotient), .remainder = Magnitude{rest}};
    }
    // D1: scale both so that the divisor's top limb is at least base / 2; then the two-limb guess
    // below is at most two too large.
    const auto scale =
        static_cast<std::uint32_t>(base / (std::uint64_t{divisor.limbs_.back()} + 1));
    Magnitude rest = dividend;
    Magnitude by = divisor;
    rest.multiply_small(scale);
    by.multiply_small(scale);
    const std::size_t n = by.limbs_.size();
    if (rest.limbs_.size() == dividend.limbs_.size()) rest.limbs_.push_back(0);
    const std::size_t steps = rest.limbs_.size() - n;
    Magnitude quotient;
    quotient.limbs_.assign(steps, 0);
    for (std::size_t j = steps; j-- > 0;) {
        const std::uint64_t top = rest.limbs_[j + n] * base + rest.limbs_[j + n - 1];
        std::uint64_t guess = top / by.limbs_[n - 1];
        std::uint64_t left = top % by.limbs_[n - 1];
        while (guess >= base || guess * by.limbs_[n - 2] > left * base + rest.limbs_[j + n - 2]) {
            --guess;
            left += by.limbs_[n - 1];
            if (left >= base) break;
        }
        // D6: one too many happens rarely, but it happens.
        if (subtract_product(rest.limbs_, j, by.limbs_, guess)) {
            --guess;
            add_back(rest.limbs_, j, by.limbs_);
        }
        quotient.limbs_[j] = static_cast<std::uint32_t>(guess);
    }
    quotient.trim();
    rest.trim();
    rest.divide_small(scale);
    return {.quotient = std::move(quotient), .remainder = std::move(rest)};
}

}  // namespace creto
