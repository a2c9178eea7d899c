#include "cli/scale.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iomanip>
#include <optional>
#include <sstream>

#include "scale/bench/catalogue.hpp"
#include "scale/bench/folder.hpp"
#include "scale/bench/real_limits.hpp"
#include "scale/bench/run.hpp"
#include "scale/large_pages.hpp"
#include "scale/report/page.hpp"

namespace creto {
namespace {

using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t is_stopped = 0;

extern "C" void on_stop(int /*signal*/) {
    is_stopped = 1;
}

/// The first signal asks the run to end; the next one is the system's.
class StopSignals {
public:
    StopSignals() {
        struct sigaction action {};
        action.sa_handler = on_stop;
        action.sa_flags = static_cast<int>(SA_RESETHAND);
        ::sigaction(SIGINT, &action, &before_int_);
        ::sigaction(SIGTERM, &action, &before_term_);
    }
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    ~StopSignals() {
        ::sigaction(SIGINT, &before_int_, nullptr);
        ::sigaction(SIGTERM, &before_term_, nullptr);
    }

private:
    struct sigaction before_int_ {};
    struct sigaction before_term_ {};
};

std::string span_text(double seconds) {
    std::ostringstream out;
    out << std::fixed << std::setprecision(0);
    if (seconds < 120) {
        out << seconds << " s";
    } else if (seconds < 7'200) {
        out << seconds / 60 << " min";
    } else {
        out << seconds / 3'600 << " h";
    }
    return out.str();
}

/// One line on a terminal, else a line now and then.
class BenchProgressLine {
public:
    BenchProgressLine(std::size_t total, const char* unit) : total_{total}, unit_{unit} {}

