// Clients: who writes and calls during a life, what they were told, and whether it is true.
//
// Why      Agreement among nodes is worth nothing if what they agree on is not what was asked for.
//          This keeps its own books, and reads the nodes back when the life is over.
// Holds    Checked at the end, on every reliable node:
//          durability   What was answered as final is there (S7); a causal write that a reliable
//                       node took is there.
//          integrity    A key holds what its one writer wrote, or nothing (S8); no lane of a reliable
//                       node holds a write that no client asked of it; a call's result is right.
//          exactly-once The counter counts each answered write, and none that was not asked for
//                       (S9); no operation is answered as final for two commands.
//          same-reads   All read the same.
//          one-reply    Every command at a reliable node was answered.
//          recovery     Under a steady load, some ten seconds within a minute of the calm, and all
//                       ten seconds after them, see 95 % of what is asked for become final (L6).
//          Each write has a key of its own and adds one to a counter; what a write does depends on
//          its number and the seed alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/cluster.hpp"
#include "sim/life/schedule.hpp"

namespace creto {

class Clients {
public:
    /// Both outlive it. Plans all writes at once.
    Clients(const Schedule& schedule, SimCluster& cluster);

    /// One more of the planned kinds, now, at a node drawn by its number.
    void write_next();
    /// What others ask for: true for an operation that one of them has asked of the node.
    void set_others(std::function<bool(std::uint32_t node, const OperationBody& body)> asked) {
        others_asked_ = std::move(asked);
    }
    /// One more final write at this node, now; its ticket. Counted like the planned ones.
    Ticket write_final(std::uint32_t node);
    /// Writes on, one every `steady_every`, for the schedule's steady stretch.
    void go_on(const std::function<void()>& on_second);
    /// True when every write at a reliable node was answered.
    [[nodiscard]] bool all_answered() const;
    /// What the books say against what the nodes say; reports a violation. Runs the cluster for
    /// some instants, to read.
    void audit();

    [[nodiscard]] std::uint64_t submitted() const { return submitted_; }
    /// Valid after audit().
    [[nodiscard]] std::uint64_t answered_final() const { return answered_final_; }
    /// Milliseconds from a final write to its answer, ascending. Valid after audit().
    [[nodiscard]] const std::vector<std::int64_t>& latencies_ms() const { return latencies_ms_; }

private:
    static constexpr const char* final_counter = "final/n";
    static constexpr const char* causal_counter = "causal/n";
    static constexpr const char* key_prefix = "final/k";
    static std::string key_of(std::uint64_t number) { return key_prefix + std::to_string(number); }

    enum class Kind : std::uint8_t { final_key, final_counter, causal_counter, call };
    struct Write {
        Kind kind = Kind::final_key;
        std::uint32_t node = 0;
        Ticket ticket;
        std::uint64_t number = 0;
    };
    struct Tally {
        std::int64_t answered = 0;
        std::int64_t submitted = 0;
    };

    void submit(std::uint64_t number);
    void record(Kind kind, std::uint32_t node, std::uint64_t number, CommandBody body);
    [[nodiscard]] bool is_reliable(std::uint32_t node) const { return !unreliable_[node]; }
    void read_answers();
    void read_answer(const Write& write, const SimCommand& command);
    [[nodiscard]] KeyReply read(std::uint32_t node, const std::string& key);
    [[nodiscard]] std::int64_t read_counter(std::uint32_t node, const std::string& key);
    /// Waits until all reliable nodes read the same, or long enough.
    void settle(const std::string& key);
    void audit_counter(const char* checker, const std::string& key, const Tally& tally);
    void audit_keys();
    /// What the graph on a reliable node's disk says that other reliable nodes asked for.
    void audit_lanes();
    [[nodiscard]] bool was_asked_for(std::uint32_t node, const OperationBody& body);
    [[nodiscard]] bool audit_beacon(std::uint32_t author, const Operation& operation);
    void check_recovery(Instant calm, Instant begun, Instant end);

    const Schedule& schedule_;
    SimCluster& cluster_;
    std::vector<bool> unreliable_;
    std::vector<Write> writes_;
    std::map<std::pair<AgentId, Epoch>, Digest> beacon_said_;  ///< As a commitment.
    std::uint64_t submitted_ = 0;
    std::uint64_t next_planned_ = 0;
    std::uint64_t next_extra_ = 1'000'000;
    std::function<bool(std::uint32_t, const OperationBody&)> others_asked_;
    std::uint64_t answered_final_ = 0;
    Tally final_tally_;
    Tally causal_tally_;
    std::set<std::uint64_t> keys_answered_;
    std::map<std::uint64_t, std::uint32_t> keys_asked_;        ///< The node that each was asked of.
    std::map<std::uint32_t, std::uint64_t> final_adds_asked_;  ///< By node.
    std::map<std::uint32_t, std::uint64_t> causal_adds_asked_;  ///< By node.
    std::map<OperationId, Ticket> operations_;
    std::vector<std::int64_t> latencies_ms_;
};

}  // namespace creto
