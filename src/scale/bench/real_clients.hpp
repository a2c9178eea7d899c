// RealClients: who stands outside of a cluster of real nodes: clients that submit open-loop, and who asks
// the nodes how they are.
//
// Why      The load of the simulator's OfferedLoad, over the admin ports of processes: the same workload,
//          nodes drawn evenly among the live ones, one retry elsewhere, latency from the intended instant.
// Holds    Runs on one thread of its own; calls come from one other. What is to be sent when depends on
//          the plan and its draws; a client that is late sends at once, and the latency counts it. Every
//          operation is counted once as submitted, and once as final or refused.
// Units    Instants count from the construction.
// Cost     The record does not grow with the run: cells are as long as the plan says, points fewer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/prng.hpp"
#include "runtime/link_session.hpp"
#include "scale/admin_link.hpp"
#include "sim/run/record.hpp"
#include "sim/run/workload.hpp"

namespace creto {

class RealClients {
public:
    struct Plan {
        std::uint64_t seed = 1;
        std::uint32_t payload_bytes = 256;
        std::vector<bool> takes;  ///< By node: clients ask it.
        Duration cell = Duration::from_s(1);
    };
    struct Counts {
        std::uint64_t submitted = 0;
        std::uint64_t final = 0;
        std::uint64_t pending = 0;
    };
    using Doc = nlohmann::ordered_json;
    static constexpr auto operation_timeout = std::chrono::seconds{15};

    explicit RealClients(Plan plan);
    ~RealClients();
    RealClients(const RealClients&) = delete;
    RealClients& operator=(const RealClients&) = delete;

    [[nodiscard]] Instant now() const { return clock_.now(); }
    /// Where the node's admin port is; empty while it is down.
    void set_address(std::uint32_t node, const std::string& address);

    /// From now on for so long; ends what went on before. Requires: lasts > 0.
    void begin(const Workload& workload, Duration lasts);
    void end();
    /// So many at once, each at the next live node.
    void offer_at_once(std::uint32_t count);
    void measure_from(Instant from);
    [[nodiscard]] Counts counts();
    /// Adds cells of operations, latencies and their points, and what was submitted, final and refused.
    void add_to(RunRecord& record);
    /// By the second in which it was asked for.
    [[nodiscard]] std::vector<std::uint32_t> final_by_second();

    /// Asks all of these nodes at once and waits: a document for each that answered.
    [[nodiscard]] std::map<std::uint32_t, Doc> ask(
        const std::vector<std::uint32_t>& nodes,
        const std::string& command,
        const Doc& body,
        std::chrono::milliseconds timeout
    );
    /// The same of their pages of metrics.
    [[nodiscard]] std::map<std::uint32_t, std::string> pages(
        const std::vector<std::uint32_t>& nodes, std::chrono::milliseconds timeout
    );

private:
    struct Operation {
        Instant intended;
        std::uint64_t number = 0;
        bool is_retry = false;
    };

    void on_thread(const std::function<void()>& work);
    void arm();
    void go_on();
    void take_slot();
    [[nodiscard]] std::vector<std::uint32_t> live() const;
    void offer(const Operation& operation);
    void submit(std::uint32_t node, const Operation& operation);
    void on_answer(
        std::uint32_t node, const Operation& operation, const Result<AdminAnswer>& answer
    );
    void on_final(std::uint32_t node, const Operation& operation);
    void on_submitted(Instant intended);
    void on_refused();
    RunCell& cell_at(Instant at);
    [[nodiscard]] std::map<std::uint32_t, std::string> bodies(
        const std::vector<std::uint32_t>& nodes,
        const std::function<void(AdminLink&, AdminLink::Handler)>& request
    );

    Plan plan_;
    SteadyClock clock_;
    NamedDraws draws_;
    boost::asio::io_context io_;
    boost::asio::steady_timer timer_;
    std::vector<std::unique_ptr<AdminLink>> links_;
    std::vector<std::unique_ptr<AdminLink>> looks_;  ///< Who looks does not wait behind the load.
    std::vector<bool> is_up_;
    std::optional<Workload> workload_;
    Instant next_slot_;
    Instant until_;
    std::multimap<Instant, Operation> due_;
    Instant measured_from_ = Instant::max();
    std::uint64_t next_number_ = 0;
    Counts counts_;
    std::vector<RunCell> cells_;
    std::vector<std::uint32_t> final_by_second_;
    RunRecord measured_;  ///< Latencies and counts of the measured part.
    std::uint64_t point_stride_ = 1;
    std::uint64_t point_number_ = 0;
    std::thread thread_;
};

}  // namespace creto
