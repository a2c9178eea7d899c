#include "tools/pattern.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/prng.hpp"

namespace creto {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
    const auto compiled = Pattern::compile(pattern);
    EXPECT_TRUE(compiled.has_value()) << pattern << ": " << compiled.error().message;
    return compiled && compiled->found_in(text);
}

ErrorCode pattern_refusal(std::string_view pattern) {
    const auto compiled = Pattern::compile(pattern);
    EXPECT_FALSE(compiled.has_value()) << pattern;
    return compiled ? ErrorCode::io : compiled.error().code;
}

TEST(Pattern, SearchesUnlessAnchored) {
    EXPECT_TRUE(matches("b", "abc"));
    EXPECT_FALSE(matches("^b", "abc"));
    EXPECT_FALSE(matches("b$", "abc"));
    EXPECT_TRUE(matches("^abc$", "abc"));
    EXPECT_FALSE(matches("^abc$", "abc\n"));
    EXPECT_TRUE(matches("", ""));
    EXPECT_TRUE(matches("", "x"));
    EXPECT_TRUE(matches("^$", ""));
    EXPECT_FALSE(matches("^$", "x"));
}

TEST(Pattern, RepeatsAndChooses) {
    EXPECT_TRUE(matches("^a{3}$", "aaa"));
    EXPECT_FALSE(matches("^a{3}$", "aaaa"));
    EXPECT_TRUE(matches("^a{2,}$", "aaaa"));
    EXPECT_FALSE(matches("^a{2,}$", "a"));
    EXPECT_TRUE(matches("^(ab|cd){1,2}$", "cdab"));
    EXPECT_FALSE(matches("^(ab|cd){1,2}$", "cdabab"));
    EXPECT_TRUE(matches("^a*?b+?c??$", "aabb"));
    EXPECT_TRUE(matches("^(?:x|)(?<name>y)$", "y"));
    EXPECT_TRUE(matches("^(a|b|c)*$", "abcabc"));
    EXPECT_FALSE(matches("^(a|b|c)*$", "abcd"));
    EXPECT_TRUE(matches("^a{0}$", ""));
    EXPECT_TRUE(matches("^a{,3}$", "a{,3}"));
    EXPECT_TRUE(matches("^{x}$", "{x}"));
}

TEST(Pattern, KnowsClassesAndEscapes) {
    EXPECT_TRUE(matches("^\\d\\D\\w\\W\\s\\S$", "1a_- x"));
    EXPECT_TRUE(matches("^[a-c\\d\\-x]+$", "ab1-x"));
    EXPECT_FALSE(matches("^[^a-c]$", "b"));
    EXPECT_TRUE(matches("^[^a-c]$", "\xF0\x9F\x98\x80"));
    EXPECT_TRUE(matches("^.$", "\xC3\xA9"));
    EXPECT_FALSE(matches("^.$", "\n"));
    const std::string_view odd{"\t\n\v\f\rAB\xF0\x9F\x98\x80\x01\0", 13};
    EXPECT_TRUE(matches("^\\t\\n\\v\\f\\r\\x41\\u0042\\u{1F600}\\cA\\0$", odd));
    EXPECT_TRUE(matches("^\\ud83d\\ude00$", "\xF0\x9F\x98\x80"));
    EXPECT_TRUE(matches("^[\\s]$", "\xE2\x80\xA8"));
    EXPECT_FALSE(matches("^[]a]*$", "a]"));
    EXPECT_FALSE(matches("[]", "anything"));
    EXPECT_TRUE(matches("^[^]$", "\n"));
    EXPECT_TRUE(matches("^[a-]$", "-"));
    EXPECT_TRUE(
        matches("^\\^\\$\\\\\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\/\\-\\@$", "^$\\.*+?()[]{}|/-@")
    );
    EXPECT_TRUE(matches("^[\\b]$", "\b"));
}

TEST(Pattern, FindsWordBoundaries) {
    EXPECT_TRUE(matches("\\bcat\\b", "a cat!"));
    EXPECT_FALSE(matches("\\bcat\\b", "concatenate"));
    EXPECT_TRUE(matches("\\Bcat\\B", "concatenate"));
    EXPECT_TRUE(matches("cat\\b", "cat"));
}

TEST(Pattern, RefusesByNameWhatItCannotDo) {
    EXPECT_EQ(
        Pattern::compile("a(?=b)").error().message,
        "pattern: look-around is not supported at byte 3"
    );
    for (const char* bad : {"(?!a)",  "(?<=a)b", "(?<!a)b", "(a)\\1", "(?<n>a)\\k<n>",
                            "\\p{L}", "\\P{L}",  "(",       ")",      "(a",
                            "a)",     "[",       "[a",      "[z-a]",  "[\\d-z]",
                            "*",      "a**",     "+a",      "?",      "a{2,1}",
                            "\\",     "\\a",     "\\xZZ",   "\\u12",  "\\u{110000}",
                            "\\u{12", "^*",      "\\b+",    "(?a)",   "(?<n",
                            "\\00",   "a{1001}"})
        EXPECT_EQ(pattern_refusal(bad), ErrorCode::invalid) << bad;
}

