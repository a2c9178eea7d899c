// The simulated side: the same nodes and loads in virtual time, on shared processors.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "calibrate/figures.hpp"
#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"

namespace creto::calibrate {
namespace {

constexpr std::uint64_t seed = 20'000;
constexpr auto settle = Duration::from_s(3);

Duration us(double count) {
    return Duration::from_ns(static_cast<std::int64_t>(count * 1'000));
}
Duration s(double count) {
    return us(count * 1e6);
}

class Model {
public:
    Model(std::uint32_t nodes, const Loads& loads, const CostTable& costs, const Machine& machine)
        : loads_{loads}, cluster_{options(nodes, costs, machine), honest_nodes()} {
        run(settle);
    }

    /// Latencies in milliseconds, ascending.
    std::vector<double> open_loop() {
        const auto total = static_cast<std::uint64_t>(loads_.rate * loads_.seconds);
        done_ = [](Ticket /*ticket*/) {};
        for (std::uint64_t i = 0; i < total; ++i)
            cluster_.at(cluster_.now() + s(static_cast<double>(i) / loads_.rate), [this, i] {
                submit(i);
            });
        run(s(loads_.seconds) + settle);
        std::vector<double> out = std::move(latencies_ms_);
        latencies_ms_.clear();
        if (out.size() < total) throw std::runtime_error{"simulated writes were not answered"};
        std::sort(out.begin(), out.end());
        return out;
    }

    double closed_loop() {
        // One second each: a model has no noise that needs more.
        const Duration warm = Duration::from_ms(500);
        const Duration measured = Duration::from_s(1);
        const Instant begin = cluster_.now() + warm;
        std::uint64_t counted = 0;
        std::uint64_t next = loads_.window;
        done_ = [&](Ticket /*ticket*/) {
            const Instant now = cluster_.now();
            if (now >= begin && now < begin + measured) ++counted;
            // The client sends its next write when it has the answer of the one before.
            if (now < begin + measured) cluster_.at(now, [this, i = next++] { submit(i); });
        };
        for (std::uint64_t i = 0; i < loads_.window; ++i)
            submit(i);
        run(warm + measured);
        done_ = nullptr;
        return static_cast<double>(counted) * 1e9 / static_cast<double>(measured.ns());
    }

private:
    SimOptions options(std::uint32_t nodes, const CostTable& costs, const Machine& machine) {
        SimOptions out;
        out.seed = seed;
        out.node_count = nodes;
        out.costs = costs;
        out.shared_processors = machine.processors;
        out.profile.name = "loopback";
        out.profile.latency_min = us(machine.hop_us * 0.5);
        out.profile.latency_max = us(machine.hop_us * 1.5);
        out.profile.jitter_percent = 100;
        out.disk.sync_min = us(machine.sync_us * 0.8);
        out.disk.sync_max = us(machine.sync_us * 1.2);
        out.notices_kept_max = 0;
        out.on_answer = [this](Ticket ticket, const SimCommand& command) {
            if (!done_) return;
            if (std::holds_alternative<Error>(*command.reply))
                throw std::runtime_error{std::get<Error>(*command.reply).message};
            latencies_ms_.push_back(
                static_cast<double>((command.answered - command.submitted).ns()) / 1e6
            );
            done_(ticket);
        };
        return out;
    }
    void submit(std::uint64_t number) {
        DataOperation data{Bytes(loads_.payload, 'c')};
        cluster_.submit(
            NodeIndex{static_cast<std::uint32_t>(number % cluster_.size())},
            Submit{std::move(data), Reading::final, Duration::from_s(30)}
        );
    }
    void run(Duration span) {
        if (!cluster_.run_for(span)) throw std::runtime_error{cluster_.violation()};
    }

    Loads loads_;
    std::function<void(Ticket)> done_;
    std::vector<double> latencies_ms_;
    SimCluster cluster_;
};

}  // namespace

Figures simulate(
    std::uint32_t nodes, const Loads& loads, const CostTable& costs, const Machine& machine
) {
    Model model{nodes, loads, costs, machine};
    const std::vector<double> ms = model.open_loop();
    Figures out;
    out.p50_ms = ms.at(ms.size() / 2);
    out.p99_ms = ms.at(ms.size() * 99 / 100);
    out.saturation = model.closed_loop();
    return out;
}

}  // namespace creto::calibrate
