#include "ops/metrics.hpp"

#include <fstream>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>

namespace creto {

namespace {

/// Fills a registry anew for each page: the node owns the counts, Prometheus only the format.
class Page {
public:
    Page(const std::string& node) : labels_{{"node", node}} {}
    void gauge(const std::string& name, const std::string& help, double value) {
        prometheus::BuildGauge()
            .Name(name)
            .Help(help)
            .Labels(labels_)
            .Register(registry_)
            .Add({})
            .Set(value);
    }
    void counter(const std::string& name, const std::string& help, std::uint64_t value) {
        prometheus::BuildCounter()
            .Name(name)
            .Help(help)
            .Labels(labels_)
            .Register(registry_)
            .Add({})
            .Increment(static_cast<double>(value));
    }
    [[nodiscard]] std::string text() {
        return prometheus::TextSerializer{}.Serialize(registry_.Collect());
    }

private:
    std::map<std::string, std::string> labels_;
    prometheus::Registry registry_;
};

/// Resident bytes of this process, from the kernel.
std::uint64_t resident_bytes() {
    std::ifstream statm{"/proc/self/statm"};
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    statm >> total >> resident;
    return resident * 4096;
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

std::string metrics_text(const NodeHost& host) {
    const StatusReply status = host.status();
    Page page{status.name};
    const auto as_double = [](std::uint64_t v) { return static_cast<double>(v); };
    page.gauge("creto_view", "Current view of the ordering", as_double(status.view.value()));
    page.gauge(
        "creto_finalized_height",
        "Height of the finalised chain",
        as_double(status.finalized.value())
    );
    page.gauge(
        "creto_checkpoint_height",
        "Height of the newest checkpoint, 0 without one",
        as_double(status.checkpoint.value())
    );
    page.gauge(
        "creto_kept_from_height",
        "Lowest final block that is kept",
        as_double(status.kept_from.value())
    );
    page.gauge(
        "creto_reachable_seats", "Validators heard, this one included", status.reachable_seats
    );
    page.gauge("creto_quorum_seats", "Validators whose agreement decides", status.quorum.q);
    page.gauge(
        "creto_partitioned", "1 while this node sees a partition", status.partitioned ? 1 : 0
    );
    page.gauge("creto_halted", "1 when this node no longer votes", status.halted ? 1 : 0);
    page.gauge("creto_connected_peers", "Peers with an open connection", as_double(host.peers()));
    page.gauge(
        "creto_pending_operations", "Operations not yet final", as_double(status.pending_operations)
    );
    page.gauge("creto_pending_calls", "Calls under way", as_double(status.pending_calls));
    page.gauge(
        "creto_causal_backlog_vertices",
        "Vertices above the final cut",
        as_double(status.causal_backlog)
    );
    page.gauge("creto_vertices_held", "Vertices in memory", as_double(status.vertices));
    page.gauge("process_resident_memory_bytes", "Resident memory", as_double(resident_bytes()));
    page.gauge("process_cpu_seconds_total", "Processor time used", cpu_seconds());
    page.counter(
        "creto_operations_final_total", "Operations that became final", status.operations_final
    );
    for (const auto& [name, value] : status.counters) {
        page.counter("creto_" + name + "_total", "Count of " + name, value);
    }
    const Transport::Counters net = host.transport_counters();
    page.counter("creto_network_received_bytes_total", "Bytes received", net.bytes_in);
    page.counter("creto_network_sent_bytes_total", "Bytes sent", net.bytes_out);
    page.counter("creto_connections_accepted_total", "Connections accepted", net.accepted);
    page.counter("creto_connections_refused_total", "Connections over a limit", net.refused);
    page.counter(
        "creto_connections_too_soon_total", "Of these, over the rate of arrivals", net.too_soon
    );
    page.counter("creto_peers_too_slow_total", "Links of peers that did not read", net.too_slow);
    page.counter(
        "creto_peers_paused_total", "Times a peer was not read from", host.times_crowded()
    );
    page.counter(
        "creto_tool_runs_refused_total", "Runs that found no room", host.runs_overloaded()
    );
    page.counter("creto_handshakes_failed_total", "Handshakes that failed", net.handshakes_failed);
    page.counter("creto_disk_groups_total", "Group commits", host.disk_counters().groups);
    page.counter(
        "creto_disk_synced_groups_total",
        "Group commits with a sync",
        host.disk_counters().synced_groups
    );
    page.counter(
        "creto_disk_synced_microseconds_total",
        "What group commits with a sync took",
        host.disk_counters().synced_us
    );
    return page.text();
}

}  // namespace creto
