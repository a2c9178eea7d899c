#include "cli/cluster.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <future>
#include <sstream>
#include <thread>

#include "cli/node_commands.hpp"
#include "scale/client.hpp"
#include "scale/cluster_supervisor.hpp"

namespace creto {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto supervisor_patience = seconds{20};
constexpr auto look_patience = seconds{2};

JsonDoc request(const std::string& what) {
    JsonDoc out = JsonDoc::object();
    out["do"] = what;
    return out;
}

std::string at_dir(const ClusterPlan& plan) {
    return " --dir " + plan.dir.string();
}

/// A supervisor that died took its nodes along; what else it left goes now.
std::string recovered(const ClusterPlan& plan, pid_t pid) {
    const std::size_t ended = recover_cluster(plan);
    std::string text = "the supervisor of " + plan.dir.string() + " (process " +
                       std::to_string(pid) + ") was killed, and its nodes with it";
    if (ended > 0) text += " (" + std::to_string(ended) + " still ran and were ended now)";
    return text + "; the nodes' data is kept";
}

/// The plan of a cluster that is up. unavailable: it is not, and what to do.
Result<ClusterPlan> running_cluster(const std::filesystem::path& dir) {
    auto plan = read_cluster(dir);
    if (!plan) {
        if (plan.error().code == ErrorCode::not_found) plan.error().code = ErrorCode::unavailable;
        return plan;
    }
    const SupervisorState state = supervisor_state(*plan);
    if (state.state == ClusterState::up) return plan;
    const std::string next = "go on from it with `creto cluster up" + at_dir(*plan) +
                             "`, remove it with `creto cluster down" + at_dir(*plan) + "`";
    if (state.state == ClusterState::left) {
        return fail(ErrorCode::unavailable, recovered(*plan, state.pid) + ": " + next);
    }
    return fail(
        ErrorCode::unavailable,
        "the cluster in " + plan->dir.string() + " is down, its data is kept: " + next
    );
}

/// Adds what the nodes say about themselves to what the supervisor says about their processes.
JsonDoc look(const ClusterPlan& plan, JsonDoc said) {
    std::vector<std::future<JsonDoc>> answers;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const bool is_alive = said["nodes"][i]["alive"].get<bool>();
        answers.push_back(std::async(std::launch::async, [&plan, i, is_alive] {
            if (!is_alive) return JsonDoc{};
            const Client client{plan.nodes[i].admin};
            auto reply = client.command("status", JsonDoc::object(), look_patience);
            return reply ? *reply : JsonDoc{};
        }));
    }
    JsonDoc out{
        {"ok", true},
        {"dir", plan.dir.string()},
        {"supervisor", said["supervisor"]},
        {"mode", plan.mode == QuorumMode::crash ? "crash" : "byzantine"},
        {"quorum", Quorum::of(plan.mode, static_cast<std::uint32_t>(plan.nodes.size())).q},
        {"cut_into", said["groups"]},
        {"nodes", JsonDoc::array()}};
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const JsonDoc answer = answers[i].get();
        const bool answers_us = answer.is_object();
        JsonDoc node = said["nodes"][i];
        node["name"] = plan.nodes[i].name;
        node["dir"] = plan.folder(i).string();
        node["address"] = plan.nodes[i].open;
        node["listen"] = plan.nodes[i].listen;
        node["admin"] = plan.nodes[i].admin;
        node["agent"] = plan.nodes[i].agent;
        node["answers"] = answers_us;
        node["height"] = answers_us ? answer["finalized"] : JsonDoc(nullptr);
        node["reachable"] = answers_us ? answer["reachable"] : JsonDoc(nullptr);
        node["partitioned"] = answers_us ? answer["partitioned"] : JsonDoc(nullptr);
        node["halted"] = answers_us ? answer["halted"] : JsonDoc(nullptr);
        out["nodes"].push_back(std::move(node));
    }
    return out;
}

