// Every schedule that once broke something, again.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "sim/life/life.hpp"
#include "sim/life/schedule_json.hpp"

namespace creto {
namespace {

std::vector<std::string> corpus() {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator{CRETO_SOURCE_DIR "/tests/corpus/sim"})
        if (entry.path().extension() == ".json") names.push_back(entry.path().stem());
    std::sort(names.begin(), names.end());
    return names;
}

class Corpus : public testing::TestWithParam<std::string> {};

TEST_P(Corpus, HoldsToday) {
    std::ifstream file{CRETO_SOURCE_DIR "/tests/corpus/sim/" + GetParam() + ".json"};
    std::ostringstream text;
    text << file.rdbuf();
    const auto schedule = parse_schedule(text.str());
    ASSERT_TRUE(schedule.has_value()) << schedule.error().message;
    const LifeReport report = live(*schedule);
    EXPECT_TRUE(report.passed()) << report.text << "\nagain: creto sim replay tests/corpus/sim/"
                                 << GetParam() << ".json";
}

INSTANTIATE_TEST_SUITE_P(Of, Corpus, testing::ValuesIn(corpus()), [](const auto& file) {
    std::string name = file.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

}  // namespace
}  // namespace creto
