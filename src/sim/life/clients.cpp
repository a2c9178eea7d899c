#include "sim/life/clients.hpp"

#include <algorithm>

#include "base/prng.hpp"

namespace creto {
namespace {

enum class ClientDraw : std::uint64_t { instant = 1, node = 2, kind = 3, argument = 4 };
constexpr std::uint64_t client_stream = 0x71;
constexpr auto client_warm_up = Duration::from_ms(500);
constexpr auto client_write_timeout = Duration::from_s(15);

}  // namespace

Clients::Clients(const Schedule& schedule, SimCluster& cluster)
    : schedule_{schedule},
      cluster_{cluster},
      unreliable_{unreliable(schedule)},
      next_planned_{schedule.workload.count} {
    const NamedDraws draws{schedule.seed, client_stream};
    for (std::uint64_t number = 0; number < schedule_.workload.count; ++number) {
        const auto slot = static_cast<std::uint64_t>(schedule_.workload.every.ns());
        const auto jitter = scale_to(draws(number, std::uint64_t(ClientDraw::instant)), slot);
        const Duration at = client_warm_up +
                            schedule_.workload.every * static_cast<std::int64_t>(number) +
                            Duration::from_ns(static_cast<std::int64_t>(jitter));
        cluster_.at(Instant{} + at, [this, number] { submit(number); });
    }
}

void Clients::submit(std::uint64_t number) {
    const NamedDraws draws{schedule_.seed, client_stream};
    const auto node = static_cast<std::uint32_t>(
        scale_to(draws(number, std::uint64_t(ClientDraw::node)), schedule_.nodes)
    );
    const std::uint64_t kind = scale_to(draws(number, std::uint64_t(ClientDraw::kind)), 100);
    // What a lane holds uncovered when its seat has ended is not promised to anybody.
    if (kind < schedule_.workload.causal_percent && !seat_ends(schedule_, node)) {
        CrdtOperation add;
        add.key = causal_counter;
        add.amount = 1;
        return record(
            Kind::causal_counter, node, number, Submit{add, Reading::causal, client_write_timeout}
        );
    }
    if (kind < schedule_.workload.causal_percent + schedule_.workload.call_percent) {
        CallTool call;
        call.tool = "add";
        call.arguments = "{\"a\":" + std::to_string(number) + ",\"b\":1}";
        const std::uint64_t word = draws(number, std::uint64_t(ClientDraw::argument));
        call.agent =
            cluster_.agent(NodeIndex{static_cast<std::uint32_t>(scale_to(word, schedule_.nodes))});
        return record(Kind::call, node, number, std::move(call));
    }
    KeyOperation operation;
    if (number % 2 == 0) {
        operation.key = key_of(number);
        operation.value = to_bytes(std::to_string(number));
        return record(
            Kind::final_key, node, number, Submit{operation, Reading::final, client_write_timeout}
        );
    }
    operation.action = KeyOperation::Action::add;
    operation.key = final_counter;
    operation.amount = 1;
    record(
        Kind::final_counter, node, number, Submit{operation, Reading::final, client_write_timeout}
    );
}

void Clients::write_next() {
    submit(next_planned_++);
}

Ticket Clients::write_final(std::uint32_t node) {
    KeyOperation operation;
    operation.action = KeyOperation::Action::add;
    operation.key = final_counter;
    operation.amount = 1;
    record(
        Kind::final_counter,
        node,
        next_extra_++,
        Submit{operation, Reading::final, client_write_timeout}
    );
    return writes_.back().ticket;
}

void Clients::record(Kind kind, std::uint32_t node, std::uint64_t number, CommandBody body) {
    ++submitted_;
    if (kind == Kind::final_counter) {
        ++final_tally_.submitted;
        ++final_adds_asked_[node];
    } else if (kind == Kind::causal_counter) {
        ++causal_tally_.submitted;
        ++causal_adds_asked_[node];
    } else if (kind == Kind::final_key) {
        keys_asked_[number] = node;
    }
    writes_.push_back({kind, node, cluster_.submit(NodeIndex{node}, std::move(body)), number});
}

bool Clients::all_answered() const {
    return std::all_of(writes_.begin(), writes_.end(), [&](const Write& write) {
        return !is_reliable(write.node) || cluster_.reply(write.ticket) != nullptr;
    });
}

void Clients::audit() {
    read_answers();
    if (!cluster_.violation().empty()) return;
    audit_keys();
    audit_counter("durability", final_counter, final_tally_);
    settle(causal_counter);  // What is not final has no height to wait for.
    audit_counter("causal-durability", causal_counter, causal_tally_);
    audit_lanes();
}

void Clients::read_answers() {
    for (const Write& write : writes_) {
        if (!is_reliable(write.node)) continue;  // A liar's word is no promise.
        const SimCommand& command = cluster_.command(write.ticket);
        if (!command.reply) {
            return cluster_.violate(
                "one-reply",
                "no answer to write " + std::to_string(write.number),
                NodeIndex{write.node}
            );
        }
        read_answer(write, command);
    }
    std::sort(latencies_ms_.begin(), latencies_ms_.end());
}

void Clients::read_answer(const Write& write, const SimCommand& command) {
    if (const auto* call = std::get_if<CallReply>(&*command.reply)) {
        if (call->result != std::to_string(write.number + 1) &&
            is_reliable(cluster_.find(call->provider).value_or(NodeIndex{0}).value()))
            cluster_.violate("integrity", "a call gave " + call->result, NodeIndex{write.node});
        return;
    }
    const auto* done = std::get_if<SubmitReply>(&*command.reply);
    if (done == nullptr || !done->applied) return;
    if (write.kind == Kind::causal_counter) {
        ++causal_tally_.answered;
        return;
    }
    ++answered_final_;
    latencies_ms_.push_back((command.answered - command.submitted).ms());
    if (write.kind == Kind::final_counter) ++final_tally_.answered;
    if (write.kind == Kind::final_key) keys_answered_.insert(write.number);
    if (!operations_.emplace(done->operation, write.ticket).second)
        cluster_.violate(
            "exactly-once", "one operation was answered for two commands", NodeIndex{write.node}
        );
}

}  // namespace creto
