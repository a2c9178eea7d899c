#include "cli/sim_apart.hpp"

#include <poll.h>

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/assert.hpp"
#include "cli/child.hpp"

namespace creto {

namespace {

/// Of this process: what others do on the machine does not count.
std::int64_t cpu_us() {
    timespec spent{};
    CRETO_ASSERT(::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) == 0);
    return std::int64_t{spent.tv_sec} * 1'000'000 + spent.tv_nsec / 1'000;
}

}  // namespace

std::string to_line(const LifeLine& line) {
    const LifeReport& r = line.report;
    nlohmann::json out;
    out["seed"] = r.seed;
    out["checker"] = r.checker;
    out["text"] = r.text;
    out["lived_ms"] = r.lived.ms();
    out["healed_ms"] = r.healed_after.ms();
    out["decisions"] = r.decisions;
    out["events"] = r.events;
    out["messages"] = r.messages;
    out["restarts"] = r.restarts;
    out["writes"] = r.writes;
    out["writes_final"] = r.writes_final;
    out["fired"] = r.fired;
    out["liars"] = r.liars;
    out["probes"] = r.probes;
    out["two_faced"] = r.two_faced;
    out["proven"] = r.proven;
    out["costs"] = r.costs;
    out["trace"] = line.trace;
    out["nodes"] = line.nodes;
    out["profile"] = line.profile;
    out["byzantine_mode"] = line.is_byzantine;
    out["cpu_us"] = line.cpu_us;
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<LifeLine> parse_line(const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    LifeLine line;
    LifeReport& r = line.report;
    r.seed = json.at("seed");
    r.checker = json.at("checker");
    r.text = json.at("text");
    r.lived = Duration::from_ms(json.at("lived_ms"));
    r.healed_after = Duration::from_ms(json.at("healed_ms"));
    r.decisions = json.at("decisions");
    r.events = json.at("events");
    r.messages = json.at("messages");
    r.restarts = json.at("restarts");
    r.writes = json.at("writes");
    r.writes_final = json.at("writes_final");
    r.fired = json.at("fired");
    r.liars = json.at("liars");
    r.probes = json.at("probes");
    r.two_faced = json.at("two_faced");
    r.proven = json.at("proven");
    r.costs = json.at("costs");
    line.trace = json.at("trace");
    line.nodes = json.at("nodes");
    line.profile = json.at("profile");
    line.is_byzantine = json.at("byzantine_mode");
    line.cpu_us = json.at("cpu_us");
    return line;
}

LifeLine live_here(const Schedule& schedule, const std::optional<PlantedBug>& bug, bool twice) {
    const std::int64_t begun = cpu_us();
    LifeOptions options;
    if (bug) options.factory = planted(*bug);
    const LifeReport report = twice ? live_twice(schedule, options) : live(schedule, options);
    LifeLine line;
    line.report = report;
    line.nodes = schedule.nodes;
    line.profile = schedule.profile;
    line.is_byzantine = schedule.mode == QuorumMode::byzantine;
    line.trace = report.trace_hash.hex();
    line.cpu_us = cpu_us() - begun;
    return line;
}

LifeLine live_apart(
    const Schedule& schedule, const std::optional<PlantedBug>& bug, int seconds_max, bool twice
) {
    Child child{[&](int fd) { (void)tell_line(fd, to_line(live_here(schedule, bug, twice))); }};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{seconds_max};
    LifeLine failed;
    failed.nodes = schedule.nodes;
    failed.profile = schedule.profile;
    failed.report.seed = schedule.seed;
    while (std::chrono::steady_clock::now() < end) {
        pollfd look{child.fd(), POLLIN, 0};
        if (::poll(&look, 1, 1'000) <= 0) continue;
        if (child.read_some()) continue;
        if (const auto text = child.line())
            if (auto line = parse_line(*text)) return *line;
        failed.report.checker = "crash";
        failed.report.text = "the process ended with " + child.wait();
        return failed;
    }
    child.stop();
    failed.report.checker = "timeout";
    failed.report.text = "no end after " + std::to_string(seconds_max) + " s";
    return failed;
}

}  // namespace creto
