// OfferedLoad: clients who submit open-loop, by a workload, at live honest nodes.
//
// Source   The catalogue's words: nodes drawn evenly among the live honest ones, one retry elsewhere,
//          latency from the intended instant.
// Holds    What is sent when depends on the plan and its draws alone; each operation's draws are named
//          by its number. Every operation is told to the recorder once as submitted, and once as
//          final or refused.
// Cost     A hundred events a virtual second, and what is submitted.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "base/prng.hpp"
#include "sim/cluster.hpp"
#include "sim/run/recorder.hpp"
#include "sim/run/workload.hpp"

namespace creto {

class OfferedLoad {
public:
    struct Plan {
        std::uint64_t seed = 1;
        std::uint32_t payload_bytes = 256;
        /// Whom clients ask: true for an honest node.
        std::function<bool(std::uint32_t node)> takes;
        /// Told of each operation that became final; may be empty.
        std::function<void(const SimCommand&, Instant intended, const SubmitReply&)> on_final;
    };
    static constexpr auto operation_timeout = Duration::from_s(15);

    /// Cluster and recorder outlive it.
    OfferedLoad(Plan plan, SimCluster& cluster, Recorder& recorder);

    /// From now on for so long; ends what went on before. Requires: lasts > 0.
    void begin(const Workload& workload, Duration lasts);
    void end() { ++turn_; }
    /// So many at once, each at the next live honest node.
    void offer_at_once(std::uint32_t count);
    /// To be called for each answer of the cluster; false: somebody else asked.
    bool on_answer(Ticket ticket, const SimCommand& command);

    [[nodiscard]] bool all_answered() const { return pending_.empty(); }
    [[nodiscard]] std::uint64_t submitted() const { return submitted_; }
    [[nodiscard]] std::uint64_t final() const { return final_; }
    /// Whether it has asked the node for something like this.
    [[nodiscard]] bool has_asked(const OperationBody& body) const;

private:
    struct Pending {
        Instant intended;
        std::uint64_t number = 0;
        bool is_retry = false;
    };

    void on_slot(std::uint64_t turn);
    void offer(const Pending& operation);
    [[nodiscard]] std::vector<std::uint32_t> live() const;
    void submit(NodeIndex node, const Pending& operation);

    Plan plan_;
    SimCluster& cluster_;
    Recorder& recorder_;
    NamedDraws draws_;
    Workload workload_;
    Instant until_;
    std::uint64_t turn_ = 0;  ///< Slots of an earlier begin() do nothing.
    std::map<Ticket, Pending> pending_;
    std::vector<Ticket> answered_;
    std::uint64_t next_number_ = 0;
    std::uint64_t submitted_ = 0;
    std::uint64_t final_ = 0;
};

}  // namespace creto