std::string state_word(const JsonDoc& node) {
    if (!node["alive"].get<bool>()) {
        if (!node.contains("exit")) return "not running";
        const int code = node["exit"].get<int>();
        if (code == 128 + SIGKILL) return "killed";
        return code > 128 ? "ended by signal " + std::to_string(code - 128)
                          : "ended with " + std::to_string(code);
    }
    if (!node["answers"].get<bool>()) return "silent";
    if (!node["halted"].is_null()) return "halted";
    return node["partitioned"].get<bool>() ? "partitioned" : "running";
}

std::string lines_of(const ClusterPlan& plan, const JsonDoc& doc) {
    std::vector<std::vector<std::string>> rows{
        {"NODE", "PID", "STATE", "HEIGHT", "REACHES", "ADDRESS", "ADMIN"}};
    const auto cell = [](const JsonDoc& value) { return value.is_null() ? "-" : value.dump(); };
    for (const JsonDoc& node : doc["nodes"]) {
        rows.push_back(
            {cell(node["index"]),
             cell(node["pid"]),
             state_word(node),
             cell(node["height"]),
             node["reachable"].is_null()
                 ? "-"
                 : cell(node["reachable"]) + " of " + std::to_string(plan.nodes.size()),
             node["address"].get<std::string>(),
             node["admin"].get<std::string>()}
        );
    }
    std::string links = "links: whole";
    if (!doc["cut_into"].empty()) {
        links = "links: cut into";
        for (const JsonDoc& group : doc["cut_into"]) {
            links += group == doc["cut_into"].front() ? " " : " | ";
            for (std::size_t i = 0; i < group.size(); ++i)
                links += (i > 0 ? "," : "") + group[i].dump();
        }
    }
    return doc["dir"].get<std::string>() + ": " + std::to_string(plan.nodes.size()) + " nodes, " +
           doc["quorum"].dump() + " decide (" + doc["mode"].get<std::string>() + "), supervisor " +
           doc["supervisor"].dump() + "\n" + links + "\n" + table(rows);
}

int say_status(const ClusterPlan& plan, const JsonDoc& said, const Output& output) {
    const JsonDoc doc = look(plan, said);
    output.say(doc, lines_of(plan, doc));
    return exit_code::done;
}

int fail_with(const Output& output, const Error& error) {
    return output.fail(
        error, error.code == ErrorCode::invalid ? exit_code::usage : exit_code_of(error)
    );
}

/// Asks the supervisor for each of these in turn and shows how the cluster stands after it.
int carry_out(
    const std::filesystem::path& dir, const std::vector<JsonDoc>& requests, const Output& output
) {
    auto plan = running_cluster(dir);
    if (!plan) return fail_with(output, plan.error());
    JsonDoc said;
    for (const JsonDoc& one : requests) {
        auto answer = ask_supervisor(*plan, one, supervisor_patience);
        if (!answer) return fail_with(output, answer.error());
        said = std::move(*answer);
    }
    return say_status(*plan, said, output);
}

/// The last thing that a node said before it ended.
std::string last_words(const std::filesystem::path& folder) {
    const auto text = read_file(folder / "stderr", 16U << 20U);
    if (!text) return "";
    std::istringstream lines{*text};
    std::string last;
    for (std::string line; std::getline(lines, line);)
        if (!line.empty()) last = line;
    return last;
}

