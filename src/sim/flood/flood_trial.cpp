#include "sim/flood/flood_trial.hpp"

#include <map>

#include "base/assert.hpp"
#include "sim/cluster.hpp"
#include "sim/flood/flooder.hpp"
#include "sim/node_participant.hpp"
#include "tools/builtins.hpp"

namespace creto {

namespace {

constexpr auto flood_warm_up = Duration::from_s(5);
constexpr auto settle_time = Duration::from_s(15);
constexpr auto flood_burst_every = Duration::from_ms(10);
constexpr const char* arguments = R"({"a":20,"b":22})";

class FloodTrial {
public:
    FloodTrial(const FloodPlan& plan, bool is_flooded)
        : plan_{plan}, is_flooded_{is_flooded}, cluster_{options(), factory()} {}

    FloodSide run(FloodReport& report) {
        (void)cluster_.run_for(flood_warm_up);
        begin_ = cluster_.now();
        begin_load();
        if (is_flooded_) cluster_.at(begin_, [this] { burst(); });
        (void)cluster_.run_for(plan_.lasts);
        (void)cluster_.run_for(settle_time);
        side_.failed += open_.size();
        side_.trace_hash = cluster_.trace_hash();
        if (report.violation.empty()) report.violation = cluster_.violation();
        report.events += cluster_.events();
        report.virtual_ms += (cluster_.now() - Instant{}).ms();
        if (is_flooded_) count_flood(report);
        return side_;
    }

private:
    [[nodiscard]] NodeIndex caller() const { return NodeIndex{plan_.seats}; }
    [[nodiscard]] NodeIndex flooder() const { return NodeIndex{plan_.seats + 1}; }
    static constexpr NodeIndex target{0};

