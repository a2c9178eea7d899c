#include "sim/mesh/spread_trial.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "sim/cluster.hpp"

namespace creto {

namespace {

constexpr std::uint32_t genesis_seats =
    4;  ///< The genesis asks for them; here they are agents like others.
constexpr Duration between_items = Duration::from_ms(500);
/// What is not there by then counts as missing.
constexpr Duration item_limit = Duration::from_s(10);
/// So long after it began to join, what is published counts for a new agent.
constexpr Duration joining = Duration::from_s(5);
/// Of honest agents, where there are liars.
constexpr Duration last_mile = Duration::from_ms(20);
constexpr Duration settling = Duration::from_s(10);

/// Streams of draws.
enum class SpreadDraw : std::uint64_t {
    liar = 1,
    victim = 2,
    author = 3,
    invented = 4,
    bootstrap = 5
};

class SpreadTrial {
public:
    explicit SpreadTrial(const SpreadPlan& plan)
        : plan_{plan}, setup_{std::make_shared<MeshSetup>()}, roles_(plan.nodes, Role::honest) {
        draw_roles();
        cluster_.emplace(options(), mesh_agents(setup_));
        prepare();
        for (std::uint32_t i = 0; i < plan_.nodes; ++i)
            if (roles_[i] != Role::joiner) (void)cluster_->start(NodeIndex{i});
    }

    SpreadReport run() {
        cluster_->run_for(settling);
        const std::vector<std::uint64_t> before = bytes();
        cluster_->run_for(plan_.warm_up - settling);
        measure_rest(before);
        const Instant begin = cluster_->now();
        for (std::uint32_t i = 0; i < plan_.nodes; ++i)
            if (roles_[i] == Role::joiner) (void)cluster_->start(NodeIndex{i});
        for (std::uint32_t i = 0; i < plan_.items; ++i)
            cluster_->at(begin + between_items * (i + 1), [this, i] { publish(i); });
        cluster_->run_for(between_items * plan_.items + item_limit);
        for (const Item& item : items_)
            count(item, begin);
        count_links();
        report_.violation = cluster_->violation();
        report_.events = cluster_->events();
        report_.trace_hash = cluster_->trace_hash();
        report_.virtual_ms = (cluster_->now() - Instant{}).ms();
        return std::move(report_);
    }

private:
    enum class Role : std::uint8_t { honest, liar, victim, joiner };
    struct Item {
        NodeIndex author;
        Instant at;
        std::vector<std::optional<Duration>> took;  ///< By node.
    };

    [[nodiscard]] std::uint64_t draw_of(SpreadDraw stream, std::uint64_t a, std::uint64_t b = 0)
        const {
        return draw(plan_.seed, static_cast<std::uint64_t>(stream), a, b);
    }
    [[nodiscard]] std::uint32_t draw_honest(SpreadDraw stream, std::uint64_t a) const {
        for (std::uint64_t turn = 0;; ++turn) {
            const std::uint64_t at = scale_to(draw_of(stream, a, turn), plan_.nodes);
            if (roles_[at] == Role::honest) return static_cast<std::uint32_t>(at);
        }
    }

    void draw_roles() {
        for (std::uint32_t i = 0; i < plan_.nodes; ++i) {
            if (scale_to(draw_of(SpreadDraw::liar, i), limits::link_ppm) < plan_.liars_ppm)
                roles_[i] = Role::liar;
        }
        if (plan_.liars_ppm == 0) return;
        for (std::uint32_t i = 0; i < plan_.victims; ++i)
            roles_[draw_honest(SpreadDraw::victim, i)] = i % 2 == 0 ? Role::victim : Role::joiner;
    }

    SimOptions options() {
        SimOptions options;
        options.seed = plan_.seed;
        options.node_count = plan_.nodes;
        options.seat_count = genesis_seats;
        options.profile = plan_.links;
        options.linking = Linking::dialled;
        options.starts_all = false;
        options.notices_kept_max = 1;
        options.configure = [this](NodeIndex node, NodeOptions& own) {
            own.bootstrap = {
                sim_address(NodeIndex{draw_honest(SpreadDraw::bootstrap, node.value())})};
        };
        return options;
    }

    void prepare() {
        setup_->links = plan_.overlay;
        setup_->overlay.full_mesh_max = plan_.full_mesh_max;
        setup_->on_record = [this](NodeIndex node, const AgentRecord& record) {
            on_record(node, record);
        };
        for (std::uint32_t i = 0; i < plan_.nodes; ++i) {
            const NodeIndex node{i};
            const bool lies = roles_[i] == Role::liar;
            Shared<AgentRecord> record = signed_record(node, *cluster_->host(node).signer);
            setup_->lies.push_back(lies ? MeshLie::eclipses : MeshLie::none);
            setup_->strangers.push_back(roles_[i] == Role::joiner);
            if (roles_[i] == Role::victim || roles_[i] == Role::joiner)
                setup_->victims.push_back(*record);
            if (roles_[i] != Role::joiner) setup_->known.push_back(record);
            if (!lies && plan_.liars_ppm > 0) cluster_->links().set_extra_latency(node, last_mile);
            if (!lies) continue;
            setup_->accomplices.push_back(std::move(record));
            for (std::uint32_t k = 0; k < plan_.invented; ++k)
                setup_->accomplices.push_back(invent(node, k));
        }
        auto& liars = setup_->accomplices;
        for (const Shared<AgentRecord>& record : liars)
            if (!cluster_->find(record->agent)) setup_->known.push_back(record);
        std::sort(liars.begin(), liars.end(), [](const AgentRecord& a, const AgentRecord& b) {
            return a.agent < b.agent;
        });
    }