/// Waits until the nodes of `doc` all reach each other. Says why not.
Result<JsonDoc> await_whole(const ClusterPlan& plan, milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    const bool is_terminal = ::isatty(STDERR_FILENO) != 0;
    std::size_t shown = 0;
    while (true) {
        auto said = ask_supervisor(plan, request("status"), supervisor_patience);
        if (!said) return tl::unexpected<Error>(said.error());
        JsonDoc doc = look(plan, *said);
        std::size_t whole = 0;
        for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
            const JsonDoc& node = doc["nodes"][i];
            if (!node["alive"].get<bool>()) {
                return fail(
                    ErrorCode::unavailable,
                    "node " + std::to_string(i) +
                        " ended at its start: " + last_words(plan.folder(i))
                );
            }
            whole += node["reachable"] == plan.nodes.size() ? 1 : 0;
        }
        if (whole == plan.nodes.size()) return doc;
        if (is_terminal && whole != shown) {
            std::cerr << "\r" << whole << " of " << plan.nodes.size()
                      << " nodes reach all others\n";
            shown = whole;
        }
        if (std::chrono::steady_clock::now() >= until) {
            return fail(
                ErrorCode::timeout,
                "only " + std::to_string(whole) + " of " + std::to_string(plan.nodes.size()) +
                    " nodes reach all others; see `creto cluster status" + at_dir(plan) + "`"
            );
        }
        std::this_thread::sleep_for(milliseconds{50});
    }
}

/// The plan in the folder when there is one that fits the wish, else a new one.
Result<ClusterPlan> plan_for(const ClusterUpOptions& options) {
    auto plan = read_cluster(options.dir);
    if (!plan && plan.error().code == ErrorCode::not_found) {
        if (options.port > 65'535) return fail(ErrorCode::invalid, "--port is at most 65535");
        return make_cluster(
            {.dir = options.dir,
             .nodes = options.nodes == 0 ? 7 : options.nodes,
             .mode = options.quorum == "crash" ? QuorumMode::crash : QuorumMode::byzantine,
             .port = static_cast<std::uint16_t>(options.port),
             .epoch_blocks = options.epoch_blocks,
             .dead_after_reports = options.dead_after_reports,
             .operators = options.operators}
        );
    }
    if (!plan) return plan;
    const SupervisorState state = supervisor_state(*plan);
    if (state.state == ClusterState::up) {
        return fail(
            ErrorCode::conflict,
            "the cluster in " + plan->dir.string() + " is up (supervisor " +
                std::to_string(state.pid) + "); look at it with `creto cluster status" +
                at_dir(*plan) + "`, end it with `creto cluster down" + at_dir(*plan) + "`"
        );
    }
    if (state.state == ClusterState::left) {
        std::cerr << "creto: " << recovered(*plan, state.pid) << "\n";
    }
    const QuorumMode mode = options.quorum == "crash" ? QuorumMode::crash : QuorumMode::byzantine;
    const bool fits = (options.nodes == 0 || options.nodes == plan->nodes.size()) &&
                      (options.quorum.empty() || mode == plan->mode) && options.port == 0;
    if (!fits) {
        return fail(
            ErrorCode::conflict,
            plan->dir.string() + " holds a cluster of " + std::to_string(plan->nodes.size()) +
                (plan->mode == QuorumMode::crash ? " (crash)" : " (byzantine)") +
                "; `creto cluster up" + at_dir(*plan) + "` goes on with it, `creto cluster down" +
                at_dir(*plan) + "` removes it"
        );
    }
    if (auto free = check_ports(*plan); !free) return tl::unexpected<Error>(free.error());
    return plan;
}

}  // namespace

int command_cluster_up(const ClusterUpOptions& options, const Output& output) {
    auto plan = plan_for(options);
    if (!plan) return fail_with(output, plan.error());
    auto started = start_supervisor(*plan, std::filesystem::read_symlink("/proc/self/exe"));
    if (!started) return output.fail(started.error(), exit_code::failed);
    auto doc = await_whole(*plan, milliseconds{options.timeout_ms});
    if (!doc) {
        const bool is_slow = doc.error().code == ErrorCode::timeout;
        // A node that does not start is no cluster; one that is slow may still become it.
        if (!is_slow) {
            static_cast<void>(ask_supervisor(*plan, request("down"), supervisor_patience));
        }
        return output.fail(doc.error(), exit_code::failed);
    }
    output.say(
        *doc,
        lines_of(*plan, *doc) + "next: creto status --node " + plan->folder(0).string() +
            "\n      creto cluster down" + at_dir(*plan)
    );
    return exit_code::done;
}

