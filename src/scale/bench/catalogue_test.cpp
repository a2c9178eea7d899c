#include "scale/bench/catalogue.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "scale/bench/scenario_files.hpp"
#include "scale/config.hpp"

namespace creto {
namespace {

TEST(Catalogue, HasTheSeventyNineScenariosInTheirCategories) {
    const auto catalogue = Catalogue::load();
    ASSERT_TRUE(catalogue.has_value()) << catalogue.error().message;
    std::map<std::string, std::size_t> counts;
    std::set<std::string> names;
    for (const ScaleScenario& one : catalogue->all()) {
        ++counts[one.category];
        names.insert(one.name);
        EXPECT_FALSE(one.about.empty()) << one.name;
        EXPECT_GE(one.smoke, std::min(one.duration, Duration::from_s(10))) << one.name;
        EXPECT_LE(shortened(one).duration, Duration::from_s(60)) << one.name;
    }
    EXPECT_EQ(names.size(), 79U);
    const std::map<std::string, std::size_t> wanted{
        {"infrastructure", 11},
        {"load", 11},
        {"stress", 10},
        {"soak", 10},
        {"chaos", 11},
        {"byzantine", 14},
        {"performance", 12}};
    EXPECT_EQ(counts, wanted);
    for (const embedded::TextFile& file : embedded::scenario_files())
        EXPECT_TRUE(names.contains(std::string{file.name.substr(0, file.name.size() - 5)}))
            << file.name;
}

TEST(Catalogue, EachCanBeRunAtAnotherNodeCountAndShortened) {
    const Catalogue catalogue = Catalogue::load().value();
    for (const ScaleScenario& one : catalogue.all()) {
        if (!one.micro.empty()) continue;
        for (const std::uint32_t nodes : {7U, 31U, 100U}) {
            const auto fewer = with_nodes(one, nodes);
            ASSERT_TRUE(fewer.has_value()) << one.name << ": " << fewer.error().message;
            EXPECT_EQ(fewer->too_big(), "") << one.name;
            for (const ScenarioStep& step : shortened(*fewer).steps)
                EXPECT_LT(step.at, shortened(*fewer).duration) << one.name;
        }
    }
}

TEST(Catalogue, FindsByNameAndAliasAndSaysTheNearest) {
    const Catalogue catalogue = Catalogue::load().value();
    const ScaleScenario* plain = catalogue.find("1000_nodes_deep_dag").value();
    EXPECT_EQ(catalogue.find("test_1000_nodes_deep_dag").value(), plain);
    EXPECT_EQ(
        catalogue.find("1000_nodes_deep_dog").error().message,
        "there is no scenario \"1000_nodes_deep_dog\"; did you mean 1000_nodes_deep_dag?"
    );
    EXPECT_EQ(
        catalogue.in_category("chaoss").error().message,
        "there is no category \"chaoss\"; did you mean chaos?"
    );
}

TEST(Catalogue, ReadsAFolderInPlaceOfItsOwn) {
    const auto folder = std::filesystem::temp_directory_path() / "creto-catalogue-test";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    EXPECT_EQ(Catalogue::load(folder.string()).error().code, ErrorCode::not_found);
    const std::string text =
        "name = \"own\"\ncategory = \"load\"\n[[criterion]]\nmetric = \"avg_tps\"\nmin = 1\n";
    ASSERT_TRUE(write_file(folder / "a.toml", text).has_value());
    EXPECT_EQ(Catalogue::load(folder.string())->all().size(), 1U);
    ASSERT_TRUE(write_file(folder / "b.toml", text).has_value());
    EXPECT_NE(
        Catalogue::load(folder.string()).error().message.find("another file has a scenario own"),
        std::string::npos
    );
    std::filesystem::remove_all(folder);
    EXPECT_EQ(Catalogue::load(folder.string()).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace creto
