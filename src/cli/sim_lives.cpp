#include "cli/sim_lives.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <memory>
#include <sstream>

#include "cli/child.hpp"
#include "cli/sim_apart.hpp"
#include "cli/sim_trial.hpp"
#include "cli/stop_signals.hpp"
#include "scale/report/trial_result.hpp"
#include "sim/life/long_swarm.hpp"
#include "sim/life/probes.hpp"
#include "sim/life/schedule_json.hpp"
#include "sim/life/shrink.hpp"
#include "sim/life/swarm.hpp"

namespace creto {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int life_seconds_max = 300;
constexpr int long_life_seconds_max = 1'800;
constexpr std::size_t failures_shown = 20;

std::optional<std::uint64_t> whole_number(const std::string& text) {
    if (text.empty() || text.size() > 19 ||
        text.find_first_not_of("0123456789") != std::string::npos)
        return std::nullopt;
    return std::stoull(text);
}

Result<std::optional<PlantedBug>> parse_plant(const std::string& name) {
    if (name.empty()) return std::optional<PlantedBug>{};
    auto bug = parse_planted_bug(name);
    if (!bug) return tl::unexpected<Error>(bug.error());
    return std::optional{*bug};
}

Schedule drawn(std::uint64_t seed, bool is_long) {
    return is_long ? make_long_schedule(seed) : make_schedule(seed);
}

std::string again(const LifeReport& report, bool is_long, const std::string& plant) {
    return std::string{"creto sim replay "} + (is_long ? "--long " : "") + "--seed " +
           std::to_string(report.seed) + (plant.empty() ? "" : " --plant " + plant);
}

/// Sums over lives; printed at the end.
class LifeSums {
public:
    void add(const LifeLine& line) {
        const LifeReport& r = line.report;
        ++lives_;
        virtual_ms_ += r.lived.ms();
        cpu_us_ += line.cpu_us;
        decisions_ += r.decisions;
        events_ += r.events;
        messages_ += r.messages;
        restarts_ += r.restarts;
        writes_ += r.writes;
        writes_final_ += r.writes_final;
        liars_ += r.liars > 0 ? 1 : 0;
        const QuorumMode mode = line.is_byzantine ? QuorumMode::byzantine : QuorumMode::crash;
        full_liars_ += r.liars > 0 && r.liars == liars_max(mode, line.nodes) ? 1 : 0;
        two_faced_ += r.two_faced;
        proven_ += r.proven;
        ++by_costs_[r.costs];
        lives_with_fault_ += r.faults() > 0 ? 1 : 0;
        fired_in_life_.push_back(static_cast<std::int64_t>(r.faults()));
        ++by_nodes_[line.nodes];
        ++by_profile_[line.profile];
        for (std::size_t i = 0; i < fault_kinds; ++i)
            fired_[i] += r.fired[i];
        for (const auto& [name, value] : r.probes)
            ++probes_[name];
        healed_ms_.push_back(r.healed_after.ms());
        lived_ms_.push_back(r.lived.ms());
        decided_.push_back(static_cast<std::int64_t>(r.decisions));
        if (!r.passed()) ++failed_by_checker_[r.checker];
    }

    [[nodiscard]] std::uint64_t lives() const { return lives_; }

