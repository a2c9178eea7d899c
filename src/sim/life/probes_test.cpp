#include "sim/life/probes.hpp"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <string_view>

#include "sim/life/life.hpp"
#include "sim/life/swarm.hpp"
#include "tools/peer_budget.hpp"

namespace creto {
namespace {

/// Every name between `open` and `close` in a source of node/, after "node.".
std::set<std::string> found_in(
    const std::string& file, std::string_view open, std::string_view close
) {
    std::ifstream source{CRETO_SOURCE_DIR "/src/node/" + file};
    std::ostringstream read;
    read << source.rdbuf();
    const std::string text = read.str();
    std::set<std::string> out;
    for (std::size_t at = 0; (at = text.find(open, at)) != std::string::npos;) {
        at += open.size();
        const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at);
        if (end == std::string::npos || end == at || text.compare(end, close.size(), close) != 0)
            continue;
        out.insert("node." + text.substr(at, end - at));
    }
    return out;
}

/// What nodes count, by the text of the table of names and of the status.
std::set<std::string> counted_in_sources() {
    std::set<std::string> out = found_in("counts.hpp", "\"", "\"");
    out.merge(found_in("node.cpp", "counters[\"", "\"]"));
    for (std::size_t i = 0; i < work_count; ++i)  // Named there by a loop.
        out.insert(std::string{"node.refused_"} + to_string(static_cast<Work>(i)));
    return out;
}

TEST(Probes, AreSortedAndKnowAllThatNodesCount) {
    const auto known = known_probes();
    EXPECT_TRUE(std::is_sorted(known.begin(), known.end()));
    EXPECT_EQ(std::adjacent_find(known.begin(), known.end()), known.end());
    std::set<std::string> of_nodes;
    for (const std::string_view name : known)
        if (name.starts_with("node.")) of_nodes.emplace(name);
    EXPECT_EQ(of_nodes, counted_in_sources());
}

TEST(Probes, OfALifeAreKnown) {
    const auto known = known_probes();
    for (const std::uint64_t seed : {1, 2, 3})
        for (const auto& [name, count] : live(make_schedule(seed)).probes) {
            EXPECT_TRUE(std::binary_search(known.begin(), known.end(), name)) << name;
            EXPECT_GT(count, 0U);
        }
}

}  // namespace
}  // namespace creto
