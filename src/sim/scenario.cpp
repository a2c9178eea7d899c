#include "sim/scenario.hpp"

#include <algorithm>
#include <set>

#include "sim/scenario_run.hpp"

namespace creto {

using namespace sim_scenario;  // NOLINT(google-build-using-namespace): this file is their list

namespace {

CallVerified verified(const std::string& tool, const std::string& arguments) {
    return {.tool = tool, .arguments = arguments};
}

SimOutcome discovery(std::uint64_t seed) {
    Run run{seed, 6, QuorumMode::byzantine, {}, 5};
    const auto all_list = [&](const Nodes& nodes, std::size_t count) {
        return run.poll([&] {
            return std::all_of(nodes.begin(), nodes.end(), [&](std::uint32_t i) {
                return run.agents(i).size() == count;
            });
        });
    };
    run.require("all six, one without a seat, list each other", all_list(first(6), 6));
    (void)run.ask(5, Drain{});
    run.require("a leaver disappears", all_list(first(5), 5));
    return run.finish();
}

SimOutcome tool_registration(std::uint64_t seed) {
    Run run{
        seed,
        5,
        QuorumMode::byzantine,
        {},
        std::nullopt,
        {{0, {"add", "subtract"}},
         {1, {"multiply", "divide"}},
         {2, {"concat", "uppercase", "lowercase"}},
         {3, {"hash"}},
         {4, {"timestamp"}}}};
    const auto seen = [&](std::uint32_t node) {
        std::set<std::string> names;
        const ReplyBody reply = run.peers(node);
        if (const auto* peers = std::get_if<PeersReply>(&reply)) {
            for (const PeerView& peer : peers->peers) {
                for (const ToolOffer& tool : peer.tools)
                    names.insert(tool.name);
            }
        }
        return names;
    };
    const auto all_see = [&](std::size_t count) {
        return run.poll([&] {
            for (std::uint32_t i = 0; i < 5; ++i) {
                if (seen(i).size() != count) return false;
            }
            return true;
        });
    };
    run.require("every agent sees the nine tools", all_see(9));
    run.cluster().set_tools(NodeIndex{4}, tool_box({"timestamp", "sha256"}, Lie::none));
    run.require("a new registration propagates", all_see(10));
    run.cluster().set_tools(NodeIndex{4}, tool_box({"sha256"}, Lie::none));
    run.require("a removal propagates", all_see(9));
    return run.finish();
}

SimOutcome concurrency(std::uint64_t seed) {
    Run run{seed, 4, QuorumMode::byzantine};
    run.require("the mesh is whole", run.mesh(first(4)));
    std::vector<Ticket> calls;
    for (std::uint32_t i = 0; i < 100; ++i) {
        CallTool call{
            .tool = "add",
            .arguments = "{\"a\":" + std::to_string(i) + ",\"b\":1}",
            .agent = run.cluster().agent(NodeIndex{i % 4})};
        calls.push_back(run.cluster().submit(NodeIndex{(i / 4) % 4}, std::move(call)));
    }
    run.until([&] {
        return std::all_of(calls.begin(), calls.end(), [&](Ticket t) {
            return run.cluster().reply(t) != nullptr;
        });
    });
    std::size_t correct = 0;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const ReplyBody* reply = run.cluster().reply(calls[i]);
        const auto* call = reply == nullptr ? nullptr : std::get_if<CallReply>(reply);
        correct += call != nullptr && call->result == std::to_string(i + 1) ? 1 : 0;
    }
    run.require("100 calls at once, all correct: " + std::to_string(correct), correct == 100);
    return run.finish();
}

SimOutcome statistics(std::uint64_t seed) {
    Run run{seed, 5, QuorumMode::byzantine};
    run.require("the mesh is whole", run.mesh(first(5)));
    const CallTool call{
        .tool = "add", .arguments = R"({"a":1,"b":1})", .agent = run.cluster().agent(NodeIndex{2})};
    for (int i = 0; i < 5; ++i)
        (void)run.ask(0, call);
    run.require("the called agent counts its calls", run.status(2).counters["calls_served"] == 5);
    run.require("the others count none", run.status(1).counters["calls_served"] == 0);
    run.require("nothing is pending at rest", run.poll([&] {
        for (std::uint32_t i = 0; i < 5; ++i) {
            const StatusReply s = run.status(i);
            if (s.pending_calls != 0 || s.pending_operations != 0) return false;
        }
        return true;
    }));
    run.require("the agreed state is equal", run.same_state(first(5)));
    return run.finish();
}

SimOutcome remote_calls(std::uint64_t seed) {
    Run run{seed, 5, QuorumMode::byzantine, {{4, Lie::hangs}}};
    run.require("the mesh is whole", run.mesh(first(5)));
    const auto call = [&](std::uint32_t to,
                          const std::string& tool,
                          const std::string& arguments,
                          std::int64_t ms = 10'000) {
        return CallTool{
            .tool = tool,
            .arguments = arguments,
            .agent = run.cluster().agent(NodeIndex{to}),
            .timeout = Duration::from_ms(ms)};
    };
    const ReplyBody good = run.ask(0, call(1, "add", R"({"a":20,"b":22})"));
    const auto* result = std::get_if<CallReply>(&good);
    run.require("a correct result", result != nullptr && result->result == "42");
    run.require(
        "an error of the tool",
        !Run::error_of(run.ask(0, call(1, "divide", R"({"a":1,"b":0})"))).empty()
    );
    run.require(
        "wrong arguments are refused",
        !Run::error_of(run.ask(0, call(1, "add", R"({"a":"x"})"))).empty()
    );
    const ReplyBody late = run.ask(0, call(4, "add", R"({"a":1,"b":1})", 300));
    const auto* error = std::get_if<Error>(&late);
    run.require("a deadline", error != nullptr && error->code == ErrorCode::timeout);
    const Ticket taken_back =
        run.cluster().submit(NodeIndex{0}, call(4, "add", R"({"a":1,"b":1})"));
    run.pause(50);
    (void)run.ask(0, Cancel{taken_back});
    const ReplyBody* cancelled = run.cluster().reply(taken_back);
    run.require("a cancel", cancelled != nullptr && !Run::error_of(*cancelled).empty());
    const Ticket lost =
        run.cluster().submit(NodeIndex{0}, call(4, "add", R"({"a":1,"b":1})", 60'000));
    run.pause(50);
    run.cluster().crash(NodeIndex{4});
    run.require(
        "an agent lost in mid-call ends the call",
        run.until([&] { return run.cluster().reply(lost) != nullptr; }, 10)
    );
    return run.finish();
}

/// Every honest node holds a decided verdict that names exactly the liars.
bool named_everywhere(Run& run, const Nodes& honest, const Nodes& liars) {
    std::set<AgentId> wanted;
    for (const std::uint32_t liar : liars)
        wanted.insert(run.cluster().agent(NodeIndex{liar}));
    return run.poll([&] {
        return std::all_of(honest.begin(), honest.end(), [&](std::uint32_t i) {
            const ReplyBody reply = run.ask(i, AskVerdicts{}, 1);
            const auto* verdicts = std::get_if<VerdictsReply>(&reply);
            if (verdicts == nullptr) return false;
            return std::any_of(
                verdicts->verdicts.begin(),
                verdicts->verdicts.end(),
                [&](const VerdictView& v) {
                    return v.decided &&
                           std::set<AgentId>(v.dissenting.begin(), v.dissenting.end()) == wanted;
                }
            );
        });
    });
}

std::optional<ReputationView> standing(Run& run, std::uint32_t at, std::uint32_t of) {
    const ReplyBody reply = run.ask(at, AskReputation{}, 1);
    if (const auto* all = std::get_if<ReputationReply>(&reply)) {
        for (const ReputationView& view : all->agents) {
            if (view.agent == run.cluster().agent(NodeIndex{of})) return view;
        }
    }
    return std::nullopt;
}

SimOutcome malicious_tool(std::uint64_t seed) {
    Run run{seed, 7, QuorumMode::byzantine, {{3, Lie::tenfold}}};
    run.require("the mesh is whole", run.mesh(first(7)));
    const ReplyBody reply = run.ask(0, verified("multiply", R"({"a":3,"b":10})"));
    const auto* decided = std::get_if<VerifiedReply>(&reply);
    run.require("the verified call returns 30", decided != nullptr && decided->result == "30");
    run.require("the liar is named everywhere", named_everywhere(run, {0, 1, 2, 4, 5, 6}, {3}));
    run.require("its reputation falls below the others'", run.poll([&] {
        const auto liar = standing(run, 1, 3);
        const auto good = standing(run, 1, 2);
        return liar && good && liar->score_ppm < good->score_ppm;
    }));
    return run.finish();
}

SimOutcome byzantine_voting(std::uint64_t seed) {
    Run run{seed, 7, QuorumMode::byzantine, {{2, Lie::constant_3000}, {5, Lie::constant_3000}}};
    run.require("the mesh is whole", run.mesh(first(7)));
    const ReplyBody reply = run.ask(0, verified("multiply", R"({"a":30,"b":10})"));
    const auto* decided = std::get_if<VerifiedReply>(&reply);
    run.require("decided 300", decided != nullptr && decided->result == "300");
    run.require("with quorum 5 of 7", decided != nullptr && decided->receipt.request.bar == 5);
    run.require("the same verdict everywhere", named_everywhere(run, {0, 1, 3, 4, 6}, {2, 5}));
    return run.finish();
}

SimOutcome flood(std::uint64_t seed) {
    Run run{seed, 5, QuorumMode::byzantine};
    run.require("the mesh is whole", run.mesh(first(5)));
    const CallTool call{
        .tool = "add", .arguments = R"({"a":1,"b":2})", .agent = run.cluster().agent(NodeIndex{0})};
    std::vector<Ticket> rapid;
    for (int i = 0; i < 1'000; ++i)
        rapid.push_back(run.cluster().submit(NodeIndex{4}, call));
    const ReplyBody other = run.ask(1, call);
    const auto* served = std::get_if<CallReply>(&other);
    run.require("another caller is served", served != nullptr && served->result == "3");
    run.until([&] {
        return std::all_of(rapid.begin(), rapid.end(), [&](Ticket t) {
            return run.cluster().reply(t) != nullptr;
        });
    });
    const auto results = std::count_if(rapid.begin(), rapid.end(), [&](Ticket t) {
        const ReplyBody* reply = run.cluster().reply(t);
        return reply != nullptr && std::holds_alternative<CallReply>(*reply);
    });
    run.require(
        "the flooder gets its quota and no more: " + std::to_string(results),
        results >= 500 && results < 1'000
    );
    const ReplyBody after = run.ask(2, call);
    run.require("responsive afterwards", std::holds_alternative<CallReply>(after));
    return run.finish();
}

SimOutcome conflicting_answers(std::uint64_t seed) {
    Run run{seed, 7, QuorumMode::byzantine, {{4, Lie::every_second_doubled}}};
    run.require("the mesh is whole", run.mesh(first(7)));
    bool always_right = true;
    const auto excluded = [&](std::uint32_t at) {
        const auto s = standing(run, at, 4);
        return s && s->excluded;
    };
    for (int i = 0; i < 10 && !excluded(0); ++i) {
        const ReplyBody reply = run.ask(0, verified("add", R"({"a":10,"b":20})"));
        const auto* decided = std::get_if<VerifiedReply>(&reply);
        always_right = always_right && decided != nullptr && decided->result == "30";
        run.pause(400);
    }
    run.require("the verified calls are always right", always_right);
    run.require("the liar is excluded everywhere", run.poll([&] {
        const Nodes honest{0, 1, 2, 3, 5, 6};
        return std::all_of(honest.begin(), honest.end(), excluded);
    }));
    bool innocent = true;
    for (const std::uint32_t i : Nodes{0, 1, 2, 3, 5, 6}) {
        const auto s = standing(run, 0, i);
        innocent = innocent && s && !s->excluded && !s->suspended;
    }
    run.require("no honest agent is", innocent);
    return run.finish();
}

}  // namespace

bool SimOutcome::passed() const {
    return violation.empty() && !findings.empty() &&
           std::all_of(findings.begin(), findings.end(), [](const SimFinding& f) {
               return f.holds;
           });
}

std::string SimOutcome::failure() const {
    std::string out = "seed " + std::to_string(seed) + ":";
    for (const SimFinding& finding : findings) {
        if (!finding.holds) out += " [" + finding.what + "]";
    }
    return violation.empty() ? out : out + " " + violation;
}

const std::vector<SimScenario>& sim_scenarios() {
    static const std::vector<SimScenario> all{
        {"S1.1", "agent_discovery", discovery},
        {"S1.2", "tool_registration", tool_registration},
        {"S1.4", "concurrency", concurrency},
        {"S1.5", "network_statistics", statistics},
        {"S1.6", "remote_tool_calls", remote_calls},
        {"S2.1", "malicious_tool", malicious_tool},
        {"S2.2", "byzantine_voting", byzantine_voting},
        {"S2.3", "flood", flood},
        {"S2.4", "conflicting_answers", conflicting_answers},
        {"S3.1", "simple_partition", simple_partition},
        {"S3.2", "partition_recovery", partition_recovery},
        {"S3.3", "minority_partition", minority_partition},
        {"S3.4", "cascading_failures", cascading_failures}};
    return all;
}

}  // namespace creto
