#include "sim/scenario.hpp"

#include <algorithm>
#include <set>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "tools/builtins.hpp"

namespace creto {

namespace {

using Nodes = std::vector<std::uint32_t>;

/// How one node's tools deviate.
enum class Lie : std::uint8_t { none, tenfold, constant_3000, every_second_doubled, hangs };

/// The built-in tools of these names (all when empty), with the lie in place of the truth.
ToolBox tool_box(const std::vector<std::string>& names, Lie lie) {
    Registry registry;
    ToolBox box;
    for (Tool& tool : builtin_tools()) {
        const std::string name = tool.name();
        if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) continue;
        if (lie == Lie::hangs) box.took_by_name[name] = Duration::from_s(3'600);
        if (lie == Lie::none || lie == Lie::hangs) {
            CRETO_ASSERT(registry.add(std::move(tool)).has_value());
            continue;
        }
        const Contract contract = tool.contract();
        const std::string description = tool.offer().description;
        auto honest = std::make_shared<const Tool>(std::move(tool));
        auto count = std::make_shared<std::uint64_t>(0);
        auto lying = Tool::make(
            contract,
            description,
            [honest,
             count,
             lie](const Json& arguments, const ToolContext& context) -> Result<Json> {
                auto text = honest->call(canonical(arguments), context);
                if (!text) return fail(ErrorCode::invalid, text.error().message);
                auto truth = Decimal::parse(*text);
                if (!truth) return Json{*text};
                if (lie == Lie::constant_3000) return Json{3000};
                if (lie == Lie::every_second_doubled && (*count)++ % 2 == 0) return Json{*truth};
                auto wrong = Decimal::multiply(*truth, Decimal{lie == Lie::tenfold ? 10 : 2});
                return wrong ? Result<Json>{Json{*wrong}} : tl::unexpected<Error>(wrong.error());
            }
        );
        CRETO_ASSERT(lying.has_value() && registry.add(std::move(*lying)).has_value());
    }
    box.tools = registry.snapshot();
    return box;
}

/// One run: a cluster, and what was found.
class Run {
public:
    Run(std::uint64_t seed,
        std::uint32_t nodes,
        QuorumMode mode,
        std::map<std::uint32_t, Lie> lies = {},
        std::optional<std::uint32_t> seats = std::nullopt,
        std::map<std::uint32_t, std::vector<std::string>> tools = {})
        : cluster_{options(seed, nodes, mode, lies, seats, tools), honest_nodes()} {
        out_.seed = seed;
    }

    [[nodiscard]] SimCluster& cluster() { return cluster_; }
    void require(std::string what, bool holds) {
        out_.findings.push_back({std::move(what), holds});
    }
    bool until(const std::function<bool()>& done, std::int64_t seconds = 30) {
        return cluster_.run_until(done, Duration::from_s(seconds));
    }
    void pause(std::int64_t ms) { cluster_.run_for(Duration::from_ms(ms)); }