    [[nodiscard]] JsonDoc json(double wall_s) {
        JsonDoc out;
        std::uint64_t failed = 0;
        for (const auto& [checker, count] : failed_by_checker_)
            failed += count;
        out["lives"] = lives_;
        out["failed"] = failed;
        out["failed_by_checker"] = failed_by_checker_;
        out["failure_bound"] =
            lives_ == 0 || failed > 0 ? 1.0 : std::min(1.0, 3.0 / double(lives_));
        out["wall_s"] = wall_s;
        out["lives_per_s"] = double(lives_) / wall_s;
        out["virtual_s"] = double(virtual_ms_) / 1'000;
        const double busy_s = std::max(1e-6, double(cpu_us_) / 1e6);
        out["virtual_per_core_second"] = double(virtual_ms_) / 1'000 / busy_s;
        out["messages_per_core_second"] = double(messages_) / busy_s;
        out["events"] = events_;
        out["messages"] = messages_;
        out["restarts"] = restarts_;
        out["writes"] = writes_;
        out["writes_final"] = writes_final_;
        out["decisions"] = decisions_;
        out["with_liars"] = liars_;
        out["with_all_liars_tolerated"] = full_liars_;
        out["with_a_fault"] = lives_with_fault_;
        out["two_faced"] = two_faced_;
        out["two_faced_proven"] = proven_;
        out["costs"] = by_costs_;
        out["mean_virtual_s"] = lives_ == 0 ? 0.0 : double(virtual_ms_) / 1'000 / double(lives_);
        out["mean_decisions"] = lives_ == 0 ? 0.0 : double(decisions_) / double(lives_);
        out["nodes"] = JsonDoc::object();
        for (const auto& [nodes, count] : by_nodes_)
            out["nodes"][std::to_string(nodes)] = count;
        out["profiles"] = by_profile_;
        out["faults"] = JsonDoc::object();
        for (std::size_t i = 0; i < fault_kinds; ++i)
            out["faults"][to_string(static_cast<FaultKind>(i))] = fired_[i];
        out["lived_ms"] = spread(lived_ms_);
        out["decided"] = spread(decided_);
        out["healed_ms"] = spread(healed_ms_);
        out["fired"] = spread(fired_in_life_);
        out["probes"] = probes_;
        out["never_reached"] = JsonDoc::array();
        for (const std::string_view name : known_probes())
            if (!probes_.contains(std::string{name})) out["never_reached"].push_back(name);
        return out;
    }

private:
    static JsonDoc spread(std::vector<std::int64_t>& values) {
        if (values.empty()) return nullptr;
        std::sort(values.begin(), values.end());
        const auto at = [&](std::size_t percent) {
            return values[(values.size() - 1) * percent / 100];
        };
        return {{"min", at(0)}, {"p50", at(50)}, {"p99", at(99)}, {"max", at(100)}};
    }

    std::uint64_t lives_ = 0;
    std::int64_t virtual_ms_ = 0;
    std::int64_t cpu_us_ = 0;
    std::uint64_t decisions_ = 0;
    std::uint64_t events_ = 0;
    std::uint64_t messages_ = 0;
    std::uint64_t restarts_ = 0;
    std::uint64_t writes_ = 0;
    std::uint64_t writes_final_ = 0;
    std::uint64_t liars_ = 0;
    std::uint64_t full_liars_ = 0;  ///< Lives with as many liars as are tolerated.
    std::uint64_t lives_with_fault_ = 0;
    std::uint64_t two_faced_ = 0;
    std::uint64_t proven_ = 0;
    std::map<std::string, std::uint64_t> by_costs_;
    std::vector<std::int64_t> fired_in_life_;
    std::map<std::uint32_t, std::uint64_t> by_nodes_;
    std::map<std::string, std::uint64_t> by_profile_;
    std::array<std::uint64_t, fault_kinds> fired_{};
    std::map<std::string, std::uint64_t> probes_;
    std::map<std::string, std::uint64_t> failed_by_checker_;
    std::vector<std::int64_t> healed_ms_;
    std::vector<std::int64_t> lived_ms_;
    std::vector<std::int64_t> decided_;
};

std::string lines_of(const JsonDoc& sums) {
    std::ostringstream out;
    out << std::fixed << std::setprecision(1);
    out << sums["lives"].get<std::uint64_t>() << " lives, " << sums["failed"].get<std::uint64_t>()
        << " failed, in " << sums["wall_s"].get<double>()
        << " s: " << sums["lives_per_s"].get<double>() << " lives/s; "
        << sums["virtual_per_core_second"].get<double>() << " virtual seconds and "
        << sums["messages_per_core_second"].get<double>() / 1e6
        << " M messages a second of one core\n";
    for (const char* name :
         {"lived_ms",
          "decided",
          "healed_ms",
          "fired",
          "nodes",
          "profiles",
          "costs",
          "faults",
          "probes",
          "never_reached"})
        out << "  " << name << ": " << sums[name].dump() << "\n";
    out << "  " << sums["with_liars"] << " lives with liars, " << sums["with_all_liars_tolerated"]
        << " of them with all that are tolerated; " << sums["two_faced_proven"] << " of "
        << sums["two_faced"] << " liars with two stories proven; " << sums["restarts"]
        << " restarts, " << sums["writes_final"] << " of " << sums["writes"] << " writes final, "
        << sums["decisions"] << " decisions\n";
    if (sums["stopped"] == true) out << "  stopped by a signal: these are the lives until then\n";
    if (sums["failed"] == 0)
        out << "  no failure: at 95 % fewer than " << std::setprecision(6)
            << sums["failure_bound"].get<double>() * 100 << " % of such lives fail\n";
    return out.str();
}

/// One worker process, and the life that it is at.
struct Job {
    std::unique_ptr<Child> child;
    std::uint64_t next = 0;  ///< The seed that it starts, or goes on with after a crash.
    std::optional<std::uint64_t> at;
    Clock::time_point since;
};

class Fuzz {
public:
    Fuzz(
        const SimFuzzOptions& options,
        const Seeds& seeds,
        std::optional<PlantedBug> bug,
        std::ostream& out
    )
        : options_{options}, seeds_{seeds}, bug_{bug}, out_{out} {}

