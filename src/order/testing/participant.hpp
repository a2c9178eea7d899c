// What a Cluster is made of: how it is set up, and what one node of it has.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "order/ordering.hpp"
#include "order/testing/fake_disk.hpp"
#include "order/testing/fake_lanes.hpp"
#include "order/testing/liar.hpp"
#include "order/testing/seats.hpp"

namespace creto::simplex::testing {

struct ClusterOptions {
    Index n = 4;
    QuorumMode mode = QuorumMode::byzantine;
    std::uint64_t seed = 1;
    OrderingOptions ordering;
    Duration latency_min = Duration::from_ms(1);
    Duration latency_max = Duration::from_ms(10);
    Duration sync_max = Duration::from_ms(2);
    std::uint64_t loss_percent = 0;
    std::uint64_t duplicate_percent = 0;
    Index observers = 0;  ///< Followers without a seat, numbered after the seats.
    Index twins = 0;      ///< Second processes with the keys of seats 0, 1, …; numbered last.
    std::uint32_t term_views = 1;
    std::uint32_t checkpoint_blocks = limits::checkpoint_blocks;
    std::uint32_t epoch_blocks = 0;
    VoteForm vote_form = VoteForm::list;
};

struct Participant {
    FakeLanes lanes;
    FakeDisk disk;
    std::unique_ptr<Rosters> rosters;
    std::unique_ptr<Ordering> ordering;
    std::uint64_t life = 0;  ///< Raised by every crash and start: events of earlier lives are void.
    Effects effects;
    std::set<Ticket> durable;
    std::map<Ticket, std::vector<Send>> held;
    std::vector<Persist> saving;
    Instant sync_ends;       ///< Of the sync that runs, if this is to come.
    Instant next_sync_ends;  ///< Of the last one that has work.
    Duration slower_disk;    ///< More time for every sync than the others' disks take.
    Instant wake = Instant::max();
    std::vector<FinalizedBlock> to_execute;  ///< From `executed` on.
    Height delivered;
    ExecutedMark executed;
    std::uint64_t vertices_final = 0;
    bool diverges = false;  ///< Executes to another state than everyone else.
    bool stalls_execution = false;
    std::unique_ptr<Liar> liar;
    std::vector<Evidence> evidence;
    [[nodiscard]] bool up() const { return ordering != nullptr; }
};

}  // namespace creto::simplex::testing
