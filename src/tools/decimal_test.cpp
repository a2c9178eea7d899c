#include "tools/decimal.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"

namespace creto {
namespace {

__extension__ using Wide = __int128;

Decimal number(std::string_view text) {
    auto parsed = Decimal::parse(text);
    EXPECT_TRUE(parsed.has_value()) << text;
    return parsed ? *parsed : Decimal{};
}

std::string read(std::string_view text) {
    return number(text).text();
}

TEST(Decimal, HasOneTextPerValue) {
    for (const char* one : {"1", "1.0", "1.000", "10e-1", "0.1e1", "100E-2", "0.00001e+5"})
        EXPECT_EQ(read(one), "1") << one;
    for (const char* zero : {"0", "-0", "0.00", "0e5", "-0.0e-99999999999999999999"})
        EXPECT_EQ(read(zero), "0") << zero;
    EXPECT_EQ(read("1e20"), "100000000000000000000");
    EXPECT_EQ(read("1e21"), "1e+21");
    EXPECT_EQ(read("-1.50"), "-1.5");
    EXPECT_EQ(read("0.000001"), "0.000001");
    EXPECT_EQ(read("0.0000001"), "1e-7");
    EXPECT_EQ(read("123456789012345678901234567890"), "123456789012345678901234567890");
    EXPECT_EQ(read("12345678901234567890e3"), "12345678901234567890000");
    EXPECT_EQ(read("12345678901234567891.5"), "12345678901234567891.5");
    EXPECT_EQ(read("1.5E+30"), "1.5e+30");
    EXPECT_EQ(read("-2e-300"), "-2e-300");
}

TEST(Decimal, RefusesWhatIsNotAJsonNumber) {
    for (const char* text :
         {"",
          "-",
          "+1",
          "01",
          "-01",
          "1.",
          ".5",
          "1e",
          "1e+",
          "0x10",
          "1 ",
          " 1",
          "1_000",
          "NaN",
          "Infinity",
          "1.5.2",
          "1e5e5",
          "--1",
          "1-1"})
        EXPECT_FALSE(Decimal::parse(text).has_value()) << text;
}

TEST(Decimal, RefusesOneDigitOrExponentTooMany) {
    const std::string most(Decimal::digits_max, '7');
    EXPECT_EQ(read(most), most);
    EXPECT_EQ(Decimal::parse(most + "7").error().code, ErrorCode::limit);
    EXPECT_EQ(read("0." + most).size(), most.size() + 2);
    EXPECT_EQ(read(most + "000000"), most + "000000");
    EXPECT_EQ(read(most + "0000000"), most.substr(0, 1) + "." + most.substr(1) + "e+1030");
    EXPECT_TRUE(Decimal::parse("1e10000").has_value());
    EXPECT_TRUE(Decimal::parse("1e-10000").has_value());
    EXPECT_TRUE(Decimal::parse("12.3e9999").has_value());
    EXPECT_EQ(Decimal::parse("1e10001").error().code, ErrorCode::limit);
    EXPECT_EQ(Decimal::parse("12.3e10000").error().code, ErrorCode::limit);
    EXPECT_EQ(Decimal::parse("1e-10001").error().code, ErrorCode::limit);
    EXPECT_EQ(Decimal::parse("1e99999999999999999999").error().code, ErrorCode::limit);
}

TEST(Decimal, AddsExactly) {
    EXPECT_EQ(Decimal::add(number("0.1"), number("0.2"))->text(), "0.3");
    EXPECT_EQ(Decimal::add(number("7"), number("10"))->text(), "17");
    EXPECT_EQ(Decimal::add(number("1e30"), number("1"))->text(), "1000000000000000000000000000001");
    EXPECT_EQ(
        Decimal::add(number("999999999999999999"), number("1"))->text(), "1000000000000000000"
    );
    EXPECT_EQ(Decimal::subtract(number("1e30"), number("1e30"))->text(), "0");
    EXPECT_EQ(Decimal::subtract(number("0"), number("5"))->text(), "-5");
    EXPECT_EQ(
        Decimal::add(number("123456789012345678901"), number("-123456789012345678900.5"))->text(),
        "0.5"
    );
    EXPECT_EQ(Decimal::add(number("1e5000"), number("1")).error().code, ErrorCode::limit);
    EXPECT_EQ(Decimal::add(number("1e5000"), number("0"))->text(), "1e+5000");
}

TEST(Decimal, MultipliesExactlyAndRefusesTooManyDigits) {
    EXPECT_EQ(
        Decimal::multiply(number("123456789123456789"), number("-987654321987654321"))->text(),
        "-121932631356500531347203169112635269"
    );
    EXPECT_EQ(Decimal::multiply(number("0.5"), number("4"))->text(), "2");
    EXPECT_EQ(Decimal::multiply(number("0"), number("1e9000"))->text(), "0");
    EXPECT_EQ(Decimal::multiply(number("1e9000"), number("1e9000")).error().code, ErrorCode::limit);
    const Decimal half = number(std::string(Decimal::digits_max / 2 + 1, '9'));
    EXPECT_EQ(Decimal::multiply(half, half).error().code, ErrorCode::limit);
}

TEST(Decimal, DividesToThirtyFourDigitsHalfToEven) {
    const auto divided = [](const char* a, const char* b) {
        return Decimal::divide(number(a), number(b))->text();
    };
    EXPECT_EQ(divided("10", "4"), "2.5");
    EXPECT_EQ(divided("1", "3"), "0." + std::string(34, '3'));
    EXPECT_EQ(divided("2", "3"), "0." + std::string(33, '6') + "7");
    EXPECT_EQ(divided("-2", "3"), "-0." + std::string(33, '6') + "7");
    EXPECT_EQ(divided("0", "-7"), "0");
    EXPECT_EQ(divided("1e30", "1e-30"), "1e+60");
    // Exactly half way in the 35th digit: to the even neighbour; a digit far behind breaks the tie.
    const std::string even = "1" + std::string(32, '0') + "25";
    const std::string odd = "1" + std::string(32, '0') + "35";
    EXPECT_EQ(divided(even.c_str(), "1"), "1" + std::string(32, '0') + "20");
    EXPECT_EQ(divided(odd.c_str(), "1"), "1" + std::string(32, '0') + "40");
    const std::string above = even + std::string(40, '0') + "1";
    EXPECT_EQ(divided(above.c_str(), "1"), "1." + std::string(32, '0') + "3e+75");
    EXPECT_EQ(Decimal::divide(number("1"), number("0")).error().code, ErrorCode::invalid);
    EXPECT_EQ(Decimal::divide(number("1e9000"), number("1e-9000")).error().code, ErrorCode::limit);
}

TEST(Decimal, OrdersByValue) {
    const char* ascending[] = {
        "-1e9000",
        "-123456789012345678901234",
        "-2.5",
        "-2",
        "-0.1",
        "-1e-9000",
        "0",
        "1e-9000",
        "0.1",
        "0.10000000000000000000000000001",
        "1",
        "1.5",
        "2",
        "10",
        "99",
        "100",
        "1e17",
        "123456789012345678",
        "123456789012345678.5",
        "123456789012345679",
        "123456789012345678901",
        "1e9000"};
    for (std::size_t i = 0; i < std::size(ascending); ++i) {
        for (std::size_t j = 0; j < std::size(ascending); ++j) {
            const Decimal a = number(ascending[i]);
            const Decimal b = number(ascending[j]);
            EXPECT_EQ(a <=> b, i <=> j) << ascending[i] << " and " << ascending[j];
            EXPECT_EQ(a == b, i == j);
        }
    }
}

TEST(Decimal, KnowsMultiples) {
    const auto multiple = [](const char* a, const char* b) {
        return Decimal::is_multiple(number(a), number(b));
    };
    EXPECT_TRUE(multiple("0.0075", "0.0001"));
    EXPECT_FALSE(multiple("0.00751", "0.0001"));
    EXPECT_TRUE(multiple("4.5", "1.5"));
    EXPECT_FALSE(multiple("35", "1.5"));
    EXPECT_TRUE(multiple("0", "7"));
    EXPECT_TRUE(multiple("-9", "3"));
    EXPECT_TRUE(multiple("1e308", "0.5"));
    EXPECT_FALSE(multiple("1e308", "0.123456789"));
    EXPECT_TRUE(multiple("1e9000", "1152921504606846976"));  // 2^60: needs 60 tens.
    EXPECT_FALSE(multiple("1e59", "1152921504606846976"));
    EXPECT_TRUE(multiple("1e60", "1152921504606846976"));
    EXPECT_TRUE(multiple("246913578024691357802469135780", "123456789012345678901234567890"));
    EXPECT_FALSE(multiple("246913578024691357802469135781", "123456789012345678901234567890"));
}

TEST(Decimal, ConvertsToAndFromSixtyFourBits) {
    for (const std::int64_t value :
         {std::int64_t{0},
          std::int64_t{-1},
          std::int64_t{1'000'000'000'000'000'000},
          std::numeric_limits<std::int64_t>::max(),
          std::numeric_limits<std::int64_t>::min()}) {
        EXPECT_EQ(Decimal{value}.to_int64(), value);
        EXPECT_EQ(Decimal{value}.text(), std::to_string(value));
        EXPECT_EQ(number(std::to_string(value)), Decimal{value});
    }
    EXPECT_EQ(number("9223372036854775808").to_int64(), std::nullopt);
    EXPECT_EQ(number("-9223372036854775809").to_int64(), std::nullopt);
    EXPECT_EQ(number("1e19").to_int64(), std::nullopt);
    EXPECT_EQ(number("1e10000").to_int64(), std::nullopt);
    EXPECT_EQ(number("0.5").to_int64(), std::nullopt);
    EXPECT_EQ(number("1e18").to_int64(), 1'000'000'000'000'000'000);
}

std::string wide_text(Wide value) {
    if (value < 0) return "-" + wide_text(-value);
    if (value < 10) return std::string(1, static_cast<char>('0' + static_cast<int>(value)));
    return wide_text(value / 10) + static_cast<char>('0' + static_cast<int>(value % 10));
}

TEST(Decimal, AgreesWithMachineArithmeticOnIntegers) {
    Prng random{20'240'801};
    for (int i = 0; i < 20'000; ++i) {
        const auto shift = random.below(64);
        const auto a = static_cast<std::int64_t>(random.next()) >> shift;
        const auto b = static_cast<std::int64_t>(random.next()) >> random.below(64);
        const Decimal x{a};
        const Decimal y{b};
        ASSERT_EQ(Decimal::add(x, y)->absolute(), number(wide_text(Wide{a} + b)).absolute());
        ASSERT_EQ(*Decimal::subtract(x, y), number(wide_text(Wide{a} - b)));
        ASSERT_EQ(*Decimal::multiply(x, y), number(wide_text(Wide{a} * b)));
        ASSERT_EQ(x <=> y, a <=> b);
        if (b == 0) continue;
        ASSERT_EQ(Decimal::is_multiple(x, y), Wide{a} % b == 0) << a << " " << b;
    }
}

TEST(Magnitude, DivisionGivesBackItsDividend) {
    Prng random{7};
    const auto digits = [&random](std::size_t most) {
        std::string text;
        const std::size_t size = 1 + random.below(most);
        // Runs of 0 and 9 provoke the rare correction step of the division.
        while (text.size() < size)
            text.append(1 + random.below(12), "0909123456789"[random.below(13)]);
        return text;
    };
    for (int i = 0; i < 20'000; ++i) {
        const Magnitude a = Magnitude::from_digits(digits(200));
        const Magnitude b = Magnitude::from_digits(digits(100));
        if (b.is_zero()) continue;
        const auto [quotient, remainder] = Magnitude::divide(a, b);
        ASSERT_LT(remainder, b);
        ASSERT_EQ(quotient * b + remainder, a) << a.digits() << " / " << b.digits();
    }
}

TEST(Magnitude, KeepsItsDigits) {
    for (const char* text : {"1", "999999999", "1000000000", "123456789000000000000000000001"})
        EXPECT_EQ(Magnitude::from_digits(text).digits(), text);
    EXPECT_EQ(Magnitude::from_digits("000").digit_count(), 0U);
    Magnitude number = Magnitude::from_digits("12000000000000000000");
    EXPECT_EQ(number.strip_zeros(), 18U);
    EXPECT_EQ(number.digits(), "12");
    number.shift_left(11);
    EXPECT_EQ(number.digits(), "1200000000000");
}

}  // namespace
}  // namespace creto