    JsonDoc run() {
        const auto begun = Clock::now();
        const auto end = begun + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(options_.minutes * 60)
                                 );
        jobs_.resize(options_.jobs);
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
            jobs_[i].next = seeds_.first + i;
            launch(jobs_[i]);
        }
        const StopSignals signals;
        while (Clock::now() < end && is_any_running() && !stop_asked()) {
            look();
            report_progress(begun);
        }
        jobs_.clear();
        JsonDoc sums = sums_.json(std::chrono::duration<double>(Clock::now() - begun).count());
        sums["failures"] = failures_;
        sums["stopped"] = stop_asked();
        return sums;
    }

private:
    [[nodiscard]] bool is_any_running() const {
        return std::any_of(jobs_.begin(), jobs_.end(), [](const Job& job) {
            return job.child != nullptr;
        });
    }

    void launch(Job& job) {
        job.child.reset();
        job.at.reset();
        job.since = Clock::now();
        if (job.next > seeds_.last) return;
        job.child = std::make_unique<Child>([this, first = job.next](int fd) {
            for (std::uint64_t seed = first; seed <= seeds_.last; seed += options_.jobs) {
                if (!tell_line(fd, "begin " + std::to_string(seed))) return;
                const bool twice = scale_to(draw(seed, 0xD1), 100) < options_.recheck_percent;
                Schedule schedule = drawn(seed, options_.is_long);
                if (bug_) schedule = schedule_for(*bug_, schedule).value_or(schedule);
                if (!tell_line(fd, to_line(live_here(schedule, bug_, twice)))) return;
            }
        });
    }

    void look() {
        std::vector<pollfd> waits;
        for (const Job& job : jobs_)
            waits.push_back({job.child ? job.child->fd() : -1, POLLIN, 0});
        (void)::poll(waits.data(), waits.size(), 500);
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
            Job& job = jobs_[i];
            if (!job.child) continue;
            if ((waits[i].revents & (POLLIN | POLLHUP)) != 0 && !job.child->read_some()) {
                take_lines(job);
                const std::string how = job.child->wait();
                if (!how.empty() || job.at) lost(job, "crash", "the process ended with " + how);
                launch(job);
                continue;
            }
            take_lines(job);
            const int seconds_max = options_.is_long ? long_life_seconds_max : life_seconds_max;
            if (Clock::now() - job.since > std::chrono::seconds{seconds_max}) {
                lost(job, "timeout", "no end after " + std::to_string(seconds_max) + " s");
                launch(job);
            }
        }
    }

    void take_lines(Job& job) {
        while (const auto text = job.child->line()) {
            if (text->starts_with("begin ")) {
                job.at = whole_number(text->substr(6));
                job.since = Clock::now();
                continue;
            }
            const auto line = parse_line(*text);
            if (!line) continue;
            job.next = line->report.seed + options_.jobs;
            job.at.reset();
            take(*line);
        }
    }

    /// A life whose process did not come back.
    void lost(Job& job, const char* checker, const std::string& text) {
        LifeLine line;
        line.report.seed = job.at.value_or(job.next);
        line.report.checker = checker;
        line.report.text = "seed " + std::to_string(line.report.seed) + ": " + text;
        job.next = line.report.seed + options_.jobs;
        take(line);
    }

    void take(const LifeLine& line) {
        sums_.add(line);
        if (line.report.passed()) return;
        const std::string repro = again(line.report, options_.is_long, options_.plant);
        failures_.push_back(
            {{"seed", line.report.seed},
             {"checker", line.report.checker},
             {"text", line.report.text},
             {"again", repro}}
        );
        if (failures_.size() <= failures_shown)
            out_ << "FAILED " << line.report.text << "\n  again: " << repro << std::endl;
        if (options_.keep.empty()) return;
        std::filesystem::create_directories(options_.keep);
        std::ofstream{options_.keep + "/seed-" + std::to_string(line.report.seed) + ".json"}
            << to_json(drawn(line.report.seed, options_.is_long));
    }

    void report_progress(Clock::time_point begun) {
        const auto now = Clock::now();
        if (now - told_ < std::chrono::seconds{10}) return;
        if (told_ != Clock::time_point{})
            std::cerr << sums_.lives() << " lives, " << failures_.size() << " failed, "
                      << std::chrono::duration_cast<std::chrono::seconds>(now - begun).count()
                      << " s" << std::endl;
        told_ = now;
    }

    const SimFuzzOptions& options_;
    Seeds seeds_;
    std::optional<PlantedBug> bug_;
    std::ostream& out_;
    std::vector<Job> jobs_;
    LifeSums sums_;
    JsonDoc failures_ = JsonDoc::array();
    Clock::time_point told_;
};