    SimOptions options() {
        SimOptions out;
        out.seed = plan_.seed;
        out.node_count = plan_.seats + 2;
        out.seat_count = plan_.seats;
        out.profile = plan_.links;
        out.costs = plan_.costs;
        out.notices_kept_max = 0;
        ToolBox box;
        Registry registry;
        for (Tool& tool : builtin_tools())
            CRETO_ASSERT(registry.add(std::move(tool)).has_value());
        box.tools = registry.snapshot();
        box.took = Duration{};  // A quick tool: what a call costs is its messages.
        for (std::uint32_t i = 0; i < plan_.seats; ++i)
            out.tools[NodeIndex{i}] = box;
        out.configure = [this](NodeIndex /*node*/, NodeOptions& node) {
            node.limits.calls = {plan_.quota, std::max<std::uint64_t>(1, plan_.quota)};
            if (plan_.is_patient)
                node.limits.patience = {.rate_per_s = 1'000'000, .burst = 1'000'000'000};
        };
        out.on_answer = [this](Ticket ticket, const SimCommand& command) {
            on_answer(ticket, command);
        };
        return out;
    }
    ParticipantFactory factory() {
        return [this](const ParticipantParts& parts) -> std::unique_ptr<Participant> {
            auto node = std::make_unique<NodeParticipant>(parts);
            if (parts.index == flooder()) return std::make_unique<Flooder>(std::move(node));
            return node;
        };
    }

    void begin_load() {
        const auto call = [](const AgentId& agent) {
            return CallTool{.tool = "add", .arguments = arguments, .agent = agent};
        };
        const CallVerified verified{.tool = "add", .arguments = arguments, .record = false};
        const AgentId victim = cluster_.agent(target);
        const AgentId other = cluster_.agent(NodeIndex{2});
        every(FloodLoad::agent_calls, caller(), Duration::from_us(4'003), call(victim));
        every(FloodLoad::seat_calls, NodeIndex{1}, Duration::from_us(5'009), call(victim));
        every(FloodLoad::other_calls, caller(), Duration::from_us(6'007), call(other));
        every(FloodLoad::verified, NodeIndex{1}, Duration::from_us(25'013), verified);
        every(FloodLoad::own_writes, target, Duration::from_us(20'011), std::nullopt);
        every(FloodLoad::writes, NodeIndex{2}, Duration::from_us(20'021), std::nullopt);
    }
    /// `what` again and again; none: a write of a key of its own.
    void every(FloodLoad load, NodeIndex node, Duration interval, std::optional<CommandBody> what) {
        cluster_.at(cluster_.now() + interval, [this, load, node, interval, what] {
            if (cluster_.now() >= begin_ + plan_.lasts) return;
            const Ticket ticket = cluster_.submit(node, what ? *what : write());
            open_.emplace(ticket, load);
            every(load, node, interval, what);
        });
    }
    CommandBody write() {
        KeyOperation operation;
        operation.action = KeyOperation::Action::add;
        operation.key = "final/" + std::to_string(written_++);
        operation.amount = 1;
        return Submit{operation, Reading::final, Duration::from_s(10)};
    }
    void burst() {
        if (cluster_.now() >= begin_ + plan_.lasts || sent_ >= plan_.requests) return;
        const auto bursts = static_cast<std::uint64_t>(plan_.lasts.ns() / flood_burst_every.ns());
        const std::uint64_t count =
            std::min(plan_.requests - sent_, (plan_.requests + bursts - 1) / bursts);
        sent_ += count;
        const Ticket ticket = cluster_.submit(
            flooder(),
            CallTool{
                .tool = Flooder::flood_word,
                .arguments = std::to_string(count),
                .agent = cluster_.agent(target)}
        );
        bursts_.push_back(ticket);
        cluster_.at(cluster_.now() + flood_burst_every, [this] { burst(); });
    }

    void on_answer(Ticket ticket, const SimCommand& command) {
        const auto found = open_.find(ticket);
        if (found == open_.end()) return;
        const FloodLoad load = found->second;
        open_.erase(found);
        if (std::holds_alternative<Error>(*command.reply)) {
            ++side_.failed;
            return;
        }
        const Duration took = command.answered - command.submitted;
        side_.us[static_cast<std::size_t>(load)].add(took.us());
    }
    void count_flood(FloodReport& report) {
        auto counters = cluster_.node(target)->status().counters;
        report.refused += counters["calls_rate_limited"] + counters["calls_overloaded"];
        report.dropped += counters["peers_flooding"] + counters["peers_turned_away"];
        const std::uint64_t others =
            side_.us[0].count() + side_.us[1].count() +
            side_.us[static_cast<std::size_t>(FloodLoad::verified)].count();
        const std::uint64_t all = counters["calls_served"];
        report.served += all > others ? all - others : 0;
    }

    const FloodPlan& plan_;
    bool is_flooded_;
    SimCluster cluster_;
    Instant begin_;
    FloodSide side_;
    std::map<Ticket, FloodLoad> open_;
    std::vector<Ticket> bursts_;
    std::uint64_t sent_ = 0;
    std::uint64_t written_ = 0;
};

}  // namespace

const char* to_string(FloodLoad load) {
    constexpr std::array names{
        "calls of an agent",
        "calls of a seat",
        "calls of another node",
        "verified calls",
        "final writes at the node",
        "final writes elsewhere"};
    static_assert(names.size() == flood_load_count);
    return names[static_cast<std::size_t>(load)];
}

void FloodReport::merge(const FloodReport& other) {
    if (violation.empty()) violation = other.violation;
    for (const auto& [into, from] :
         {std::pair{&quiet, &other.quiet}, std::pair{&flooded, &other.flooded}}) {
        for (std::size_t i = 0; i < flood_load_count; ++i)
            into->us[i].merge(from->us[i]);
        into->failed += from->failed;
        into->trace_hash = from->trace_hash;
    }
    served += other.served;
    refused += other.refused;
    dropped += other.dropped;
    events += other.events;
    virtual_ms += other.virtual_ms;
}

std::uint64_t FloodReport::ratio_permille(FloodLoad load, std::uint64_t permille) const {
    const auto i = static_cast<std::size_t>(load);
    const std::uint64_t without = std::max<std::uint64_t>(1, quiet.us[i].at(permille));
    return flooded.us[i].at(permille) * 1'000 / without;
}

FloodReport run_flood_trial(const FloodPlan& plan) {
    FloodReport report;
    report.quiet = FloodTrial{plan, false}.run(report);
    report.flooded = FloodTrial{plan, true}.run(report);
    return report;
}

}  // namespace creto