int command_cluster_status(const std::filesystem::path& dir, const Output& output) {
    return carry_out(dir, std::vector<JsonDoc>{request("status")}, output);
}

int command_cluster_node(
    const std::filesystem::path& dir,
    const std::string& what,
    const std::vector<std::uint64_t>& nodes,
    const Output& output
) {
    std::vector<JsonDoc> requests;
    for (const std::uint64_t node : nodes) {
        requests.push_back(request(what));
        requests.back()["node"] = node;
    }
    return carry_out(dir, requests, output);
}

int command_cluster_links(
    const std::filesystem::path& dir, const std::vector<std::string>& groups, const Output& output
) {
    if (groups.empty()) return carry_out(dir, std::vector<JsonDoc>{request("heal")}, output);
    JsonDoc parsed = JsonDoc::array();
    for (const std::string& group : groups) {
        JsonDoc members = JsonDoc::array();
        std::stringstream in{group};
        for (std::string item; std::getline(in, item, ',');) {
            std::uint32_t index = 0;
            const auto read = std::from_chars(item.data(), item.data() + item.size(), index);
            if (read.ec != std::errc{} || read.ptr != item.data() + item.size()) {
                return output.fail(
                    {ErrorCode::invalid,
                     "\"" + group + "\" is no group; write node numbers with commas: 0,1,2"},
                    exit_code::usage
                );
            }
            members.push_back(index);
        }
        parsed.push_back(std::move(members));
    }
    JsonDoc cut = request("partition");
    cut["groups"] = std::move(parsed);
    return carry_out(dir, std::vector<JsonDoc>{std::move(cut)}, output);
}

int command_cluster_down(const std::filesystem::path& dir, bool keep, const Output& output) {
    auto plan = read_cluster(dir);
    if (!plan) return fail_with(output, plan.error());
    const SupervisorState state = supervisor_state(*plan);
    std::string lines;
    if (state.state == ClusterState::left) lines = recovered(*plan, state.pid) + "\n";
    if (state.state == ClusterState::up) {
        auto answer = ask_supervisor(*plan, request("down"), supervisor_patience);
        if (!answer && state.pid > 0) {
            // It hangs. The kernel ends its nodes when it dies.
            ::kill(state.pid, SIGKILL);
        }
        const auto until = std::chrono::steady_clock::now() + supervisor_patience;
        while (supervisor_state(*plan).state == ClusterState::up) {
            if (std::chrono::steady_clock::now() >= until) {
                return output.fail(
                    {ErrorCode::timeout,
                     "the supervisor (process " + std::to_string(state.pid) + ") does not end"},
                    exit_code::failed
                );
            }
            std::this_thread::sleep_for(milliseconds{10});
        }
        if (supervisor_state(*plan).state == ClusterState::left) recover_cluster(*plan);
    }
    const std::string folder = plan->dir.string();
    if (keep) {
        lines += "the cluster is down; " + folder + " keeps its keys and data";
    } else {
        remove_cluster(*plan);
        lines += "the cluster is down, and " + folder + " is removed";
        if (std::filesystem::exists(plan->dir)) {
            lines = "the cluster is down; files in " + folder + " that are not its own were left";
        }
    }
    output.say({{"ok", true}, {"dir", folder}, {"kept", keep}}, lines);
    return exit_code::done;
}

int command_cluster_supervise(const std::filesystem::path& dir, const Output& output) {
    auto plan = read_cluster(dir);
    if (!plan) return fail_with(output, plan.error());
    auto ended = supervise(*plan, std::filesystem::read_symlink("/proc/self/exe"), [] {
        std::cout << "ready" << std::endl;
        // Whoever waits for the end of our output shall not wait for ours.
        const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null >= 0) ::dup2(null, STDOUT_FILENO);
    });
    if (!ended) return output.fail(ended.error(), exit_code::failed);
    return exit_code::done;
}

}  // namespace creto