    void begin() {
        begun_ = Clock::now();
        ++number_;
    }
    void tell(const BenchProgress& at) {
        const auto now = Clock::now();
        const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
        const auto every = std::chrono::milliseconds{is_terminal ? 200 : 5'000};
        if (now - told_ < every) return;
        told_ = now;
        const double wall = std::chrono::duration<double>(now - begun_).count();
        const double share = static_cast<double>(at.at.ms()) /
                             static_cast<double>(std::max<std::int64_t>(1, at.of.ms()));
        std::ostringstream line;
        line << "[" << number_ << "/" << total_ << "] " << at.scenario << ": " << at.at.ms() / 1'000
             << " of " << at.of.ms() / 1'000 << " " << unit_ << ", " << at.final
             << " final, height " << at.height;
        if (at.is_replaying) line << ", replays stores on disk";
        if (share > 0.02 && !at.is_replaying)
            line << ", " << span_text(wall / share - wall) << " left";
        std::cerr << (is_terminal ? "\r\033[K" : "") << line.str() << (is_terminal ? "" : "\n")
                  << std::flush;
        is_open_ = is_terminal;
    }
    void end() {
        if (is_open_) std::cerr << "\r\033[K" << std::flush;
        is_open_ = false;
    }

private:
    std::size_t total_;
    const char* unit_;
    std::size_t number_ = 0;
    Clock::time_point begun_ = Clock::now();
    Clock::time_point told_ = begun_;
    bool is_open_ = false;
};

Result<std::vector<const ScaleScenario*>> chosen(
    const Catalogue& catalogue, const ScaleOptions& options
) {
    std::vector<const ScaleScenario*> out;
    const int ways = (options.names.empty() ? 0 : 1) + (options.category.empty() ? 0 : 1) +
                     (options.all ? 1 : 0);
    if (ways != 1)
        return fail(
            ErrorCode::invalid,
            "say which: names of scenarios, or --category C, or --all; `creto scale list` shows "
            "them"
        );
    if (!options.category.empty()) return catalogue.in_category(options.category);
    for (const std::string& name : options.names) {
        auto found = catalogue.find(name);
        if (!found) return tl::unexpected<Error>(found.error());
        out.push_back(*found);
    }
    if (options.all)
        for (const ScaleScenario& one : catalogue.all())
            out.push_back(&one);
    return out;
}

std::string repro(const ScaleOptions& options, const std::string& name) {
    std::string out = "creto scale run " + name;
    if (options.real) out += " --real";
    if (options.smoke) out += " --smoke";
    if (options.nodes > 0) out += " --nodes " + std::to_string(options.nodes);
    if (!options.scenarios.empty()) out += " --scenarios " + options.scenarios;
    return out + " --seed " + std::to_string(options.seed);
}

std::string lines_of(const ScenarioResult& result, const JsonDoc& doc) {
    std::ostringstream out;
    out << result.title << ": " << result.status() << "\n" << to_lines(result);
    for (const JsonDoc& wish : doc["details"].value("wishes", JsonDoc::array()))
        out << "   --  " << wish["name"].get<std::string>() << ": "
            << wish["actual"].get<std::string>() << " (" << wish["reason"].get<std::string>()
            << ")\n";
    if (doc["details"].contains("bottleneck"))
        out << "  bottleneck: " << doc["details"]["bottleneck"].get<std::string>() << "\n";
    const JsonDoc& cost = doc["results"]["cost"];
    if (cost.contains("virtual_s"))
        out << "  " << cost["virtual_s"] << " of " << cost["virtual_required_s"] << " virtual s in "
            << std::setprecision(3) << result.wall_s << " s\n";
    if (cost.contains("run_s"))
        out << "  " << cost["run_s"] << " of " << cost["run_required_s"] << " s on "
            << doc["details"]["cores"] << " processors\n";
    out << "  again: " << doc["details"]["repro"].get<std::string>() << "\n";
    return out.str();
}

int code_of(const std::string& status) {
    if (status == "PASSED") return exit_code::done;
    return status == "PARTIAL" ? exit_code::partial : exit_code::failed;
}

BenchOptions bench_options(const ScaleOptions& options, const ScaleScenario& scenario) {
    BenchOptions out;
    out.seed = options.seed;
    out.smoke = options.smoke;
    out.host = options.real ? BenchHost::processes : BenchHost::simulator;
    if (options.nodes > 0) out.nodes = options.nodes;
    out.repro = repro(options, scenario.name);
    return out;
}

/// Before the run: which faults this machine cannot inject.
void say_left_out(const ScaleScenario& scenario, const BenchOptions& bench, std::ostream& out) {
    const auto chosen = scenario_to_run(scenario, bench);
    if (!chosen) return;
    for (const NotInjected& one : not_injected(*chosen))
        out << scenario.name << ": not injected: " << one.step
            << (one.step == one.kind ? "" : " (" + one.kind + ")") << ", because " << one.why
            << std::endl;
}

/// What a failing folder must not lose.
int failed_to_keep(const Error& error, const JsonDoc& doc, const Output& output) {
    std::cerr << "creto: " << error.message << std::endl;
    output.say(doc, doc.dump(1) + "\n");
    return exit_code::failed;
}

}  // namespace

int command_scale_list(const ScaleOptions& options, const Output& output) {
    const auto catalogue = Catalogue::load(options.scenarios);
    if (!catalogue) return output.fail(catalogue.error(), exit_code::usage);
    std::vector<const ScaleScenario*> list;
    if (options.category.empty()) {
        for (const ScaleScenario& one : catalogue->all())
            list.push_back(&one);
    } else {
        auto found = catalogue->in_category(options.category);
        if (!found) return output.fail(found.error(), exit_code::usage);
        list = std::move(*found);
    }
    JsonDoc doc{{"ok", true}, {"scenarios", JsonDoc::array()}};
    std::ostringstream lines;
    std::string category;
    for (const ScaleScenario* one : list) {
        const std::string why = one->too_big();
        JsonDoc criteria = JsonDoc::array();
        for (const ScenarioCriterion& criterion : one->criteria)
            criteria.push_back({{"name", criterion.name}, {"metric", criterion.metric}});
        JsonDoc entry{
            {"name", one->name},
            {"alias", one->alias()},
            {"category", one->category},
            {"about", one->about},
            {"node_count", one->network.nodes},
            {"duration_s", one->duration.ms() / 1'000},
            {"smoke_s", one->smoke.ms() / 1'000},
            {"can_run", why.empty()},
            {"criteria", std::move(criteria)}};
        if (!why.empty()) entry["reason"] = why;
        doc["scenarios"].push_back(std::move(entry));
        if (one->category != category) {
            category = one->category;
            lines << category << "\n";
        }
        lines << "  " << std::left << std::setw(46) << one->name << one->about
              << (why.empty() ? "" : " [--nodes]") << "\n";
    }
    lines << list.size()
          << " scenarios; [--nodes]: needs more seats than a roster holds, runs with --nodes N "
             "only\n";
    output.say(doc, lines.str());
    return exit_code::done;
}

int command_scale_run(const ScaleOptions& options, const Output& output) {
    const auto catalogue = Catalogue::load(options.scenarios);
    if (!catalogue) return output.fail(catalogue.error(), exit_code::usage);
    const auto list = chosen(*catalogue, options);
    if (!list) return output.fail(list.error(), exit_code::usage);
    if (options.real)  // All that can be known before the first process starts.
        for (const ScaleScenario* scenario : *list)
            if (auto good = scenario_to_run(*scenario, bench_options(options, *scenario)); !good)
                return output.fail(good.error(), exit_code::usage);
    const std::string dir = options.out.empty() && options.all ? "scale-results" : options.out;
    if (options.resume && dir.empty())
        return output.fail(
            {ErrorCode::invalid, "--resume needs the folder to go on with: --out DIR"},
            exit_code::usage
        );
    std::optional<ResultFolder> folder;
    if (!dir.empty()) {
        auto opened = ResultFolder::open(dir);
        if (!opened) return output.fail(opened.error(), exit_code::usage);
        folder = std::move(*opened);
    }
    const StopSignals signals;
    BenchProgressLine progress{list->size(), options.real ? "s" : "virtual s"};
    std::ostream& out = output.json ? std::cerr : std::cout;
    std::vector<JsonDoc> docs;
    BenchCount count;
    for (const ScaleScenario* scenario : *list) {
        if (is_stopped != 0) break;
        BenchOptions bench = bench_options(options, *scenario);
        bench.tell = [&](const BenchProgress& at) {
            progress.tell(at);
            return is_stopped == 0;
        };
        progress.begin();
        if (options.resume) {
            if (const JsonDoc* known = folder->find(scenario->name, bench)) {
                count.add((*known)["status"].get<std::string>());
                docs.push_back(*known);
                out << scenario->name << ": " << docs.back()["status"].get<std::string>()
                    << ", kept from before" << std::endl;
                continue;
            }
        }
        if (options.real) say_left_out(*scenario, bench, out);
        const auto result = run_scenario(*scenario, bench);
        progress.end();
        if (!result) return output.fail(result.error(), exit_code::usage);
        docs.push_back(to_json(*result));
        count.add(docs.back()["status"].get<std::string>());
        out << lines_of(*result, docs.back()) << std::flush;
        if (!folder) continue;
        if (auto kept = folder->add(docs.back()); !kept)
            return failed_to_keep(kept.error(), docs.back(), output);
    }
    const bool is_single = docs.size() == 1 && list->size() == 1;
    const JsonDoc doc = is_single ? docs.front() : bench_document(docs);
    if (!options.html.empty())
        if (auto written = write_report_page(doc, options.html); !written)
            return failed_to_keep(written.error(), doc, output);
    if (folder) {
        const auto page = folder->write_page();
        if (!page) return failed_to_keep(page.error(), doc, output);
        std::cerr << "report: " << *page << std::endl;
    }
    std::string last = list->size() > 1 ? count.line() : "";
    if (count.all() < list->size())
        last += ", " + std::to_string(list->size() - count.all()) + " not begun: stopped";
    output.say(doc, last);
    if (output.json && !last.empty()) std::cerr << last << std::endl;
    if (is_stopped != 0) return exit_code::partial;
    return code_of(is_single ? docs.front()["status"].get<std::string>() : count.status());
}

int command_scale_report(const std::string& dir, const std::string& html, const Output& output) {
    const auto folder = ResultFolder::read(dir);
    if (!folder) return output.fail(folder.error(), exit_code::usage);
    if (folder->count().all() == 0)
        return output.fail(
            {ErrorCode::not_found, dir + " has no results; `creto scale run --out` makes them"},
            exit_code::usage
        );
    std::string file = html;
    if (html.empty()) {
        auto page = folder->write_page();
        if (!page) return output.fail(page.error(), exit_code::failed);
        file = *page;
    } else if (auto written = write_report_page(folder->document(), html); !written) {
        return output.fail(written.error(), exit_code::failed);
    }
    const BenchCount count = folder->count();
    output.say(
        {{"ok", true},
         {"status", count.status()},
         {"passed", count.passed},
         {"failed", count.failed},
         {"partial", count.partial},
         {"page", file}},
        "report: " + file + "\n" + count.line()
    );
    return code_of(count.status());
}

void add_scale(Program& p) {
    static ScaleOptions options;
    static std::string dir;
    CLI::App* scale =
        p.app.add_subcommand("scale", "The scale bench: 79 scenarios, simulated or on processes");
    scale->require_subcommand(1);
    scale->callback([] { use_large_pages(); });
    CLI::App* sub = command(
        p, *scale, "list", "The scenarios, and which can run", "scale list --category chaos"
    );
    sub->add_option("--category", options.category, "infrastructure, load, stress, soak, chaos, …");
    sub->add_option("--scenarios", options.scenarios, "A folder of files in place of the built-in");
    sub->callback([&p] { p.chosen = [&p] { return command_scale_list(options, p.output); }; });

    sub = command(
        p,
        *scale,
        "run",
        "Run scenarios and hold them against their criteria",
        "scale run 1000_nodes_network_partition --nodes 31 --smoke\n"
        "         creto scale run handles_node_failures --real --smoke\n"
        "         creto scale run --category infrastructure --smoke --out results\n"
        "         creto scale run --all --smoke --nodes 31 --out results --resume"
    );
    sub->add_option("NAME", options.names, "Names, with or without test_");
    sub->add_option("--category", options.category, "All of one category");
    sub->add_flag("--all", options.all, "All of them");
    sub->add_flag("--smoke", options.smoke, "Only time is shortened: seconds in place of hours");
    sub->add_flag("--real", options.real, "On up to 50 processes of this machine, in real time");
    sub->add_option("--nodes", options.nodes, "Another node count, 4 to 2048; never PASSED then");
    sub->add_option("--seed", options.seed, "The same seed gives the same run");
    sub->add_flag("--resume", options.resume, "Leave out what the folder has already");
    sub->add_option("--out", options.out, "A folder: JSON for each, and report.html");
    sub->add_option("--html", options.html, "Write the report as one page into this file");
    sub->add_option("--scenarios", options.scenarios, "A folder of files in place of the built-in");
    sub->callback([&p, sub] {
        p.chosen = [&p, sub] {
            if (sub->count("--nodes") > 0 && options.nodes == 0)
                return p.output.fail(
                    {ErrorCode::invalid,
                     "--nodes is between 4 and " + std::to_string(limits::seats_max) + ", not 0"},
                    exit_code::usage
                );
            return command_scale_run(options, p.output);
        };
    });

    sub = command(p, *scale, "report", "One page of a folder's results", "scale report results");
    sub->add_option("DIR", dir, "What --out was")->required();
    sub->add_option("--html", options.html, "The file (default DIR/report.html)");
    sub->callback([&p] {
        p.chosen = [&p] { return command_scale_report(dir, options.html, p.output); };
    });
}

}  // namespace creto
