// The table of failures in docs/spec/ordering.md: each row names a test, and the test the number.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

namespace creto {
namespace {

std::string read(const std::filesystem::path& path) {
    std::ifstream file{path};
    EXPECT_TRUE(file.is_open()) << path;
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// The lines of comment right above the test.
std::string comment_above(const std::string& source, std::size_t test) {
    std::size_t from = test;
    while (from >= 2) {
        const std::size_t line = source.rfind('\n', from - 2) + 1;
        if (source.compare(line, 2, "//") != 0) break;
        from = line;
    }
    return source.substr(from, test - from);
}

TEST(Failures, EachOfTheTableIsOneTestThatCarriesItsNumber) {
    const std::filesystem::path root{CRETO_SOURCE_DIR};
    std::istringstream page{read(root / "docs" / "spec" / "ordering.md")};
    std::set<int> numbers;
    for (std::string line; std::getline(page, line);) {
        // | 14 | what happened | `order/restart_test.cpp` Suite.Name |
        const std::size_t tick = line.find('`');
        if (line.rfind("| ", 0) != 0 || tick == std::string::npos || std::isdigit(line[2]) == 0)
            continue;
        const int number = std::stoi(line.substr(2));
        const std::size_t end = line.find('`', tick + 1);
        const std::string file = line.substr(tick + 1, end - tick - 1);
        const std::size_t dot = line.find('.', end);
        const std::string suite = line.substr(end + 2, dot - end - 2);
        const std::string name = line.substr(dot + 1, line.rfind(" |") - dot - 1);
        const std::string source = read(root / "src" / file);
        const std::size_t test = source.find("(" + suite + ", " + name + ") {");
        ASSERT_NE(test, std::string::npos) << number << ": " << suite << "." << name;
        const std::string comment = comment_above(source, source.rfind('\n', test) + 1);
        EXPECT_NE(comment.find("Failure " + std::to_string(number)), std::string::npos) << comment;
        EXPECT_TRUE(numbers.insert(number).second) << number << " stands twice";
    }
    std::set<int> expected;
    for (int number = 1; number <= 46; ++number)
        expected.insert(number);
    EXPECT_EQ(numbers, expected);
}

}  // namespace
}  // namespace creto