/// A seed's schedule is the one that fuzz lives with the bug; a file's is taken as it is.
Result<Schedule> load(const SimReplayOptions& options) {
    if (options.file.empty()) {
        const Schedule schedule = drawn(options.seed, options.is_long);
        const auto bug = options.plant.empty() ? std::nullopt
                                               : parse_plant(options.plant).value_or(std::nullopt);
        return bug ? schedule_for(*bug, schedule).value_or(schedule) : schedule;
    }
    std::ifstream file{options.file, std::ios::binary};
    if (!file) return fail(ErrorCode::not_found, "cannot read " + options.file);
    std::ostringstream text;
    text << file.rdbuf();
    auto schedule = parse_schedule(text.str());
    if (!schedule)
        return fail(schedule.error().code, options.file + ": " + schedule.error().message);
    return schedule;
}

JsonDoc json_of(const LifeLine& line) {
    JsonDoc out = JsonDoc::parse(to_line(line));
    out["status"] = line.report.passed() ? "PASSED" : "FAILED";
    return out;
}

/// The life again, watched. In this process: one that dies has no page.
int replay_as_page(
    const SimReplayOptions& options,
    const Schedule& schedule,
    const std::optional<PlantedBug>& bug,
    const Output& output
) {
    const std::string start = utc_now();
    const auto begun = Clock::now();
    LifeOptions life;
    life.is_recorded = true;
    if (bug) life.factory = planted(*bug);
    const LifeReport report = live(schedule, life);
    const std::string repro = options.file.empty()
                                  ? again(report, options.is_long, options.plant)
                                  : "creto sim replay " + options.file +
                                        (options.plant.empty() ? "" : " --plant " + options.plant);
    ScenarioResult result = life_result(schedule, report, repro);
    result.start_time = start;
    result.end_time = utc_now();
    result.wall_s = std::chrono::duration<double>(Clock::now() - begun).count();
    result.nodes = schedule.nodes;
    return finish_runs(to_json(result), to_lines(result), options.html, output);
}

/// Each planted bug in life after life, until its own checker fires.
class PlantAll {
public:
    PlantAll(const Seeds& seeds, std::ostream& out) : seeds_{seeds}, out_{out} {}

    JsonDoc run() {
        JsonDoc rows = JsonDoc::array();
        std::uint64_t missed = 0;
        for (const PlantedBug bug : all_planted_bugs()) {
            rows.push_back(hunt(bug));
            const JsonDoc& row = rows.back();
            missed += row["noticed"].get<bool>() ? 0 : 1;
            out_ << (row["noticed"].get<bool>() ? "noticed  " : "MISSED   ") << std::left
                 << std::setw(18) << to_string(bug) << std::setw(20) << noticed_by(bug)
                 << row["lives"] << " lives" << std::endl;
        }
        return {{"bugs", rows}, {"missed", missed}, {"lives", lives_}};
    }

private:
    static constexpr std::uint64_t lives_max = 60;

    JsonDoc hunt(PlantedBug bug) {
        std::uint64_t tried = 0;
        JsonDoc others = JsonDoc::object();
        for (std::uint64_t seed = seeds_.first; seed <= seeds_.last && tried < lives_max; ++seed) {
            const auto schedule = schedule_for(bug, make_schedule(seed));
            if (!schedule) continue;
            ++tried;
            ++lives_;
            const LifeReport report =
                live_apart(*schedule, bug, life_seconds_max, bug == PlantedBug::dice).report;
            if (report.checker == noticed_by(bug))
                return {
                    {"bug", to_string(bug)},
                    {"checker", noticed_by(bug)},
                    {"noticed", true},
                    {"seed", seed},
                    {"lives", tried}};
            if (!report.passed()) others[report.checker] = report.text;
        }
        return {
            {"bug", to_string(bug)},
            {"checker", noticed_by(bug)},
            {"noticed", false},
            {"lives", tried},
            {"others", others}};
    }

    Seeds seeds_;
    std::ostream& out_;
    std::uint64_t lives_ = 0;
};

}  // namespace

