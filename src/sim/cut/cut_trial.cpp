#include "sim/cut/cut_trial.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include "base/assert.hpp"
#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"

namespace creto {

namespace {

constexpr auto cut_warm_up = Duration::from_s(5);
constexpr auto settle_max = Duration::from_s(120);
constexpr auto cut_write_timeout = Duration::from_s(60);
constexpr auto prompt = Duration::from_s(2);
constexpr auto flap_max_ms = 300U;
constexpr std::uint64_t full_percent = 95;

class CutTrial {
public:
    explicit CutTrial(const CutPlan& plan)
        : plan_{plan}, prng_{draw(plan.seed, 1)}, cluster_{options(), honest_nodes()} {
        nodes_.resize(plan.nodes);
        for (std::uint32_t i = plan.nodes - plan.slow; i < plan.nodes; ++i)
            stand_still(i, Duration::from_ms(static_cast<std::int64_t>(prng_.below(3'000))));
    }

    CutReport run() {
        until([&] { return is_whole(); }, Duration::from_s(30));
        begin_load();
        pass(cut_warm_up + Duration::from_ms(static_cast<std::int64_t>(prng_.below(1'000))));
        cut();
        heal();
        pass(plan_.after);
        loading_ = false;
        until([&] { return open_.empty(); }, cut_write_timeout);
        finish();
        return report();
    }

private:
    enum class Fate : std::uint8_t { open, final, pending, refused, unknown };
    struct Write {
        std::uint32_t node = 0;
        Instant at;
        Instant answered;
        std::string key;
        bool causal = false;
        Fate fate = Fate::open;
    };
    struct Node {
        bool is_apart = false;  ///< As it says.
        bool has_quorum = true;
        Instant told_at;  ///< The first word without a quorum.
        bool was_told = false;
        std::uint64_t causal = 0;  ///< Taken.
        std::uint64_t next = 0;
    };

    // --- the network ---

    SimOptions options() {
        SimOptions out;
        out.seed = plan_.seed;
        out.node_count = plan_.nodes;
        out.mode = plan_.mode;
        out.profile = plan_.links;
        out.detection = plan_.link_notice;
        out.notices_kept_max = 0;
        out.on_notice = [this](NodeIndex node, const SimNotice& notice) {
            on_notice(node.value(), *notice.notice);
        };
        out.on_answer = [this](Ticket ticket, const SimCommand& command) {
            on_answer(ticket, command);
        };
        return out;
    }
    [[nodiscard]] bool holds() const { return cluster_.violation().empty(); }
    void pass(Duration span) {
        if (holds()) (void)cluster_.run_for(span);
    }
    bool until(const std::function<bool()>& done, Duration span) {
        const Instant end = cluster_.now() + span;
        while (!done()) {
            if (cluster_.now() >= end || !cluster_.run_for(Duration::from_ms(50))) return false;
        }
        return true;
    }
    [[nodiscard]] StatusReply status(std::uint32_t node) {
        return cluster_.node(NodeIndex{node})->gauges();
    }
    bool is_whole() {
        for (std::uint32_t i = 0; i < plan_.nodes; ++i) {
            const StatusReply s = status(i);
            if (s.reachable_seats != plan_.nodes || s.finalized == Height{}) return false;
        }
        return true;
    }
    void stand_still(std::uint32_t node, Duration after) {
        cluster_.at(cluster_.now() + after, [this, node] {
            cluster_.pause(NodeIndex{node});
            cluster_.at(cluster_.now() + Duration::from_s(1), [this, node] {
                cluster_.resume(NodeIndex{node});
                stand_still(node, Duration::from_s(2));
            });
        });
    }

    // --- the cut ---

    void part(bool moved) {
        const auto groups = groups_of(plan_.cut, plan_.nodes, moved);
        std::vector<std::vector<NodeIndex>> out;
        for (const auto& group : groups) {
            out.emplace_back();
            for (const std::uint32_t i : group)
                out.back().emplace_back(i);
        }
        if (plan_.cut.kind == CutShape::Kind::one_way) return cluster_.cut_one_way(out[0], out[1]);
        if (plan_.cut.kind != CutShape::Kind::partial) return cluster_.cut(out);
        cluster_.block({NodeIndex{0}, NodeIndex{1}}, true);
        cluster_.block({NodeIndex{1}, NodeIndex{0}}, true);
    }
    /// Down for so short that nobody should say anything, then up for a while.
    void flap() {
        while (cluster_.now() < cut_at_ + plan_.cut_for && holds()) {
            std::vector<NodeIndex> some;
            for (std::uint32_t i = 0; i < plan_.nodes; ++i)
                if (prng_.below(2) == 0) some.emplace_back(i);
            const std::vector<std::vector<NodeIndex>> groups{some};
            cluster_.cut(groups);
            pass(Duration::from_ms(100 + static_cast<std::int64_t>(prng_.below(flap_max_ms))));
            cluster_.heal();
            pass(Duration::from_ms(500 + static_cast<std::int64_t>(prng_.below(600))));
        }
    }
    void cut() {
        cut_at_ = cluster_.now();
        was_cut_ = true;
        if (plan_.cut.kind == CutShape::Kind::flapping) return flap();
        if (plan_.cut.kind != CutShape::Kind::none) part(false);
        if (plan_.cut.kind == CutShape::Kind::moving) {
            pass(plan_.cut_for / 2);
            part(true);
            cut_at_ = cluster_.now();
            for (Node& node : nodes_)
                node.was_told = false;
            pass(plan_.cut_for / 2);
            return;
        }
        pass(plan_.cut_for);
    }
    void heal() {
        for (std::uint32_t i = 0; i < plan_.nodes; ++i) {
            out_.untold += !lost_to(plan_.cut, plan_.nodes, i).empty() && !nodes_[i].was_told;
            is_stalled_ = is_stalled_ && !nodes_[i].has_quorum;
            view_before_ = std::max(view_before_, status(i).view.value());
            awaits_healed_.push_back(nodes_[i].is_apart);
        }
        for (const Write& write : writes_)
            before_heal_ += write.fate == Fate::pending || write.fate == Fate::open ? 1U : 0U;
        heal_at_ = cluster_.now();
        is_healed_ = true;
        cluster_.heal();
    }

    void on_notice(std::uint32_t index, const Notice& notice) {
        Node& node = nodes_[index];
        const Instant now = cluster_.now();
        if (const auto* apart = std::get_if<Partitioned>(&notice)) {
            node.is_apart = true;
            const bool is_first = node.has_quorum && !apart->quorum;
            node.has_quorum = apart->quorum;
            const std::set<std::uint32_t> lost = lost_to(plan_.cut, plan_.nodes, index);
            std::set<std::uint32_t> said;
            for (const Seat seat : apart->lost)
                said.insert(seat.value());
            // Of a moving cut also those of its first half. While it heals, some come back first.
            const bool is_part = plan_.cut.kind == CutShape::Kind::moving ||
                                 std::includes(lost.begin(), lost.end(), said.begin(), said.end());
            out_.false_told += !was_cut_ || lost.empty() || !is_part ? 1U : 0U;
            if (was_cut_ && !is_healed_ && said == lost && !node.was_told) {
                node.was_told = true;
                out_.told_us.add((now - cut_at_).us());
            }
            if (!is_first) return;
            node.told_at = now;
            cluster_.at(now, [this, index] { write_final(index); });
        } else if (std::holds_alternative<Healed>(notice)) {
            node.is_apart = false;
            node.has_quorum = true;
            if (is_healed_ && awaits_healed_[index]) {
                awaits_healed_[index] = false;
                out_.healed_us.add((now - heal_at_).us());
            }
        } else if (const auto* block = std::get_if<Finalized>(&notice)) {
            if (!is_healed_ || block->block.height <= highest_) return;
            highest_ = block->block.height;
            if (out_.first_block_us >= 0) return;
            // Once every node has it.
            out_.first_block_us = (now - heal_at_).us();
            if (is_stalled_)
                out_.views_until = std::max<std::int64_t>(
                    0,
                    static_cast<std::int64_t>(block->block.view.value()) -
                        static_cast<std::int64_t>(view_before_)
                );
        }
    }

    // --- the load ---

    void begin_load() {
        for (std::uint32_t i = 0; i < plan_.nodes; ++i) {
            const auto every = static_cast<std::uint64_t>(plan_.write_every.ns());
            const Duration first = Duration::from_ns(static_cast<std::int64_t>(prng_.below(every)));
            cluster_.at(cluster_.now() + first, [this, i] { on_turn(i); });
        }
    }
    void on_turn(std::uint32_t node) {
        if (!loading_) return;
        write_final(node);
        write_causal(node);
        cluster_.at(cluster_.now() + plan_.write_every, [this, node] { on_turn(node); });
    }
    void write_final(std::uint32_t node) {
        KeyOperation operation;
        operation.action = KeyOperation::Action::add;
        operation.key = "final/" + std::to_string(node) + "/" + std::to_string(nodes_[node].next++);
        operation.amount = 1;
        Write write{.node = node, .at = cluster_.now(), .key = operation.key};
        submit(std::move(write), Submit{operation, Reading::final, cut_write_timeout});
    }
    void write_causal(std::uint32_t node) {
        CrdtOperation operation{
            .action = CrdtOperation::Action::counter_add,
            .key = "causal/" + std::to_string(node),
            .amount = 1};
        submit(
            Write{.node = node, .at = cluster_.now(), .causal = true},
            Submit{operation, Reading::causal, cut_write_timeout}
        );
    }
    void submit(Write write, Submit body) {
        writes_.push_back(std::move(write));
        open_.emplace(
            cluster_.submit(NodeIndex{writes_.back().node}, std::move(body)), writes_.size() - 1
        );
    }

    void on_answer(Ticket ticket, const SimCommand& command) {
        const auto found = open_.find(ticket);
        if (found == open_.end()) return;
        Write& write = writes_[found->second];
        open_.erase(found);
        write.answered = cluster_.now();
        const auto* done = std::get_if<SubmitReply>(&*command.reply);
        const auto* error = std::get_if<Error>(&*command.reply);
        if (write.causal) {
            write.fate = done != nullptr ? Fate::final : Fate::refused;
            nodes_[write.node].causal += done != nullptr ? 1U : 0U;
            out_.causal_refused += done == nullptr ? 1U : 0U;
            return;
        }
        write.fate = done != nullptr ? Fate::final : Fate::unknown;
        if (done != nullptr) return;
        if (error->message.starts_with("pending: ")) {
            write.fate = Fate::pending;
            ++out_.pending;
            // Of one that was taken later, while a quorum came and went, from then on.
            const Instant since = std::max(nodes_[write.node].told_at, write.at);
            out_.pending_us.add((write.answered - since).us());
            ask(write.node, error->message);
        } else if (error->code == ErrorCode::unavailable) {
            write.fate = Fate::refused;
            ++out_.refused;
            // Of those that a node without a quorum was asked after it had said so.
            const Node& node = nodes_[write.node];
            if (node.is_apart && !node.has_quorum && write.at >= node.told_at)
                out_.refused_us.add((write.answered - write.at).us());
        }
    }
    /// The answer names the operation; its node must know it.
    void ask(std::uint32_t node, const std::string& message) {
        const std::string word = "operation ";
        const std::size_t from = message.find(word) + word.size();
        const auto bytes = from_hex(message.substr(from, 2 * Digest::size));
        if (!bytes) {
            ++out_.pending_unknown;
            return;
        }
        std::array<std::uint8_t, Digest::size> id{};
        std::copy(bytes->begin(), bytes->end(), id.begin());
        cluster_.at(cluster_.now(), [this, node, id] {
            asked_.push_back(cluster_.submit(NodeIndex{node}, AskOperation{OperationId{Digest{id}}})
            );
        });
    }

    // --- the end ---

    KeyReply read(std::uint32_t node, const std::string& key) {
        const Ticket ticket = cluster_.submit(NodeIndex{node}, ReadKey{key});
        for (int i = 0; i < 3 && cluster_.reply(ticket) == nullptr; ++i)
            (void)cluster_.run_for(Duration::from_us(1));
        const ReplyBody* reply = cluster_.reply(ticket);
        const auto* value = reply == nullptr ? nullptr : std::get_if<KeyReply>(reply);
        KeyReply out = value == nullptr ? KeyReply{} : *value;
        cluster_.forget(ticket);
        return out;
    }
    static std::uint64_t number_in(const KeyReply& reply) {
        std::uint64_t out = 0;
        if (reply.values.empty())
            return reply.counter ? static_cast<std::uint64_t>(*reply.counter) : 0;
        for (const std::uint8_t digit : reply.values.front())
            out = out * 10 + (digit - std::uint64_t{'0'});
        return out;
    }
    bool is_one() {
        const StatusReply first = status(0);
        for (std::uint32_t i = 1; i < plan_.nodes; ++i) {
            const StatusReply s = status(i);
            if (s.finalized != first.finalized || s.state_root != first.state_root) return false;
        }
        return true;
    }
    bool is_causally_one() {
        for (std::uint32_t of = 0; of < plan_.nodes; ++of)
            for (const std::uint32_t at : {0U, plan_.nodes - 1, of})
                if (number_in(read(at, "causal/" + std::to_string(of))) != nodes_[of].causal)
                    return false;
        return true;
    }
    void finish() {
        // A last write, so that what was pending has blocks to be in.
        for (std::uint32_t i = 0; i < plan_.nodes; ++i)
            write_final(i);
        until([&] { return open_.empty(); }, cut_write_timeout);
        const bool one = until([&] { return is_one(); }, settle_max);
        out_.converged = one && is_causally_one();
        for (const Ticket ticket : asked_) {
            const ReplyBody* reply = cluster_.reply(ticket);
            const auto* said = reply == nullptr ? nullptr : std::get_if<OperationReply>(reply);
            const bool known = said != nullptr && (said->state == OperationReply::State::pending ||
                                                   said->state == OperationReply::State::final);
            out_.pending_unknown += known ? 0U : 1U;
        }
        for (const Write& write : writes_)
            if (!write.causal) judge(write);
        for (std::uint32_t i = 0; i < plan_.nodes; ++i)
            out_.unhealed += nodes_[i].is_apart || (!awaits_healed_.empty() && awaits_healed_[i]);
        out_.full_rate_us = full_rate();
    }
    void judge(const Write& write) {
        const std::uint64_t times = number_in(read(0, write.key));
        const bool was_taken = write.fate == Fate::final || write.fate == Fate::pending;
        out_.doubled += times > 1 ? 1U : 0U;
        out_.lost += was_taken && times == 0 ? 1U : 0U;
        out_.refused_final += write.fate == Fate::refused && times > 0 ? 1U : 0U;
        const Node& node = nodes_[write.node];
        const bool after_word = node.told_at != Instant{} && write.at > node.told_at;
        // Of a cut that stays as it is, a word holds until it heals.
        const bool stays =
            plan_.cut.kind == CutShape::Kind::whole || plan_.cut.kind == CutShape::Kind::one_way;
        const bool taken_apart =
            stays && write.fate != Fate::refused && after_word && write.at < heal_at_;
        out_.not_refused += taken_apart ? 1U : 0U;
    }
    /// The first second after the heal from which on each second's writes are prompt.
    std::int64_t full_rate() {
        struct Second {
            std::uint64_t asked = 0;
            std::uint64_t prompt = 0;
        };
        std::map<std::int64_t, Second> seconds;
        for (const Write& write : writes_) {
            if (write.causal || write.at < heal_at_ || write.at > heal_at_ + plan_.after) continue;
            Second& second = seconds[(write.at - heal_at_).ms() / 1'000];
            ++second.asked;
            const bool good = write.fate == Fate::final && write.answered - write.at <= prompt;
            second.prompt += good ? 1U : 0U;
        }
        std::int64_t from = -1;
        for (const auto& [number, second] : seconds) {
            if (second.prompt * 100 < second.asked * full_percent)
                from = -1;
            else if (from < 0)
                from = number;
        }
        return from < 0 ? -1 : from * 1'000'000;
    }
    CutReport report() {
        std::int64_t last = -1;
        for (const Write& write : writes_)
            if (!write.causal && write.at < heal_at_ && write.fate == Fate::final &&
                write.answered > heal_at_)
                last = std::max(last, (write.answered - heal_at_).us());
        out_.settled_us = last;
        out_.violation = cluster_.violation();
        out_.trace_hash = cluster_.trace_hash();
        out_.events = cluster_.events();
        out_.virtual_ms = cluster_.now().ns() / 1'000'000;
        return std::move(out_);
    }

    const CutPlan& plan_;
    Prng prng_;
    CutReport out_;
    std::vector<Node> nodes_;
    std::vector<Write> writes_;
    std::map<Ticket, std::size_t> open_;
    std::vector<Ticket> asked_;
    std::vector<bool> awaits_healed_;
    Instant cut_at_;
    Instant heal_at_;
    bool was_cut_ = false;
    bool is_healed_ = false;
    bool is_stalled_ = true;
    bool loading_ = true;
    std::uint64_t view_before_ = 0;
    std::uint64_t before_heal_ = 0;
    Height highest_;
    SimCluster cluster_;
};

}  // namespace

CutReport run_cut_trial(const CutPlan& plan) {
    CRETO_ASSERT(check(plan).has_value());
    return CutTrial{plan}.run();
}

std::string fault_of(const CutPlan& plan, const CutReport& report) {
    const auto some = [](std::uint64_t count, const char* what) {
        return count == 0 ? std::string{} : std::to_string(count) + " " + what + "; ";
    };
    std::string out = report.violation.empty() ? "" : report.violation + "; ";
    out += some(report.untold, "nodes did not tell both sets");
    out += some(report.false_told, "partitions told falsely");
    out += some(report.not_refused, "final writes taken by who had said that there is no quorum");
    out += some(report.refused_final, "refused writes became final");
    out += some(report.pending_unknown, "pending writes unknown by their id");
    out += some(report.causal_refused, "causal writes refused");
    out += some(report.unhealed, "nodes did not tell that it healed");
    out += some(report.lost, "writes lost");
    out += some(report.doubled, "writes done twice");
    if (!report.converged) out += "no common state in the end; ";
    if (report.full_rate_us < 0 && plan.slow == 0) out += "the full rate did not come back; ";
    if (report.views_until > 2)
        out += std::to_string(report.views_until) + " views until a leader was live; ";
    return out.substr(0, out.empty() ? 0 : out.size() - 2);
}

}  // namespace creto