    /// Submits and waits for the reply.
    ReplyBody ask(std::uint32_t node, CommandBody body, std::int64_t seconds = 60) {
        const Ticket ticket = cluster_.submit(NodeIndex{node}, std::move(body));
        until([&] { return cluster_.reply(ticket) != nullptr; }, seconds);
        const ReplyBody* reply = cluster_.reply(ticket);
        return reply == nullptr ? ReplyBody{Error{ErrorCode::timeout, "no reply"}} : *reply;
    }
    [[nodiscard]] static std::string error_of(const ReplyBody& reply) {
        const auto* error = std::get_if<Error>(&reply);
        return error == nullptr ? "" : error->message;
    }
    [[nodiscard]] StatusReply status(std::uint32_t node) {
        const Node* inside = cluster_.node(NodeIndex{node});
        return inside == nullptr ? StatusReply{} : inside->status();
    }
    bool mesh(const Nodes& nodes) {
        return until([&] {
            return std::all_of(nodes.begin(), nodes.end(), [&](std::uint32_t i) {
                const StatusReply s = status(i);
                return s.reachable_seats == nodes.size() && s.finalized > Height{} &&
                       agents(i).size() >= nodes.size();
            });
        });
    }
    /// The agents that a node lists with tools.
    std::set<AgentId> agents(std::uint32_t node) {
        std::set<AgentId> out;
        const ReplyBody reply = peers(node);
        if (const auto* peers = std::get_if<PeersReply>(&reply)) {
            for (const PeerView& peer : peers->peers) {
                if (!peer.tools.empty()) out.insert(peer.agent);
            }
        }
        return out;
    }
    ReplyBody peers(std::uint32_t node) {
        // A look that takes no virtual time: commands are handled in the instant they come.
        const Ticket ticket = cluster_.submit(NodeIndex{node}, AskPeers{});
        for (int i = 0; i < 3 && cluster_.reply(ticket) == nullptr; ++i) {
            cluster_.run_for(Duration::from_us(1));
        }
        const ReplyBody* reply = cluster_.reply(ticket);
        ReplyBody out = reply == nullptr ? ReplyBody{} : *reply;
        cluster_.forget(ticket);
        return out;
    }
    void cut(const std::vector<Nodes>& groups) {
        std::vector<std::vector<NodeIndex>> indices;
        for (const Nodes& group : groups) {
            indices.emplace_back();
            for (const std::uint32_t i : group)
                indices.back().emplace_back(i);
        }
        cluster_.cut(indices);
    }
    bool write(
        std::uint32_t node,
        const std::string& key,
        CrdtOperation::Action action,
        std::int64_t amount,
        const std::string& value = {}
    ) {
        CrdtOperation op{.action = action, .key = key, .amount = amount, .value = to_bytes(value)};
        return error_of(ask(node, Submit{.body = op, .reading = Reading::causal})).empty();
    }
    ReplyBody write_final(std::uint32_t node, const std::string& key, const std::string& value) {
        KeyOperation op{.key = key, .value = to_bytes(value)};
        return ask(node, Submit{.body = op, .reading = Reading::final});
    }
    KeyReply read(std::uint32_t node, const std::string& key) {
        const Ticket ticket = cluster_.submit(NodeIndex{node}, ReadKey{key});
        for (int i = 0; i < 3 && cluster_.reply(ticket) == nullptr; ++i) {
            cluster_.run_for(Duration::from_us(1));
        }
        const ReplyBody* reply = cluster_.reply(ticket);
        const auto* value = reply == nullptr ? nullptr : std::get_if<KeyReply>(reply);
        KeyReply out = value == nullptr ? KeyReply{} : *value;
        cluster_.forget(ticket);
        return out;
    }
    bool counter_is(const Nodes& nodes, const std::string& key, std::int64_t value) {
        return poll([&] {
            return std::all_of(nodes.begin(), nodes.end(), [&](std::uint32_t i) {
                return read(i, key).counter == value;
            });
        });
    }
    bool values_are(
        const Nodes& nodes, const std::string& key, const std::vector<std::string>& values
    ) {
        return poll([&] {
            return std::all_of(nodes.begin(), nodes.end(), [&](std::uint32_t i) {
                std::vector<std::string> held;
                for (const Bytes& value : read(i, key).values)
                    held.emplace_back(as_text(value));
                return held == values;
            });
        });
    }
    /// Looks every 50 ms of virtual time.
    bool poll(const std::function<bool()>& condition, std::int64_t seconds = 30) {
        for (std::int64_t i = 0; i < seconds * 20; ++i) {
            if (condition()) return true;
            if (!cluster_.run_for(Duration::from_ms(50))) return false;
        }
        return false;
    }
    bool same_state(const Nodes& nodes) {
        return poll([&] {
            std::set<std::pair<Height, Digest>> seen;
            for (const std::uint32_t i : nodes) {
                const StatusReply s = status(i);
                seen.insert({s.finalized, s.state_root});
            }
            return seen.size() == 1;
        });
    }

    SimOutcome finish() {
        out_.violation = cluster_.violation();
        out_.trace_hash = cluster_.trace_hash();
        out_.events = cluster_.events();
        out_.heights = cluster_.invariants().counts().heights;
        out_.virtual_ms = cluster_.now().ns() / 1'000'000;
        return std::move(out_);
    }

private:
    static SimOptions options(
        std::uint64_t seed,
        std::uint32_t nodes,
        QuorumMode mode,
        const std::map<std::uint32_t, Lie>& lies,
        std::optional<std::uint32_t> seats,
        const std::map<std::uint32_t, std::vector<std::string>>& tools
    ) {
        SimOptions options;
        options.seed = seed;
        options.node_count = nodes;
        options.seat_count = seats;
        options.mode = mode;
        options.profile = local_profile();
        for (std::uint32_t i = 0; i < nodes; ++i) {
            const auto lie = lies.find(i);
            const auto names = tools.find(i);
            options.tools[NodeIndex{i}] = tool_box(
                names == tools.end() ? std::vector<std::string>{} : names->second,
                lie == lies.end() ? Lie::none : lie->second
            );
        }
        return options;
    }

