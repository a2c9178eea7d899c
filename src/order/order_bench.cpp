// What ordering costs without a network, a disk and real signatures: counting, and a block's life.
#include <benchmark/benchmark.h>
#include <deque>

#include "order/ordering.hpp"
#include "order/tally.hpp"
#include "order/testing/blocks.hpp"

namespace creto {
namespace {

using simplex::Tally;
using simplex::testing::FakeLanes;
using simplex::testing::Index;
using simplex::testing::Seats;

/// Notarize votes of all seats for each of some views.
std::vector<Vote> votes_of(const Seats& seats, std::uint64_t views) {
    std::vector<Vote> votes;
    for (std::uint64_t view = 1; view <= views; ++view) {
        const auto content = Seats::content(
            VoteKind::notarize, view, view - 1, simplex::testing::block_id(std::to_string(view))
        );
        for (Index i = 0; i < seats.roster.size(); ++i)
            votes.push_back(seats.vote(i, content));
    }
    return votes;
}

void tally_add(benchmark::State& state) {
    const Seats seats{static_cast<Index>(state.range(0))};
    const auto votes = votes_of(seats, 64);
    for (auto _ : state) {
        Tally tally{seats.roster};
        for (const Vote& vote : votes)
            benchmark::DoNotOptimize(tally.add(vote));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(votes.size()));
}
BENCHMARK(tally_add)->ArgName("seats")->Arg(4)->Arg(7)->Arg(128);

/// The same through the door of ordering: admission, counting, certificates, entering views.
void ordering_on_vote(benchmark::State& state) {
    const Seats seats{static_cast<Index>(state.range(0))};
    std::vector<Checked<Vote>> votes;
    for (const Vote& vote : votes_of(seats, 64))
        votes.push_back({vote, CheckPass::own()});
    const AgentId peer = seats.agent(1);
    SilentLog log;
    for (auto _ : state) {
        FakeLanes lanes;
        Effects effects;
        Ordering ordering{seats.roster, std::nullopt, *seats.signers[0], lanes, {}, log};
        ordering.start(Instant{}, effects);
        for (const Checked<Vote>& vote : votes) {
            if (ordering.worth_checking(*vote)) ordering.on_vote(peer, vote, Instant{}, effects);
        }
        benchmark::DoNotOptimize(effects.take());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(votes.size()));
}
BENCHMARK(ordering_on_vote)->ArgName("seats")->Arg(4)->Arg(7)->Arg(128);

/// Seats that hear each other at once, with disks that take no time.
class Room {
public:
    explicit Room(Index n) : seats_{n} {
        for (Index i = 0; i < n; ++i) {
            auto& node = nodes_.emplace_back();
            node.ordering = std::make_unique<Ordering>(
                seats_.roster,
                seats_.seat(i),
                *seats_.signers[i],
                node.lanes,
                OrderingOptions{},
                log_
            );
            node.ordering->start(now_, node.effects);
        }
        for (Index i = 0; i < n; ++i) {
            for (Index j = 0; j < n; ++j) {
                if (i != j)
                    nodes_[i].ordering->on_peer_up(seats_.agent(j), now_, nodes_[i].effects);
            }
        }
        run();
    }
    /// A vertex of everyone, and whatever it sets off.
    void work() {
        now_ = now_ + Duration::from_ms(1);
        for (Index i = 0; i < nodes_.size(); ++i) {
            for (Index j = 0; j < nodes_.size(); ++j) {
                auto& held = nodes_[j].lanes.held[LaneId{seats_.seat(i), {}}];
                held = held.next();
            }
        }
        for (Node& node : nodes_)
            node.ordering->on_data(now_, node.effects);
        run();
    }
    [[nodiscard]] Height height() const { return nodes_[0].ordering->finalized_height(); }

private:
    struct Node {
        FakeLanes lanes;
        Effects effects;
        std::unique_ptr<Ordering> ordering;
        Height executed;
    };

    void run() {
        for (bool more = true; more;) {
            more = false;
            for (Index i = 0; i < nodes_.size(); ++i)
                more = carry_out(i) || more;
        }
    }
    bool carry_out(Index i) {
        Node& node = nodes_[i];
        for (const FinalizedBlock& block : node.ordering->take_finalized()) {
            const ExecutedMark mark{block.block.height, block.id.value(), block.id.value()};
            node.ordering->on_executed(mark, now_, node.effects);
        }
        const auto effects = node.effects.take();
        for (const Effect& effect : effects) {
            if (const auto* send = std::get_if<Send>(&effect)) hear(i, *send);
            if (const auto* batch = std::get_if<Persist>(&effect))
                node.ordering->on_persisted(batch->ticket, now_, node.effects);
        }
        return !effects.empty();
    }
    void hear(Index from, const Send& send) {
        Index to = 0;
        while (seats_.agent(to) != send.to)
            ++to;
        Node& node = nodes_[to];
        const AgentId peer = seats_.agent(from);
        const auto message = decode_message(*send.message);
        if (!node.ordering->worth_checking(*message)) return;
        const CheckPass pass = CheckPass::own();
        if (const auto* p = std::get_if<Proposal>(&*message))
            node.ordering->on_proposal(peer, {*p, pass}, now_, now_, node.effects);
        if (const auto* v = std::get_if<Vote>(&*message))
            node.ordering->on_vote(peer, {*v, pass}, now_, node.effects);
        if (const auto* c = std::get_if<Certificate>(&*message))
            node.ordering->on_certificate(peer, {*c, pass}, now_, node.effects);
        if (const auto* s = std::get_if<OrderStatus>(&*message))
            node.ordering->on_status(peer, *s, now_, node.effects);
    }

    Seats seats_;
    SilentLog log_;
    Instant now_;
    std::deque<Node> nodes_;
};

/// From a vertex of each seat to a final and executed block at all of them: encoding and decoding of
/// every message included, signatures and disks not.
void block_life(benchmark::State& state) {
    Room room{static_cast<Index>(state.range(0))};
    const std::uint64_t before = room.height().value();
    for (auto _ : state)
        room.work();
    const auto blocks = static_cast<std::int64_t>(room.height().value() - before);
    state.SetItemsProcessed(blocks);
    if (blocks == 0) state.SkipWithError("no block became final");
}
BENCHMARK(block_life)->ArgName("seats")->Arg(4)->Arg(7)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace creto
