// S2.1 to S2.4: agents that lie or flood. Detection is read from the honest agents' own state.
#include <set>
#include <thread>

#include "scale/scenario_support.hpp"

namespace creto::scenario {

namespace {

Json verified(
    RealCluster& c, std::size_t i, const std::string& tool, const std::string& arguments
) {
    return c.ask(i, "call-verified", {{"tool", tool}, {"arguments", arguments}});
}

std::set<std::string> texts(const Json& list) {
    std::set<std::string> out;
    for (const Json& item : list)
        out.insert(item.get<std::string>());
    return out;
}

/// The last decided verdict at node i whose dissenting agents are known.
Json last_verdict(RealCluster& c, std::size_t i) {
    const Json reply = c.ask(i, "verdicts");
    if (!ok(reply) || reply["verdicts"].empty()) return nullptr;
    return reply["verdicts"].back();
}

/// Waits until every honest node holds a decided verdict that names exactly these agents.
bool verdict_everywhere(
    RealCluster& c, const std::vector<std::size_t>& honest, const std::set<std::string>& liars
) {
    return RealCluster::wait_until(
        [&] {
            std::set<std::string> digests;
            for (const std::size_t i : honest) {
                const Json reply = c.ask(i, "verdicts");
                bool named = false;
                if (!ok(reply)) return false;
                for (const Json& verdict : reply["verdicts"]) {
                    if (verdict["decided"] == true && texts(verdict["dissenting"]) == liars) {
                        named = true;
                        digests.insert(verdict["result_digest"].get<std::string>());
                    }
                }
                if (!named) return false;
            }
            return digests.size() == 1;
        },
        std::chrono::seconds{15}
    );
}

Json standing(RealCluster& c, std::size_t at, const std::string& name) {
    const Json reply = c.ask(at, "reputation");
    if (!ok(reply)) return nullptr;
    for (const Json& agent : reply["agents"]) {
        if (agent["name"] == name) return agent;
    }
    return nullptr;
}

}  // namespace

void malicious_tool(const ScenarioContext& context, ScenarioResult& r) {
    auto nodes = agents(7);
    nodes[3].drill = "times:10";
    auto c = cluster(context, r, QuorumMode::byzantine, nodes);
    await_mesh(*c, all_of(*c));
    const Json alone = c->ask(
        0,
        "call",
        {{"tool", "multiply"},
         {"arguments", R"({"a":3,"b":10})"},
         {"agent", agent_text(c->agent(3))}}
    );
    r.require(
        "the liar alone",
        "300, not 30",
        ok(alone) ? alone["result"].get<std::string>() : error_of(alone),
        ok(alone) && alone["result"] == "300"
    );
    const Json reply = verified(*c, 0, "multiply", R"({"a":3,"b":10})");
    r.require(
        "the verified call",
        "30",
        ok(reply) ? reply["result"].get<std::string>() : error_of(reply),
        ok(reply) && reply["result"] == "30"
    );
    const std::vector<std::size_t> honest{0, 1, 2, 4, 5, 6};
    const bool named = verdict_everywhere(*c, honest, {agent_text(c->agent(3))});
    r.require(
        "the liar is named at every honest agent",
        "Delta alone, with evidence",
        named ? last_verdict(*c, 5).dump() : "not within 15 s",
        named
    );
    Json liar;
    Json good;
    const bool fell = RealCluster::wait_until(
        [&] {
            liar = standing(*c, 1, "Delta");
            good = standing(*c, 1, "Beta");
            return liar.is_object() && good.is_object() &&
                   liar["score_ppm"].get<std::uint64_t>() < good["score_ppm"].get<std::uint64_t>();
        },
        std::chrono::seconds{10}
    );
    r.require(
        "its reputation falls below the others'",
        "lower",
        fell ? liar["score_ppm"].dump() + " against " + good["score_ppm"].dump() + " millionths"
             : "no",
        fell
    );
    r.details["reasons"] = liar.is_object() ? liar["reasons"] : Json::array();
}

void byzantine_voting(const ScenarioContext& context, ScenarioResult& r) {
    auto nodes = agents(7);
    nodes[2].drill = "constant:3000";
    nodes[5].drill = "constant:3000";
    auto c = cluster(context, r, QuorumMode::byzantine, nodes);
    await_mesh(*c, all_of(*c));
    const Json reply = verified(*c, 0, "multiply", R"({"a":30,"b":10})");
    const bool good = ok(reply);
    r.require(
        "decided",
        "300 with 5 votes",
        good ? reply["result"].get<std::string>() + " with " + reply["agreeing"].dump() + " votes"
             : error_of(reply),
        good && reply["result"] == "300" && reply["agreeing"].get<int>() >= 5
    );
    r.require(
        "quorum",
        "5 of 7",
        good ? reply["bar"].dump() + " of " + reply["panel"].dump() : "none",
        good && reply["bar"] == 5 && reply["panel"] == 7
    );
    const std::set<std::string> liars{agent_text(c->agent(2)), agent_text(c->agent(5))};
    const bool same = verdict_everywhere(*c, {0, 1, 3, 4, 6}, liars);
    r.require(
        "the same verdict at every honest agent",
        "300, naming both liars and nobody else",
        same ? "equal at 5 honest agents" : "not within 15 s",
        same
    );
}

void flood(const ScenarioContext& context, ScenarioResult& r) {
    auto c = cluster(context, r, QuorumMode::byzantine, agents(5));
    await_mesh(*c, all_of(*c));
    auto flooder = need(AgentClient::connect(c->genesis(), "flooder", {c->direct_address(0)}));
    const CallTool call{.tool = "add", .arguments = R"({"a":1,"b":2})", .agent = c->agent(0)};
    auto victim = need(AgentClient::connect(c->genesis(), "victim", {c->direct_address(0)}));
    const auto before = victim->load(call, "3", 200, 1);
    const auto thousand = flooder->load(call, "3", 1'000, 1'000);
    r.require(
        "1,000 rapid calls",
        "the quota of 500 is served, the rest refused",
        std::to_string(thousand.results) + " served, " + std::to_string(thousand.rate_limited) +
            " rate limited, in " + number(thousand.seconds * 1000, " ms"),
        thousand.rate_limited > 0 && thousand.results >= 500 && thousand.results <= 1'000 &&
            thousand.failed == 0
    );
    AgentClient::Load heavy;
    std::thread flooding{[&] { heavy = flooder->load(call, "3", 100'000, 2'000); }};
    const auto during = victim->load(call, "3", 200, 1);
    flooding.join();
    const double p50_before = percentile(before.latencies_us, 50);
    const double p50_during = percentile(during.latencies_us, 50);
    const double allowed = 500.0 + 500.0 * (heavy.seconds + thousand.seconds + during.seconds + 1);
    r.require(
        "100,000 rapid calls",
        "rate limited to 500 a second, then cut off",
        std::to_string(heavy.results) + " served, " + std::to_string(heavy.rate_limited) +
            " rate limited, " + std::to_string(heavy.failed) + " cut off",
        static_cast<double>(heavy.results) <= allowed && heavy.rate_limited + heavy.failed > 90'000
    );
    r.require(
        "another caller is served during the flood",
        "all its calls",
        std::to_string(during.results) + " of 200",
        during.results == 200 && during.wrong == 0
    );
    r.details["victim_p50_us"] = {{"before", p50_before}, {"during", p50_during}};
    r.details["victim_p99_us"] = {
        {"before", percentile(before.latencies_us, 99)},
        {"during", percentile(during.latencies_us, 99)}};
    r.require(
        "its latency during the flood (median; flooder, caller and agents share two cores)",
        "at most 1 ms, the bound of a remote call",
        number(p50_before, " us before, ", 0) + number(p50_during, " us during", 0),
        p50_during <= 1'000
    );
    const auto asked = Clock::now();
    const Json after = c->ask(
        1,
        "call",
        {{"tool", "add"}, {"arguments", R"({"a":1,"b":2})"}, {"agent", agent_text(c->agent(0))}}
    );
    r.require(
        "responsive afterwards",
        "a correct answer",
        ok(after) ? number(seconds_since(asked) * 1000, " ms") : error_of(after),
        ok(after) && after["result"] == "3"
    );
}

void conflicting_answers(const ScenarioContext& context, ScenarioResult& r) {
    auto nodes = agents(7);
    nodes[4].drill = "half:2";
    auto c = cluster(context, r, QuorumMode::byzantine, nodes);
    await_mesh(*c, all_of(*c));
    std::size_t right = 0;
    std::size_t asked = 0;
    const auto excluded_at = [&](std::size_t i, const std::string& name) {
        const Json s = standing(*c, i, name);
        return s.is_object() && s["excluded"] == true;
    };
    for (; asked < 10 && !excluded_at(0, "Epsilon"); ++asked) {
        const Json reply = verified(*c, 0, "add", R"({"a":10,"b":20})");
        right += ok(reply) && reply["result"] == "30" ? 1 : 0;
        RealCluster::wait_until(
            [&] { return excluded_at(0, "Epsilon"); }, std::chrono::milliseconds{400}
        );
    }
    r.require(
        "repeated verified calls",
        "always 30",
        std::to_string(right) + " of " + std::to_string(asked),
        right == asked
    );
    const std::vector<std::size_t> honest{0, 1, 2, 3, 5, 6};
    const bool everywhere = RealCluster::wait_until(
        [&] {
            for (const std::size_t i : honest) {
                if (!excluded_at(i, "Epsilon")) return false;
            }
            return true;
        },
        std::chrono::seconds{10}
    );
    const Json liar = standing(*c, 1, "Epsilon");
    r.require(
        "the liar is excluded at every honest agent, on proof",
        "within 10 calls",
        everywhere ? "after " + std::to_string(asked) + " calls: " + liar["reasons"].dump() : "no",
        everywhere
    );
    bool fell = false;
    bool innocent = true;
    const Json all = c->ask(2, "reputation");
    for (const Json& agent : all["agents"]) {
        if (agent["name"] == "Epsilon") {
            fell = agent["score_ppm"].get<std::uint64_t>() < 500'000;
        } else {
            innocent = innocent && agent["excluded"] == false && agent["suspended"] == false;
        }
    }
    r.require(
        "its reputation falls",
        "below one half",
        liar.is_object() ? liar["score_ppm"].dump() : "unknown",
        fell
    );
    r.require(
        "no honest agent is excluded or suspended", "none", innocent ? "none" : "some", innocent
    );
}

}  // namespace creto::scenario
