#include "cli/scale.hpp"

#include <deque>
#include <iomanip>
#include <optional>
#include <sstream>

#include "cli/scale_jobs.hpp"
#include "cli/scale_progress.hpp"
#include "cli/stop_signals.hpp"
#include "scale/bench/catalogue.hpp"
#include "scale/bench/folder.hpp"
#include "scale/bench/real_limits.hpp"
#include "scale/bench/run.hpp"
#include "scale/large_pages.hpp"
#include "scale/report/page.hpp"

namespace creto {
namespace {

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
    if (!options.category.empty()) {
        auto found = catalogue.in_category(options.category);
        if (!found) return tl::unexpected<Error>(found.error());
        out = std::move(*found);
    }
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

/// One run: a scenario, and the words that choose it.
struct Row {
    const ScaleScenario* scenario;
    std::string words;
};

std::string repro(const ScaleOptions& options, const Row& row) {
    std::string out = "creto scale run " + row.words;
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

BenchOptions bench_options(const ScaleOptions& options, const Row& row) {
    BenchOptions out;
    out.seed = options.seed;
    out.smoke = options.smoke;
    out.host = options.real ? BenchHost::processes : BenchHost::simulator;
    if (options.nodes > 0) out.nodes = options.nodes;
    out.repro = repro(options, row);
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

/// Which options do not go together.
Result<void> fits(const ScaleOptions& options) {
    if (options.jobs < 1 || options.jobs > 64)
        return fail(ErrorCode::invalid, "between 1 and 64 jobs");
    if (options.real && options.jobs > 1)
        return fail(
            ErrorCode::invalid,
            "--real takes one scenario at a time: its processes share this machine as it is"
        );
    return {};
}

/// Those with more nodes, by name: what was left out is said.
void leave_out(std::vector<const ScaleScenario*>& list, std::uint32_t up_to, std::ostream& out) {
    std::string names;
    std::size_t count = 0;
    std::erase_if(list, [&](const ScaleScenario* one) {
        const bool is_out = one->micro.empty() && one->nodes_max() > up_to;
        if (is_out) names += (count++ == 0 ? "" : ", ") + one->name;
        return is_out;
    });
    if (count > 0)
        out << "left out, with more than " << up_to << " nodes: " << count << " (" << names << ")"
            << std::endl;
}

/// How the votes of this run are signed.
VoteForm vote_form_of(const ScaleScenario& scenario, const ScaleOptions& options) {
    if (scenario.network.vote_form) return *scenario.network.vote_form;
    const auto run = scenario_to_run(scenario, bench_options(options, {&scenario, ""}));
    return usual_vote_form((run ? *run : scenario).nodes_max());
}

/// The same scenario with votes signed in another way, as a row of its own.
ScaleScenario with_votes(ScaleScenario scenario, VoteForm form, const std::string& word) {
    scenario.name += "." + word;
    scenario.network.vote_form = form;
    for (ScenarioVariant& variant : scenario.variants)
        variant.network.vote_form = form;
    return scenario;
}

/// With `--votes list` or `joined`, those that have it otherwise become rows of that; with `both` each row whose
/// votes are joined, which is a model, is followed by one with Ed25519 signatures. `made` holds those rows.
Result<std::vector<Row>> rows_of(
    const std::vector<const ScaleScenario*>& list,
    const ScaleOptions& options,
    std::deque<ScaleScenario>& made
) {
    const bool any = options.votes.empty();
    const bool both = options.votes == "both";
    if (!any && !both && options.votes != "list" && options.votes != "joined")
        return fail(
            ErrorCode::invalid, "--votes is list, joined or both, not \"" + options.votes + "\""
        );
    const VoteForm wanted = options.votes == "joined" ? VoteForm::joined : VoteForm::list;
    const std::string word = options.votes == "joined" ? "joined" : "list";
    std::vector<Row> out;
    for (const ScaleScenario* one : list) {
        const bool is_other = !any && one->micro.empty() && vote_form_of(*one, options) != wanted;
        if (both || !is_other) out.push_back({one, one->name});
        if (!is_other) continue;
        made.push_back(with_votes(*one, wanted, word));
        out.push_back({&made.back(), one->name + " --votes " + word});
    }
    return out;
}

/// One run of the bench: what was asked for, one after the other or side by side.
class Bench {
public:
    Bench(
        const ScaleOptions& options,
        const Output& output,
        const std::vector<Row>& list,
        std::optional<ResultFolder> folder,
        std::ostream& out
    )
        : options_{options},
          output_{output},
          list_{list},
          folder_{std::move(folder)},
          out_{out},
          progress_{list.size(), options.real ? "s" : "virtual s"} {}

    int run() {
        const Result<void> ran = options_.jobs > 1 ? run_apart() : run_here();
        if (!ran) return output_.fail(ran.error(), exit_code::usage);
        if (not_kept_) return failed_to_keep(*not_kept_, docs_.back(), output_);
        return finish();
    }

private:
    /// What the folder has already is not run again.
    bool is_known(const ScaleScenario& scenario, const BenchOptions& bench) {
        if (!options_.resume) return false;
        const JsonDoc* known = folder_->find(scenario.name, bench);
        if (known == nullptr) return false;
        count_.add((*known)["status"].get<std::string>());
        docs_.push_back(*known);
        out_ << scenario.name << ": " << docs_.back()["status"].get<std::string>()
             << ", kept from before" << std::endl;
        return true;
    }

    /// False: it could not be kept, and nothing more is run.
    bool keep(JsonDoc doc, const std::string& lines) {
        docs_.push_back(std::move(doc));
        count_.add(docs_.back()["status"].get<std::string>());
        out_ << lines << std::flush;
        if (!folder_) return true;
        const auto kept = folder_->add(docs_.back());
        if (!kept) not_kept_ = kept.error();
        return kept.has_value();
    }

    Result<void> run_here() {
        for (std::size_t index = 0; index < list_.size() && !stop_asked(); ++index) {
            const ScaleScenario& scenario = *list_[index].scenario;
            BenchOptions bench = bench_options(options_, list_[index]);
            bench.tell = [&](const BenchProgress& at) {
                progress_.tell(index, at);
                return !stop_asked();
            };
            if (is_known(scenario, bench)) continue;
            if (options_.real) say_left_out(scenario, bench, out_);
            progress_.begin(index);
            const auto result = run_scenario(scenario, bench);
            progress_.end(index);
            if (!result) return tl::unexpected<Error>(result.error());
            JsonDoc doc = to_json(*result);
            const std::string lines = lines_of(*result, doc);
            if (!keep(std::move(doc), lines)) break;
        }
        return {};
    }

    Result<void> run_apart() {
        std::vector<ScaleJob> jobs;
        for (std::size_t index = 0; index < list_.size(); ++index) {
            const ScaleScenario& scenario = *list_[index].scenario;
            BenchOptions bench = bench_options(options_, list_[index]);
            if (!is_known(scenario, bench)) jobs.push_back({index, &scenario, std::move(bench)});
        }
        ScaleJobHooks hooks;
        hooks.begin = [&](const ScaleJob& job) { progress_.begin(job.index); };
        hooks.tell = [&](const ScaleJob& job, const BenchProgress& at) {
            progress_.tell(job.index, at);
        };
        hooks.end = [&](const ScaleJob& job, ScaleJobEnd ended) {
            progress_.end(job.index);
            return keep(std::move(ended.doc), ended.lines);
        };
        hooks.is_stopped = stop_asked;
        hooks.lines_of = [](const ScenarioResult& result, const JsonDoc& doc) {
            return lines_of(result, doc);
        };
        return run_jobs(jobs, options_.jobs, hooks);
    }

    int finish() {
        const bool is_single = docs_.size() == 1 && list_.size() == 1;
        const JsonDoc doc = is_single ? docs_.front() : bench_document(docs_);
        if (!options_.html.empty())
            if (auto written = write_report_page(doc, options_.html); !written)
                return failed_to_keep(written.error(), doc, output_);
        if (folder_) {
            const auto page = folder_->write_page();
            if (!page) return failed_to_keep(page.error(), doc, output_);
            std::cerr << "report: " << *page << std::endl;
        }
        std::string last = list_.size() > 1 ? count_.line() : "";
        if (count_.all() < list_.size())
            last += ", " + std::to_string(list_.size() - count_.all()) + " not begun: stopped";
        output_.say(doc, last);
        if (output_.json && !last.empty()) std::cerr << last << std::endl;
        if (stop_asked()) return exit_code::partial;
        return code_of(is_single ? docs_.front()["status"].get<std::string>() : count_.status());
    }

    const ScaleOptions& options_;
    const Output& output_;
    const std::vector<Row>& list_;
    std::optional<ResultFolder> folder_;
    std::ostream& out_;
    ScaleProgress progress_;
    std::vector<JsonDoc> docs_;
    BenchCount count_;
    std::optional<Error> not_kept_;
};

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
    auto list = chosen(*catalogue, options);
    if (!list) return output.fail(list.error(), exit_code::usage);
    if (auto good = fits(options); !good) return output.fail(good.error(), exit_code::usage);
    std::ostream& out = output.json ? std::cerr : std::cout;
    if (options.up_to > 0) leave_out(*list, options.up_to, out);
    if (list->empty())
        return output.fail({ErrorCode::invalid, "none is left to run"}, exit_code::usage);
    std::deque<ScaleScenario> made;
    const auto rows = rows_of(*list, options, made);
    if (!rows) return output.fail(rows.error(), exit_code::usage);
    if (options.real)  // All that can be known before the first process starts.
        for (const Row& row : *rows)
            if (auto good = scenario_to_run(*row.scenario, bench_options(options, row)); !good)
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
    return Bench{options, output, *rows, std::move(folder), out}.run();
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
        "         creto scale run 1000_nodes_baseline_throughput --nodes 130 --smoke --votes both\n"
        "         creto scale run --all --smoke --up-to 50 --jobs 2\n"
        "         creto scale run --all --smoke --nodes 31 --out results --resume"
    );
    sub->add_option("NAME", options.names, "Names, with or without test_");
    sub->add_option("--category", options.category, "All of one category");
    sub->add_flag("--all", options.all, "All of them");
    sub->add_flag("--smoke", options.smoke, "Only time is shortened: seconds in place of hours");
    sub->add_flag("--real", options.real, "On up to 50 processes of this machine, in real time");
    sub->add_option("--up-to", options.up_to, "Leave out those with more nodes than this");
    sub->add_option("--jobs", options.jobs, "So many at a time, each in a process of its own");
    sub->add_option("--nodes", options.nodes, "Another node count, 4 to 2048; never PASSED then");
    sub->add_option("--seed", options.seed, "The same seed gives the same run");
    sub->add_option(
        "--votes", options.votes, "list (Ed25519), joined (a model above 128 nodes) or both"
    );
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
