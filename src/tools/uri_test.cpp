#include "tools/uri.hpp"

#include <gtest/gtest.h>
#include <utility>

namespace creto {
namespace {

TEST(Uri, ResolvesTheExamplesOfRfc3986) {
    // Sections 5.4.1 and 5.4.2, without fragments.
    const std::pair<const char*, const char*> examples[] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/../y", "http://a/b/c/y"},
    };
    for (const auto& [reference, expected] : examples)
        EXPECT_EQ(uri::resolve("http://a/b/c/d;p?q", reference), expected) << reference;
}

TEST(Uri, ResolvesWhereThereIsNoBase) {
    EXPECT_EQ(uri::resolve("", "node.json"), "node.json");
    EXPECT_EQ(uri::resolve("http://a", "node"), "http://a/node");
    EXPECT_EQ(uri::resolve("http://a", "urn:uuid:x/../y"), "urn:uuid:x/../y");
    EXPECT_EQ(uri::split("a#b#c").fragment, "b#c");
}

TEST(Uri, DecodesPercentSigns) {
    EXPECT_EQ(uri::percent_decoded("a%25b%22"), "a%b\"");
    EXPECT_EQ(uri::percent_decoded("%"), std::nullopt);
    EXPECT_EQ(uri::percent_decoded("%4"), std::nullopt);
    EXPECT_EQ(uri::percent_decoded("%zz"), std::nullopt);
}

}  // namespace
}  // namespace creto
