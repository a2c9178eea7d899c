// S3.1 to S3.4: cuts and crashes. Only links are cut and processes killed; the nodes find out themselves.
#include <set>

#include "scale/scenario_support.hpp"

namespace creto::scenario {

namespace {

bool all_partitioned(RealCluster& c, const std::vector<std::size_t>& nodes, bool wanted) {
    return RealCluster::wait_until(
        [&] {
            for (const std::size_t i : nodes) {
                const Json s = status(c, i);
                if (!ok(s) || s["partitioned"] != wanted) return false;
            }
            return true;
        },
        std::chrono::seconds{10}
    );
}

/// Every node hears exactly these many seats.
bool hear(RealCluster& c, const std::vector<std::size_t>& nodes, std::size_t seats) {
    return RealCluster::wait_until(
        [&] {
            for (const std::size_t i : nodes) {
                const Json s = status(c, i);
                if (!ok(s) || s["reachable"] != seats) return false;
            }
            return true;
        },
        std::chrono::seconds{15}
    );
}

bool counter_is(
    RealCluster& c,
    const std::vector<std::size_t>& nodes,
    const std::string& key,
    std::int64_t value
) {
    return RealCluster::wait_until(
        [&] {
            for (const std::size_t i : nodes) {
                const Json reply = read(c, i, key);
                if (!ok(reply) || !reply.contains("counter") || reply["counter"] != value)
                    return false;
            }
            return true;
        },
        std::chrono::seconds{15}
    );
}

bool values_are(
    RealCluster& c,
    const std::vector<std::size_t>& nodes,
    const std::string& key,
    const Json& values
) {
    return RealCluster::wait_until(
        [&] {
            for (const std::size_t i : nodes) {
                const Json reply = read(c, i, key);
                if (!ok(reply) || reply["values"] != values) return false;
            }
            return true;
        },
        std::chrono::seconds{15}
    );
}

bool heights_equal(RealCluster& c, const std::vector<std::size_t>& nodes) {
    return RealCluster::wait_until(
        [&] {
            std::set<std::string> seen;
            for (const std::size_t i : nodes) {
                const Json s = status(c, i);
                if (!ok(s)) return false;
                seen.insert(s["finalized"].dump() + s["state_root"].get<std::string>());
            }
            return seen.size() == 1;
        },
        std::chrono::seconds{15}
    );
}

std::uint64_t highest_final(RealCluster& c) {
    std::uint64_t highest = 0;
    for (const std::size_t i : all_of(c))
        highest = std::max(highest, finalized(c, i));
    return highest;
}

std::string refused_within(RealCluster& c, std::size_t i, double& took) {
    const auto start = Clock::now();
    const Json reply = write(c, i, "final/refused", "set", "x", 5'000);
    took = seconds_since(start);
    return error_of(reply);
}

}  // namespace

void simple_partition(const ScenarioContext& context, ScenarioResult& r) {
    auto c = cluster(context, r, QuorumMode::byzantine, agents(6));
    await_mesh(*c, all_of(*c));
    c->links().cut({{0, 1, 2}, {3, 4, 5}});
    const auto cut = Clock::now();
    const bool noticed = all_partitioned(*c, all_of(*c), true);
    r.require(
        "each side says it is partitioned",
        "all six",
        noticed ? number(seconds_since(cut), " s") : "no",
        noticed
    );
    const bool west =
        ok(write(*c, 0, "causal/west", "add", 1)) && counter_is(*c, {0, 1, 2}, "causal/west", 1);
    const bool east =
        ok(write(*c, 4, "causal/east", "add", 2)) && counter_is(*c, {3, 4, 5}, "causal/east", 2);
    r.require(
        "both sides keep their causal operations",
        "written and read on both",
        west && east ? "yes" : "no",
        west && east
    );
    double took = 0;
    const std::string refused = refused_within(*c, 5, took);
    r.require(
        "final writes are refused, saying why",
        "no quorum: 3 of 6, within 1 s",
        refused + " after " + number(took, " s"),
        refused == "no quorum: 3 of 6 validators reachable, 5 needed" && took < 1
    );
    c->links().heal();
    const bool healed = all_partitioned(*c, all_of(*c), false);
    const bool converged = counter_is(*c, all_of(*c), "causal/west", 1) &&
                           counter_is(*c, all_of(*c), "causal/east", 2);
    r.require(
        "after healing both sides have both",
        "converged",
        healed && converged ? "yes" : "no",
        healed && converged
    );
}

void partition_recovery(const ScenarioContext& context, ScenarioResult& r) {
    auto c = cluster(context, r, QuorumMode::byzantine, agents(4));
    await_mesh(*c, all_of(*c));
    need(
        ok(write(*c, 0, "causal/counter", "add", 1))
            ? Result<void>{}
            : fail(ErrorCode::unavailable, "the first write failed")
    );
    r.require(
        "before the cut", "1 everywhere", "1", counter_is(*c, all_of(*c), "causal/counter", 1)
    );
    heights_equal(*c, all_of(*c));
    c->links().cut({{0, 1}, {2, 3}});
    hear(*c, all_of(*c), 2);
    // Votes that were under way when the links went down have arrived, or never will.
    const std::uint64_t height = highest_final(*c);
    const bool written = ok(write(*c, 0, "causal/counter", "add", 10)) &&
                         ok(write(*c, 2, "causal/counter", "add", 20)) &&
                         ok(write(*c, 1, "causal/register", "set", "west")) &&
                         ok(write(*c, 3, "causal/register", "set", "east"));
    r.require(
        "writes on both sides of the cut", "accepted", written ? "accepted" : "refused", written
    );
    const bool apart = counter_is(*c, {0, 1}, "causal/counter", 11) &&
                       counter_is(*c, {2, 3}, "causal/counter", 21);
    r.require("each side sees its own", "11 and 21", apart ? "11 and 21" : "no", apart);
    double took = 0;
    const std::string refused = refused_within(*c, 0, took);
    const std::uint64_t highest = highest_final(*c);
    r.require(
        "neither side finalises (quorum 3 of 4)",
        "no new block, final writes refused",
        "height " + std::to_string(highest) + " as before; " + refused,
        highest == height && !refused.empty()
    );
    std::uint64_t view_before = 0;
    for (std::size_t i = 0; i < 4; ++i)
        view_before = std::max(view_before, status(*c, i)["view"].get<std::uint64_t>());
    c->links().heal();
    const auto healed = Clock::now();
    const bool all31 = counter_is(*c, all_of(*c), "causal/counter", 31);
    r.require(
        "after healing all agree, with nobody's help",
        "31",
        all31 ? "31 after " + number(seconds_since(healed), " s") : "no",
        all31
    );
    const bool grew = RealCluster::wait_until(
        [&] { return finalized(*c, 0) > height && finalized(*c, 3) > height; },
        std::chrono::seconds{15}
    );
    std::uint64_t first_view = 0;
    const Json log = c->ask(0, "log", {{"from", height + 1}, {"count", 1}});
    if (ok(log) && !log["blocks"].empty())
        first_view = log["blocks"][0]["view"].get<std::uint64_t>();
    r.require(
        "a live leader",
        "within 2 views of the highest view before healing",
        "view " + std::to_string(first_view) + " after " + std::to_string(view_before),
        grew && first_view <= view_before + 2
    );
    const bool both = values_are(*c, all_of(*c), "causal/register", Json::array({"east", "west"}));
    r.require(
        "a register written on both sides", "shows both values", both ? "east and west" : "no", both
    );
    const bool resolved = ok(write(*c, 2, "causal/register", "set", "42")) &&
                          values_are(*c, all_of(*c), "causal/register", Json::array({"42"}));
    r.require("a later write", "42 wins everywhere", resolved ? "42" : "no", resolved);
    r.require("the agreed state", "equal at all", "equal", heights_equal(*c, all_of(*c)));
}

void minority_partition(const ScenarioContext& context, ScenarioResult& r) {
    auto c = cluster(context, r, QuorumMode::crash, agents(5));
    await_mesh(*c, all_of(*c));
    const Json first = write(*c, 0, "final/before", "set", "known");
    r.require("before the cut", "a final write", ok(first) ? "final" : error_of(first), ok(first));
    heights_equal(*c, all_of(*c));
    c->links().cut({{0, 1, 2}, {3, 4}});
    const auto cut = Clock::now();
    hear(*c, {3, 4}, 2);
    const double noticed = seconds_since(cut);
    const Json major = write(*c, 1, "final/majority", "set", "decided", 15'000);
    r.require(
        "three continue to finalise",
        "a final write",
        ok(major) ? "final at height " + major["height"].dump() : error_of(major),
        ok(major)
    );
    double took = 0;
    const std::string refused = refused_within(*c, 3, took);
    r.require(
        "two refuse final writes",
        "no quorum: 2 of 5 validators reachable, 3 needed",
        refused + " (noticed after " + number(noticed, " s)"),
        refused == "no quorum: 2 of 5 validators reachable, 3 needed" && took < 1
    );
    const Json old = read(*c, 4, "final/before");
    const bool causal = ok(write(*c, 3, "causal/minority", "add", 5)) &&
                        counter_is(*c, {3, 4}, "causal/minority", 5);
    r.require(
        "two keep reads and causal writes",
        "both",
        ok(old) && old["found"] == true && causal ? "both" : "no",
        ok(old) && old["found"] == true && causal
    );
    c->links().heal();
    const auto healed = Clock::now();
    const bool caught_up = values_are(*c, all_of(*c), "final/majority", Json::array({"decided"})) &&
                           counter_is(*c, all_of(*c), "causal/minority", 5);
    r.require(
        "they catch up on healing",
        "all have both",
        caught_up ? number(seconds_since(healed), " s") : "no",
        caught_up && heights_equal(*c, all_of(*c))
    );
}

void cascading_failures(const ScenarioContext& context, ScenarioResult& r) {
    auto c = cluster(context, r, QuorumMode::crash, agents(7));
    await_mesh(*c, all_of(*c));
    std::vector<std::string> written;
    const auto put = [&](std::size_t at, const std::string& key) {
        const Json reply = write(*c, at, "final/" + key, "set", key, 15'000);
        if (ok(reply)) written.push_back(key);
        return reply;
    };
    put(0, "seven");
    for (const std::size_t dead : {6U, 5U, 4U}) {
        c->kill(dead);
        put(0, "after-" + std::to_string(dead));
    }
    r.require(
        "seven, six, five and four alive",
        "every final write succeeds",
        std::to_string(written.size()) + " of 4",
        written.size() == 4
    );
    c->kill(3);
    const bool noticed = hear(*c, {0, 1, 2}, 3);
    double took = 0;
    const std::string refused = refused_within(*c, 0, took);
    const std::uint64_t height = finalized(*c, 0);
    r.require(
        "with three alive it stops, saying so",
        "no quorum: 3 of 7 validators reachable, 4 needed",
        refused,
        noticed && refused == "no quorum: 3 of 7 validators reachable, 4 needed"
    );
    need(c->start(3));
    r.pids = c->pids();
    const auto back = Clock::now();
    const bool heard = hear(*c, {0, 1, 2, 3}, 4);
    const Json resumed = put(1, "resumed");
    r.require(
        "it resumes when one returns",
        "a final write",
        ok(resumed) ? "final " + number(seconds_since(back), " s after the return")
                    : error_of(resumed),
        heard && ok(resumed)
    );
    std::size_t kept = 0;
    for (const std::string& key : written) {
        kept += values_are(*c, {0, 1, 2, 3}, "final/" + key, Json::array({key})) ? 1 : 0;
    }
    r.require(
        "nothing finalised is lost",
        "every acknowledged write at all four",
        std::to_string(kept) + " of " + std::to_string(written.size()),
        kept == written.size() && finalized(*c, 3) >= height
    );
}

}  // namespace creto::scenario
