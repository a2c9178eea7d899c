// Recorder: watches a simulated cluster and keeps what a report shows.
//
// Why      The page of a report needs the run as it went; the run itself must not notice.
// Holds    Watching moves no draw and no event: a recorded run has the trace hash of the same run
//          without. Only public outputs are read: answers, notices, messages, counters.
// Cost     A look at each node in each of at most 240 cells; one entry for each block under way.
// Use      Recorder recorder; recorder.hook(options); SimCluster cluster{options, ...};
//          recorder.attach(cluster); ...; const RunRecord record = recorder.finish();
#pragma once

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "sim/cluster.hpp"
#include "sim/run/record.hpp"

namespace creto {

class Recorder {
public:
    enum class Operations : std::uint8_t {
        answered,  ///< Every final write that the cluster answers counts.
        told,      ///< Whoever offers the load says what counts.
    };
    explicit Recorder(Operations operations = Operations::answered) : operations_{operations} {}
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    /// Before the cluster is made. The recorder outlives the cluster.
    void hook(SimOptions& options);
    /// Right after it was made.
    void attach(SimCluster& cluster);
    void set_faults(std::vector<Fault> faults, std::optional<Duration> calm_after);

    // Operations::told.
    void on_submitted(Instant intended);
    void on_final(NodeIndex node, Instant intended, Height height);
    void on_refused();
    /// What comes before does not count in the latencies and sums.
    void set_measured_from(Instant from) { measured_from_ = from; }

    /// Once, at the end of the run.
    [[nodiscard]] RunRecord finish();

private:
    static constexpr std::size_t cells_max = 240;
    static constexpr std::size_t points_max = 3'000;
    static constexpr std::size_t slowest_max = 10;
    static constexpr std::size_t blocks_kept_max = 4'096;

    struct SeenBlock {
        Instant proposed;
        Instant final;
        std::uint64_t view = 0;
        std::uint64_t skipped = 0;
        std::uint32_t proposer = 0;
    };
    /// Who signed a notarize vote in one view, by block.
    using ViewVotes = std::map<BlockId, std::set<Seat>>;

    [[nodiscard]] std::uint64_t turns_skipped(const Block& block) const;
    void look();
    RunCell& cell_at(Instant at);
    void on_notice(NodeIndex node, const SimNotice& notice);
    void on_block(NodeIndex node, const Finalized& finalized, Instant at);
    void on_message(NodeIndex node, const Bytes& message);
    void on_answer(const SimCommand& command);
    void add_point(NodeIndex node, Instant answered, Duration latency);
    void add_slow(SlowDecision decision);
    void close_view();
    void sum_loads();

    Operations operations_;
    SimCluster* cluster_ = nullptr;
    std::uint64_t term_views_ = 1;
    RunRecord out_;
    Instant measured_from_;
    std::map<BlockId, Instant> proposed_;
    std::deque<BlockId> proposed_order_;
    std::map<View, ViewVotes> votes_;
    std::map<View, BlockId> final_views_;
    std::map<Height, SeenBlock> blocks_;
    std::uint64_t point_stride_ = 1;
    std::uint64_t point_number_ = 0;
};

}  // namespace creto