TEST(Pattern, RefusesOneInstructionTooMany) {
    // Each {n} of one set is n instructions, and one is the match at the end.
    const std::string base = "(?:a{1000}){8}";
    EXPECT_TRUE(Pattern::compile(base + "a{191}").has_value());
    EXPECT_EQ(pattern_refusal(base + "a{192}"), ErrorCode::limit);
    EXPECT_EQ(pattern_refusal("((a{1000}){1000}){1000}"), ErrorCode::limit);
    // Nothing, a thousand times a thousand times ..., is nothing, and must not take that long.
    EXPECT_TRUE(Pattern::compile("(((((){1000}){1000}){1000}){1000}){1000}").has_value());
    std::string groups;
    for (int i = 0; i < 2'000; ++i)
        groups += "()";
    EXPECT_EQ(pattern_refusal("((" + groups + "a){90}){90}"), ErrorCode::limit);
    EXPECT_EQ(pattern_refusal("((((a*)*)*){1000}){1000}"), ErrorCode::limit);
    EXPECT_TRUE(Pattern::compile(std::string(4'096, 'a')).has_value());
    EXPECT_EQ(pattern_refusal(std::string(4'097, 'a')), ErrorCode::limit);
    EXPECT_TRUE(Pattern::compile(std::string(64, '(') + std::string(64, ')')).has_value());
    EXPECT_EQ(pattern_refusal(std::string(65, '(') + std::string(65, ')')), ErrorCode::invalid);
}

TEST(Pattern, StaysLinearWhereBacktrackingExplodes) {
    // Each of these takes 2^5000 steps by backtracking.
    const std::string text = std::string(5'000, 'a') + "!";
    EXPECT_FALSE(matches("^(a+)+$", text));
    EXPECT_FALSE(matches("^(a|a)*$", text));
    EXPECT_FALSE(matches("^(a|aa)+$", text));
    EXPECT_FALSE(matches("^((a*)*)*$", text));
    EXPECT_FALSE(matches("(.*)*x", text));
    EXPECT_TRUE(matches("^(a?){30}a{30}$", std::string(30, 'a')));
}

/// Oracle: derivative-free brute force over a tiny grammar, by expanding the language up to a
/// length.
std::vector<std::string> language(Prng& random, std::string& pattern, int depth) {
    const auto choice = depth == 0 ? 0 : random.below(4);
    std::vector<std::string> words;
    if (choice == 0) {
        const char c = "ab"[random.below(2)];
        pattern.push_back(c);
        return {std::string(1, c)};
    }
    pattern += "(?:";
    const auto left = language(random, pattern, depth - 1);
    if (choice == 1) {
        pattern += "|";
        words = language(random, pattern, depth - 1);
        words.insert(words.end(), left.begin(), left.end());
        pattern += ")";
    } else if (choice == 2) {
        const auto right = language(random, pattern, depth - 1);
        for (const auto& x : left)
            for (const auto& y : right)
                if (x.size() + y.size() <= 6) words.push_back(x + y);
        pattern += ")";
    } else {
        pattern += ")*";
        words = {""};
        for (std::size_t i = 0; i < words.size() && i < 200; ++i)
            for (const auto& x : left)
                if (!x.empty() && words[i].size() + x.size() <= 6 &&
                    std::find(words.begin(), words.end(), words[i] + x) == words.end())
                    words.push_back(words[i] + x);
    }
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    return words;
}

TEST(Pattern, MatchesExactlyTheLanguageOfRandomPatterns) {
    Prng random{99};
    for (int round = 0; round < 300; ++round) {
        std::string pattern = "^";
        const auto words = language(random, pattern, 4);
        pattern += "$";
        const auto compiled = Pattern::compile(pattern);
        ASSERT_TRUE(compiled.has_value()) << pattern;
        for (std::size_t size = 0; size <= 6; ++size) {
            for (std::size_t bits = 0; bits < (std::size_t{1} << size); ++bits) {
                std::string text;
                for (std::size_t i = 0; i < size; ++i)
                    text.push_back((bits >> i) & 1U ? 'b' : 'a');
                ASSERT_EQ(
                    compiled->found_in(text),
                    std::find(words.begin(), words.end(), text) != words.end()
                ) << pattern
                  << " on " << text;
            }
        }
    }
}

}  // namespace
}  // namespace creto
