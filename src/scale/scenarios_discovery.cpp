// S1.1 to S1.6: agents find each other and call each other's tools.
#include <future>
#include <set>
#include <thread>

#include "scale/scenario_support.hpp"
#include "tools/builtins.hpp"

namespace creto::scenario {

namespace {

/// The names of the other agents that node i lists with at least one tool.
std::set<std::string> listed(RealCluster& c, std::size_t i) {
    std::set<std::string> out;
    const Json reply = c.ask(i, "peers");
    if (!ok(reply)) return out;
    for (const Json& peer : reply["peers"]) {
        if (!peer["tools"].empty() && peer["name"] != c.name(i)) out.insert(peer["name"]);
    }
    return out;
}

bool each_lists(RealCluster& c, const std::vector<std::size_t>& nodes, std::size_t others) {
    for (const std::size_t i : nodes) {
        if (listed(c, i).size() != others) return false;
    }
    return true;
}

/// The tools that node i sees anywhere in the mesh, with a definition.
std::set<std::string> tools_seen(RealCluster& c, std::size_t i) {
    std::set<std::string> out;
    const Json reply = c.ask(i, "peers");
    if (!ok(reply)) return out;
    for (const Json& peer : reply["peers"]) {
        for (const Json& tool : peer["tools"]) {
            const Json definition =
                Json::parse(tool["definition"].get<std::string>(), nullptr, false);
            if (definition.is_object() && definition.contains("input")) out.insert(tool["name"]);
        }
    }
    return out;
}

std::string join(const std::set<std::string>& words) {
    std::string out;
    for (const std::string& word : words)
        out += (out.empty() ? "" : ", ") + word;
    return out.empty() ? "none" : out;
}

}  // namespace

void discovery(const ScenarioContext& context, ScenarioResult& r) {
    auto nodes = agents(6);
    nodes[5].has_seat = false;
    auto c = cluster(context, r, QuorumMode::byzantine, nodes, 500, false);
    const std::vector<std::size_t> five{0, 1, 2, 3, 4};
    for (const std::size_t i : five)
        need(c->start(i));
    r.pids = c->pids();
    const auto start = Clock::now();
    const bool found =
        RealCluster::wait_until([&] { return each_lists(*c, five, 4); }, std::chrono::seconds{10});
    const double took = seconds_since(start);
    r.require(
        "every agent lists the four others with tools",
        "within 2 s of the last start",
        found ? number(took, " s") : "not within 10 s",
        found && took < 2
    );
    need(c->start(5));
    const auto joined = Clock::now();
    const bool late = RealCluster::wait_until(
        [&] {
            return each_lists(*c, {0, 1, 2, 3, 4, 5}, 5);
        },
        std::chrono::seconds{10}
    );
    const double join_time = seconds_since(joined);
    r.require(
        "a late joiner finds all and is found",
        "within 2 s",
        late ? number(join_time, " s") : "not within 10 s",
        late && join_time < 2
    );
    const auto leaving = Clock::now();
    const bool clean = c->terminate(5);
    const bool gone =
        RealCluster::wait_until([&] { return each_lists(*c, five, 4); }, std::chrono::seconds{10});
    r.require("an agent leaves by itself on SIGTERM", "yes", clean ? "yes" : "no", clean);
    r.require(
        "a leaver disappears",
        "from every list",
        gone ? number(seconds_since(leaving), " s") : "no",
        gone
    );
}

void tool_registration(const ScenarioContext& context, ScenarioResult& r) {
    auto nodes = agents(5);
    nodes[0].tools = {"add", "subtract"};
    nodes[1].tools = {"multiply", "divide"};
    nodes[2].tools = {"concat", "uppercase", "lowercase"};
    nodes[3].tools = {"hash"};
    nodes[4].tools = {"timestamp"};
    auto c = cluster(context, r, QuorumMode::byzantine, nodes);
    const std::set<std::string> nine{
        "add",
        "subtract",
        "multiply",
        "divide",
        "concat",
        "uppercase",
        "lowercase",
        "hash",
        "timestamp"};
    const auto all_see = [&](const std::set<std::string>& wanted) {
        return RealCluster::wait_until(
            [&] {
                for (std::size_t i = 0; i < 5; ++i) {
                    if (tools_seen(*c, i) != wanted) return false;
                }
                return true;
            },
            std::chrono::seconds{10}
        );
    };
    const bool seen = all_see(nine);
    r.require(
        "every agent sees the nine tools with their schemas",
        "9 at each of 5",
        std::to_string(tools_seen(*c, 4).size()) + ": " + join(tools_seen(*c, 4)),
        seen
    );
    const std::size_t built_in = builtin_tools().size();
    r.require("built-in tools", "at least 15", std::to_string(built_in), built_in >= 15);
    need(c->set_tools(4, {"timestamp", "sha256"}));
    std::set<std::string> ten = nine;
    ten.insert("sha256");
    r.require("a new registration propagates", "to every agent", "seen by all", all_see(ten));
    need(c->set_tools(4, {"sha256"}));
    ten.erase("timestamp");
    r.require("a removal propagates", "to every agent", "gone everywhere", all_see(ten));
}

void performance(const ScenarioContext& context, ScenarioResult& r) {
    const Registry registry = builtin_registry();
    const auto tools = registry.snapshot();
    constexpr std::size_t local_calls = 200'000;
    const ToolContext call_context{};
    std::size_t wrong = 0;
    const auto start = Clock::now();
    for (std::size_t i = 0; i < local_calls; ++i) {
        const auto result = call_local(*tools, "add", R"({"a":1,"b":2})", call_context);
        if (!result || *result != "3") ++wrong;
    }
    const double local_s = seconds_since(start);
    const double rate = static_cast<double>(local_calls) / local_s;
    const double mean_us = local_s * 1e6 / static_cast<double>(local_calls);
    r.require("local results", "all correct", std::to_string(wrong) + " wrong", wrong == 0);
    r.require("local calls per second", "at least 93,124", number(rate, "", 0), rate >= 93'124);
    r.require("local mean", "at most 10.74 us", number(mean_us, " us"), mean_us <= 10.74);

    auto c = cluster(context, r, QuorumMode::byzantine, agents(4), 10'000'000);
    await_mesh(*c, all_of(*c));
    auto client = need(AgentClient::connect(c->genesis(), "caller", {c->direct_address(1)}));
    const CallTool call{.tool = "add", .arguments = R"({"a":1,"b":2})", .agent = c->agent(1)};
    const auto one = client->load(call, "3", 2'000, 1);
    const auto many = client->load(call, "3", 50'000, 64);
    const double p50_ms = percentile(one.latencies_us, 50) / 1000;
    const double remote_rate = static_cast<double>(many.results) / many.seconds;
    r.require(
        "remote results",
        "all correct",
        std::to_string(one.wrong + many.wrong + one.failed + many.failed) + " wrong or failed",
        one.wrong + many.wrong + one.failed + many.failed == 0
    );
    r.require(
        "remote calls per second, 64 outstanding",
        "at least 1,000",
        number(remote_rate, "", 0),
        remote_rate >= 1'000
    );
    r.require("remote p50, one outstanding", "at most 1 ms", number(p50_ms, " ms", 3), p50_ms <= 1);
}

void concurrency(const ScenarioContext& context, ScenarioResult& r) {
    const Registry registry = builtin_registry();
    const auto tools = registry.snapshot();
    constexpr std::size_t calls = 100;
    // A burst is shorter than a time slice, and what the scenario before started may still be ending:
    // so many that no slice of another process is most of them.
    constexpr std::size_t bursts = 301;
    std::size_t correct = 0;
    std::vector<double> totals_us;
    for (std::size_t burst = 0; burst < bursts; ++burst) {
        std::vector<std::string> answers(calls);
        const auto start = Clock::now();
        // Two threads, as there are two cores: the calls overlap as far as the machine allows.
        std::vector<std::thread> threads;
        for (std::size_t t = 0; t < 2; ++t) {
            threads.emplace_back([&, t] {
                for (std::size_t i = t; i < calls; i += 2) {
                    const std::string arguments =
                        "{\"a\":" + std::to_string(i) + ",\"b\":" + std::to_string(i) + "}";
                    if (auto result = call_local(*tools, "add", arguments, {}))
                        answers[i] = *result;
                }
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        totals_us.push_back(seconds_since(start) * 1e6);
        for (std::size_t i = 0; i < calls; ++i)
            correct += answers[i] == std::to_string(2 * i) ? 1 : 0;
    }
    r.require(
        "100 local calls, " + std::to_string(bursts) + " times",
        "all correct",
        std::to_string(correct) + " correct",
        correct == bursts * calls
    );
    const double local_us = percentile(totals_us, 50);
    r.require(
        "100 local calls, total (median)",
        "at most 627 us",
        number(local_us, " us", 0),
        local_us <= 627
    );

    auto c = cluster(context, r, QuorumMode::byzantine, agents(4));
    await_mesh(*c, all_of(*c));
    auto client = need(AgentClient::connect(
        c->genesis(), "caller", {c->direct_address(0), c->direct_address(1), c->direct_address(2)}
    ));
    const auto load =
        client->load(CallTool{.tool = "multiply", .arguments = R"({"a":6,"b":7})"}, "42", 100, 100);
    r.require(
        "100 remote calls at once",
        "all correct, none lost",
        std::to_string(load.results - load.wrong) + " correct in " +
            number(load.seconds * 1000, " ms"),
        load.results == 100 && load.wrong == 0
    );
}

void statistics(const ScenarioContext& context, ScenarioResult& r) {
    auto c = cluster(context, r, QuorumMode::byzantine, agents(5));
    await_mesh(*c, all_of(*c));
    auto client = need(AgentClient::connect(c->genesis(), "caller", {c->direct_address(2)}));
    const auto load = client->load(
        CallTool{.tool = "add", .arguments = R"({"a":1,"b":1})", .agent = c->agent(2)}, "2", 40, 4
    );
    std::vector<std::uint64_t> served;
    bool at_rest = RealCluster::wait_until(
        [&] {
            for (std::size_t i = 0; i < 5; ++i) {
                const Json s = status(*c, i);
                if (!ok(s) || s["pending_calls"] != 0 || s["pending_operations"] != 0) return false;
            }
            return true;
        },
        std::chrono::seconds{5}
    );
    for (std::size_t i = 0; i < 5; ++i) {
        served.push_back(status(*c, i)["counters"]["calls_served"].get<std::uint64_t>());
    }
    r.require(
        "each agent counts its own calls",
        "40 at the one that was called, 0 elsewhere",
        std::to_string(served[2]) + " and " +
            std::to_string(served[0] + served[1] + served[3] + served[4]),
        load.results == 40 && served[2] == 40 && served[0] + served[1] + served[3] + served[4] == 0
    );
    r.require("pending calls and operations at rest", "0", at_rest ? "0" : "some", at_rest);
    std::set<std::string> roots;
    const bool equal = RealCluster::wait_until(
        [&] {
            roots.clear();
            std::set<std::string> heights;
            for (std::size_t i = 0; i < 5; ++i) {
                const Json s = status(*c, i);
                roots.insert(s["state_root"].get<std::string>());
                heights.insert(s["finalized"].dump());
            }
            return roots.size() == 1 && heights.size() == 1;
        },
        std::chrono::seconds{10}
    );
    r.require(
        "the agreed state", "equal at all", std::to_string(roots.size()) + " state roots", equal
    );
}

void remote_calls(const ScenarioContext& context, ScenarioResult& r) {
    auto nodes = agents(5);
    nodes[4].drill = "hang";
    auto c = cluster(context, r, QuorumMode::byzantine, nodes);
    await_mesh(*c, all_of(*c));
    std::size_t correct = 0;
    for (std::size_t from = 0; from < 4; ++from) {
        for (std::size_t to = 0; to < 4; ++to) {
            const Json reply = c->ask(
                from,
                "call",
                {{"tool", "add"},
                 {"arguments", R"({"a":20,"b":22})"},
                 {"agent", agent_text(c->agent(to))}}
            );
            correct += ok(reply) && reply["result"] == "42" ? 1 : 0;
        }
    }
    r.require(
        "any agent calls any other's tool",
        "16 of 16 correct",
        std::to_string(correct),
        correct == 16
    );

    const std::string hanging = agent_text(c->agent(4));
    const auto start = Clock::now();
    const Json late = c->ask(
        0,
        "call",
        {{"tool", "add"},
         {"arguments", R"({"a":1,"b":1})"},
         {"agent", hanging},
         {"timeout_ms", 300}}
    );
    const double waited = seconds_since(start);
    r.require(
        "a deadline ends a call that hangs",
        "an error after 0.3 s",
        error_of(late) + " after " + number(waited, " s"),
        !ok(late) && late["error"]["code"] == "timeout" && waited < 1
    );

    auto client = need(
        AgentClient::connect(c->genesis(), "caller", {c->direct_address(0), c->direct_address(4)})
    );
    std::promise<ReplyBody> cancelled;
    auto outcome = cancelled.get_future();
    const Ticket ticket = client->send(
        CallTool{.tool = "add", .arguments = R"({"a":1,"b":1})", .agent = c->agent(4)},
        [&](ReplyBody body) { cancelled.set_value(std::move(body)); }
    );
    (void)client->ask(Cancel{ticket});
    const bool came = outcome.wait_for(std::chrono::seconds{2}) == std::future_status::ready;
    const ReplyBody body = came ? outcome.get() : ReplyBody{};
    const auto* error = std::get_if<Error>(&body);
    r.require(
        "a caller takes a call back",
        "cancelled at once",
        error != nullptr ? error->message : "no answer",
        came && error != nullptr && error->code == ErrorCode::cancelled
    );

    const Json refused = c->ask(
        0,
        "call",
        {{"tool", "divide"}, {"arguments", R"({"a":1,"b":0})"}, {"agent", agent_text(c->agent(1))}}
    );
    r.require(
        "an error of the tool reaches the caller",
        "the tool's message",
        error_of(refused),
        !ok(refused) && !error_of(refused).empty()
    );
    const Json wrong = c->ask(
        0,
        "call",
        {{"tool", "add"}, {"arguments", R"({"a":"x"})"}, {"agent", agent_text(c->agent(1))}}
    );
    r.require(
        "wrong arguments are refused",
        "an error that names them",
        error_of(wrong),
        !ok(wrong) && error_of(wrong).find("/a") != std::string::npos
    );

    std::promise<Json> lost;
    auto lost_reply = lost.get_future();
    std::thread caller{[&] {
        lost.set_value(c->ask(
            0,
            "call",
            {{"tool", "add"},
             {"arguments", R"({"a":1,"b":1})"},
             {"agent", hanging},
             {"timeout_ms", 20'000}}
        ));
    }};
    RealCluster::wait_until(
        [&] { return status(*c, 4)["counters"]["calls_admitted"].get<std::uint64_t>() >= 3; },
        std::chrono::seconds{5}
    );
    c->kill(4);
    const auto killed = Clock::now();
    const Json gone = lost_reply.get();
    caller.join();
    r.require(
        "an agent lost in mid-call ends the call",
        "an error within 2 s of the loss",
        error_of(gone) + " after " + number(seconds_since(killed), " s"),
        !ok(gone) && seconds_since(killed) < 2
    );
}

}  // namespace creto::scenario