Result<Seeds> parse_seeds(const std::string& text) {
    if (text.empty()) return Seeds{};
    const std::size_t dash = text.find('-');
    const auto first = whole_number(text.substr(0, dash));
    const auto last = dash == std::string::npos ? first : whole_number(text.substr(dash + 1));
    if (!first || !last || *last < *first)
        return fail(ErrorCode::invalid, "seeds are \"A-B\" with A at most B, not \"" + text + "\"");
    return Seeds{*first, *last};
}

int command_sim_fuzz(const SimFuzzOptions& options, const Output& output) {
    const auto seeds = parse_seeds(options.seeds);
    if (!seeds) return output.fail(seeds.error(), exit_code::usage);
    std::ostream& out = output.json ? std::cerr : std::cout;
    if (options.plant == "all") {
        const JsonDoc all = PlantAll{*seeds, out}.run();
        output.say(all, std::to_string(all["missed"].get<std::uint64_t>()) + " bugs missed");
        return all["missed"] == 0 ? exit_code::done : exit_code::failed;
    }
    const auto bug = parse_plant(options.plant);
    if (!bug) return output.fail(bug.error(), exit_code::usage);
    if (options.jobs < 1 || options.jobs > 64)
        return output.fail({ErrorCode::invalid, "between 1 and 64 jobs"}, exit_code::usage);
    const JsonDoc sums = Fuzz{options, *seeds, *bug, out}.run();
    output.say(sums, lines_of(sums));
    if (sums["lives"] == 0 || sums["failed"] != 0) return exit_code::failed;
    return sums["stopped"] == true ? exit_code::partial : exit_code::done;
}

int command_sim_replay(const SimReplayOptions& options, const Output& output) {
    const auto schedule = load(options);
    if (!schedule) return output.fail(schedule.error(), exit_code::usage);
    const auto bug = parse_plant(options.plant);
    if (!bug) return output.fail(bug.error(), exit_code::usage);
    LifeLine line;
    if (!options.html.empty()) return replay_as_page(options, *schedule, *bug, output);
    if (options.log) {
        LifeOptions life;
        if (*bug) life.factory = planted(**bug);
        life.log = [](NodeIndex node, LogLevel /*level*/, std::string_view text) {
            std::cerr << "node " << node.value() << ": " << text << "\n";
        };
        line.report = live(*schedule, life);
        line.trace = line.report.trace_hash.hex();
    } else {
        line = live_apart(*schedule, *bug, long_life_seconds_max);
    }
    const LifeReport& report = line.report;
    const std::string lines = (report.passed() ? "passed: " : "FAILED " + report.text + "\n") +
                              std::to_string(report.decisions) + " decisions in " +
                              std::to_string(report.lived.ms()) + " virtual ms, " +
                              std::to_string(report.faults()) + " faults, trace " + line.trace;
    output.say(json_of(line), to_json(*schedule) + lines);
    return report.passed() ? exit_code::done : exit_code::failed;
}

int command_sim_shrink(const SimReplayOptions& options, const Output& output) {
    const auto schedule = load(options);
    if (!schedule) return output.fail(schedule.error(), exit_code::usage);
    const auto bug = parse_plant(options.plant);
    if (!bug) return output.fail(bug.error(), exit_code::usage);
    const LifeLine first = live_apart(*schedule, *bug, long_life_seconds_max);
    if (first.report.passed())
        return output.fail(
            {ErrorCode::conflict, "this life passes; there is nothing to shrink"}, exit_code::failed
        );
    const std::string checker = first.report.checker;
    const Shrunk shrunk = shrink(
        *schedule,
        checker,
        [&](const Schedule& candidate) {
            const int seconds_max = candidate.calms.empty() ? 60 : life_seconds_max;
            return live_apart(candidate, *bug, seconds_max).report.checker;
        },
        options.tries
    );
    const LifeLine last = live_apart(shrunk.schedule, *bug, long_life_seconds_max);
    const std::string text = to_json(shrunk.schedule);
    if (!options.out.empty()) std::ofstream{options.out} << text;
    std::cerr << checker << ": " << schedule->faults.size() << " faults and " << schedule->nodes
              << " nodes became " << shrunk.schedule.faults.size() << " and "
              << shrunk.schedule.nodes << ", in " << shrunk.tried << " tries\n"
              << last.report.text << "\n";
    output.say(JsonDoc::parse(text), options.out.empty() ? text : "written to " + options.out);
    return exit_code::done;
}

}  // namespace creto
