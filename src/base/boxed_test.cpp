#include "base/boxed.hpp"

#include <array>
#include <gtest/gtest.h>
#include <string>
#include <variant>

namespace creto {
namespace {

TEST(Boxed, CopiesAreValuesOfTheirOwn) {
    Boxed<std::string> a{"one"};
    Boxed<std::string> b = a;
    *b += " more";
    EXPECT_EQ(*a, "one");
    EXPECT_EQ(*b, "one more");
    EXPECT_FALSE(a == b);
    a = b;
    EXPECT_TRUE(a == b);
    const Boxed<std::string>& self = a;
    a = self;
    EXPECT_EQ(a->size(), 8U);
}

TEST(Boxed, IsAsSmallAsAPointerInAVariant) {
    struct Large {
        std::array<char, 1'000> bytes{};
    };
    EXPECT_LE(sizeof(std::variant<int, Boxed<Large>>), 2 * sizeof(void*));
}

TEST(Boxed, MayBeAssignedAfterAMove) {
    Boxed<std::string> a{"one"};
    Boxed<std::string> b = std::move(a);
    a = std::string{"two"};
    EXPECT_EQ(*a + *b, "twoone");
}

}  // namespace
}  // namespace creto