    SimCluster cluster_;
    SimOutcome out_;
};

Nodes first(std::uint32_t count) {
    Nodes out(count);
    for (std::uint32_t i = 0; i < count; ++i)
        out[i] = i;
    return out;
}

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

bool partitioned(Run& run, const Nodes& nodes, bool wanted) {
    return run.poll([&] {
        return std::all_of(nodes.begin(), nodes.end(), [&](std::uint32_t i) {
            return run.status(i).partitioned == wanted;
        });
    });
}

SimOutcome simple_partition(std::uint64_t seed) {
    Run run{seed, 6, QuorumMode::byzantine};
    run.require("the mesh is whole", run.mesh(first(6)));
    run.cut({{0, 1, 2}, {3, 4, 5}});
    run.require("each side says it is partitioned", partitioned(run, first(6), true));
    const auto add = CrdtOperation::Action::counter_add;
    run.require(
        "west writes",
        run.write(0, "causal/west", add, 1) && run.counter_is({0, 1, 2}, "causal/west", 1)
    );
    run.require(
        "east writes",
        run.write(4, "causal/east", add, 2) && run.counter_is({3, 4, 5}, "causal/east", 2)
    );
    run.require(
        "final writes are refused",
        Run::error_of(run.write_final(5, "final/x", "x")).rfind("no quorum", 0) == 0
    );
    run.cluster().heal();
    run.require("healed", partitioned(run, first(6), false));
    run.require(
        "converged",
        run.counter_is(first(6), "causal/west", 1) && run.counter_is(first(6), "causal/east", 2)
    );
    run.require("one state", run.same_state(first(6)));
    return run.finish();
}

SimOutcome partition_recovery(std::uint64_t seed) {
    Run run{seed, 4, QuorumMode::byzantine};
    run.require("the mesh is whole", run.mesh(first(4)));
    const auto add = CrdtOperation::Action::counter_add;
    const auto set = CrdtOperation::Action::register_set;
    run.require(
        "1 before the cut",
        run.write(0, "causal/n", add, 1) && run.counter_is(first(4), "causal/n", 1)
    );
    run.same_state(first(4));
    run.cut({{0, 1}, {2, 3}});
    partitioned(run, first(4), true);
    const Height before = run.status(0).finalized;
    run.require(
        "+10 and +20", run.write(0, "causal/n", add, 10) && run.write(2, "causal/n", add, 20)
    );
    run.require(
        "a register on both sides",
        run.write(1, "causal/r", set, 0, "west") && run.write(3, "causal/r", set, 0, "east")
    );
    run.pause(3'000);
    bool still = true;
    for (std::uint32_t i = 0; i < 4; ++i)
        still = still && run.status(i).finalized == before;
    run.require("neither side finalises", still);
    run.cluster().heal();
    run.require("31 everywhere", run.counter_is(first(4), "causal/n", 31));
    run.require(
        "both values until resolved", run.values_are(first(4), "causal/r", {"east", "west"})
    );
    run.require("finality goes on", run.poll([&] {
        return run.status(0).finalized > before && run.status(3).finalized > before;
    }));
    run.require(
        "42 wins everywhere",
        run.write(2, "causal/r", set, 0, "42") && run.values_are(first(4), "causal/r", {"42"})
    );
    run.require("one state", run.same_state(first(4)));
    return run.finish();
}

SimOutcome minority_partition(std::uint64_t seed) {
    Run run{seed, 5, QuorumMode::crash};
    run.require("the mesh is whole", run.mesh(first(5)));
    run.require(
        "a final write", Run::error_of(run.write_final(0, "final/before", "known")).empty()
    );
    run.same_state(first(5));
    run.cut({{0, 1, 2}, {3, 4}});
    partitioned(run, {3, 4}, true);
    run.require(
        "three go on", Run::error_of(run.write_final(1, "final/majority", "decided")).empty()
    );
    run.require(
        "two refuse",
        Run::error_of(run.write_final(3, "final/x", "x")) ==
            "no quorum: 2 of 5 validators reachable, 3 needed"
    );
    run.require("two still read", run.read(4, "final/before").found);
    run.require(
        "two still write causally",
        run.write(3, "causal/m", CrdtOperation::Action::counter_add, 5) &&
            run.counter_is({3, 4}, "causal/m", 5)
    );
    run.cluster().heal();
    run.require(
        "they catch up",
        run.values_are(first(5), "final/majority", {"decided"}) &&
            run.counter_is(first(5), "causal/m", 5)
    );
    run.require("one state", run.same_state(first(5)));
    return run.finish();
}

SimOutcome cascading_failures(std::uint64_t seed) {
    Run run{seed, 7, QuorumMode::crash};
    run.require("the mesh is whole", run.mesh(first(7)));
    std::vector<std::string> written;
    const auto put = [&](std::uint32_t at, const std::string& key) {
        const bool good = Run::error_of(run.write_final(at, "final/" + key, key)).empty();
        if (good) written.push_back(key);
        return good;
    };
    bool all = put(0, "seven");
    for (const std::uint32_t dead : {6U, 5U, 4U}) {
        run.cluster().crash(NodeIndex{dead});
        all = put(0, "after-" + std::to_string(dead)) && all;
    }
    run.require("works down to four", all);
    run.cluster().crash(NodeIndex{3});
    run.poll([&] { return run.status(0).reachable_seats == 3; });
    run.require(
        "stops with three, saying so",
        Run::error_of(run.write_final(0, "final/x", "x")) ==
            "no quorum: 3 of 7 validators reachable, 4 needed"
    );
    run.require("one returns", run.cluster().start(NodeIndex{3}).has_value());
    run.poll([&] { return run.status(1).reachable_seats == 4; });
    run.require("it resumes", put(1, "resumed"));
    bool kept = true;
    for (const std::string& key : written) {
        kept = kept && run.values_are({0, 1, 2, 3}, "final/" + key, {key});
    }
    run.require("nothing finalised is lost", kept);
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