    Shared<AgentRecord> invent(NodeIndex liar, std::uint32_t number) {
        std::array<std::uint8_t, KeySeed::size> bytes{};
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const std::uint64_t word =
                draw_of(SpreadDraw::invented, liar.value(), number * 64 + i / 8);
            bytes[i] = static_cast<std::uint8_t>(word >> (8 * (i % 8)));
        }
        return signed_record(liar, *cluster_->scheme().signer(KeySeed{bytes}));
    }

    Shared<AgentRecord> signed_record(NodeIndex node, const Signer& signer) {
        AgentRecord record{.agent = signer.public_key(), .version = 1};
        record.name = "node-" + std::to_string(node.value());
        record.addresses = {sim_address(node)};
        record.lifetime_ms = limits::record_lifetime_ms_max;
        record.signature = signer.sign(
            SignDomain::agent_record, cluster_->roster().chain().value(), signing_bytes(record)
        );
        return record;
    }

    void publish(std::uint32_t number) {
        const NodeIndex author{draw_honest(SpreadDraw::author, number)};
        items_of_[cluster_->agent(author)].push_back(items_.size());
        items_.push_back(
            {author, cluster_->now(), std::vector<std::optional<Duration>>(plan_.nodes)}
        );
        (void)cluster_->submit(author, ToolsChanged{});
    }

    void on_record(NodeIndex node, const AgentRecord& record) {
        const auto found = items_of_.find(record.agent);
        if (found == items_of_.end() || !record.software.starts_with(change_of_mesh)) return;
        // What an agent says last says what it said before, too.
        const auto said = std::stoul(record.software.substr(change_of_mesh.size()));
        for (std::size_t i = 0; i < std::min<std::size_t>(said, found->second.size()); ++i) {
            Item& item = items_[found->second[i]];
            std::optional<Duration>& took = item.took[node.value()];
            if (!took) took = cluster_->now() - item.at;
        }
    }

    void count(const Item& item, Instant begin) {
        std::vector<std::int64_t> took;
        std::size_t honest = 0;
        for (std::uint32_t i = 0; i < plan_.nodes; ++i) {
            if (roles_[i] == Role::liar || NodeIndex{i} == item.author) continue;
            if (roles_[i] == Role::joiner && item.at - begin < joining) continue;
            if (!item.took[i]) {
                ++report_.missing;
                lacking_.insert(i);
            }
            const std::int64_t ms = item.took[i].value_or(item_limit).ms();
            if (roles_[i] != Role::honest) {
                report_.victims_ms.add(ms);
                continue;
            }
            ++honest;
            took.push_back(ms);
        }
        std::sort(took.begin(), took.end());
        report_.half_ms.add(took[(honest - 1) * 50 / 100]);
        report_.most_ms.add(took[(honest - 1) * 95 / 100]);
        report_.all_ms.add(took.back());
        report_.cut_off = lacking_.size();
    }

    [[nodiscard]] std::vector<std::uint64_t> bytes() const {
        std::vector<std::uint64_t> out;
        for (std::uint32_t i = 0; i < plan_.nodes; ++i)
            out.push_back(cluster_->bytes_of(NodeIndex{i}));
        return out;
    }

    void measure_rest(const std::vector<std::uint64_t>& before) {
        const std::vector<std::uint64_t> after = bytes();
        const auto span_ms = static_cast<std::uint64_t>((plan_.warm_up - settling).ms());
        std::uint64_t sum = 0;
        for (std::uint32_t i = 0; i < plan_.nodes; ++i)
            sum += after[i] - before[i];
        report_.bytes_per_node_s = sum * 1'000 / span_ms / plan_.nodes;
    }

    void count_links() {
        std::uint64_t sum = 0;
        for (std::uint32_t i = 0; i < plan_.nodes; ++i) {
            std::uint64_t own = 0;
            for (std::uint32_t k = 0; k < plan_.nodes; ++k)
                own += cluster_->connected({NodeIndex{i}, NodeIndex{k}}) ? 1 : 0;
            sum += own;
            if (roles_[i] != Role::liar) report_.links_max = std::max(report_.links_max, own);
        }
        report_.links_mean = sum / plan_.nodes;
    }

    SpreadPlan plan_;
    std::shared_ptr<MeshSetup> setup_;
    std::vector<Role> roles_;
    std::vector<Item> items_;
    std::map<AgentId, std::vector<std::size_t>> items_of_;  ///< By author, in their order.
    std::set<std::uint32_t> lacking_;
    SpreadReport report_;
    std::optional<SimCluster> cluster_;
};

}  // namespace

SpreadReport run_spread_trial(const SpreadPlan& plan) {
    CRETO_ASSERT(plan.nodes >= 8 && plan.items > 0);
    return SpreadTrial{plan}.run();
}

}  // namespace creto
