#include "cli/doctor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "cli/program.hpp"
#include "runtime/address.hpp"
#include "scale/nearest.hpp"

namespace creto {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr rlim_t files_needed = 4'096;
constexpr std::uint64_t mebibyte = 1024ULL * 1024;
constexpr std::uint64_t space_warning = 1'024 * mebibyte;
constexpr std::uint64_t space_problem = 128 * mebibyte;
constexpr auto sync_warning = milliseconds{20};
constexpr auto sync_problem = milliseconds{250};
constexpr auto lag_patience = seconds{6};

class Report {
public:
    void good(const char* area, std::string what) { add("ok", area, std::move(what), ""); }
    void note(const char* area, std::string what) { add("note", area, std::move(what), ""); }
    void warn(const char* area, std::string what, std::string remedy) {
        add("warning", area, std::move(what), std::move(remedy));
    }
    void wrong(const char* area, std::string what, std::string remedy) {
        add("problem", area, std::move(what), std::move(remedy));
        ++problems_;
    }
    [[nodiscard]] std::size_t problems() const { return problems_; }
    int say(const Output& output) const {
        std::string lines;
        for (const JsonDoc& finding : findings_) {
            const std::string severity = finding["severity"];
            lines += severity + std::string(9 - severity.size(), ' ') +
                     finding["area"].get<std::string>() + ": " +
                     finding["what"].get<std::string>() + "\n";
            const std::string remedy = finding["remedy"];
            if (!remedy.empty()) lines += "         do: " + remedy + "\n";
        }
        lines += problems_ == 0
                     ? "nothing is wrong"
                     : std::to_string(problems_) + " problem" + (problems_ == 1 ? "" : "s");
        output.say({{"ok", problems_ == 0}, {"findings", findings_}}, lines);
        return problems_ == 0 ? exit_code::done : exit_code::failed;
    }

private:
    void add(const char* severity, const char* area, std::string what, std::string remedy) {
        findings_.push_back(
            {{"severity", severity},
             {"area", area},
             {"what", std::move(what)},
             {"remedy", std::move(remedy)}}
        );
    }
    JsonDoc findings_ = JsonDoc::array();
    std::size_t problems_ = 0;
};

void check_machine(Report& report) {
    report.good("version", version_text);
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        const std::string most =
            limit.rlim_max == RLIM_INFINITY ? "any number of" : std::to_string(limit.rlim_max);
        if (limit.rlim_max < files_needed) {
            report.warn(
                "files",
                "a process may open " + most + " files; each peer takes one",
                "raise the hard limit to " + std::to_string(files_needed) +
                    " or more: LimitNOFILE of the service, or /etc/security/limits.conf"
            );
        } else {
            report.good("files", "a process may open " + most + " files");
        }
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto years = std::chrono::duration_cast<std::chrono::hours>(now).count() / 8'766;
    timex state{};
    if (years < 55 || years > 130) {
        report.wrong(
            "clock",
            "the system's clock says the year " + std::to_string(1970 + years),
            "set the clock; times are shown and signed, they decide nothing"
        );
    } else if (::ntp_adjtime(&state) == TIME_ERROR) {
        report.warn(
            "clock",
            "nothing keeps the system's clock right",
            "run a time service (chrony, systemd-timesyncd); deadlines of signed calls rest on it"
        );
    } else {
        report.good("clock", "kept right by a time service");
    }
}

void check_variables(Report& report) {
    std::vector<std::string> known = setting_variables();
    const std::vector<std::string> of_commands{"CRETO_NODE", "CRETO_CLUSTER"};
    for (const auto& [name, value] : creto_environment()) {
        if (std::find(of_commands.begin(), of_commands.end(), name) != of_commands.end()) continue;
        if (std::find(known.begin(), known.end(), name) != known.end()) {
            report.note("settings", name + " is set and wins over creto.toml");
            continue;
        }
        const auto meant = nearest(name, known, 4);
        report.warn(
            "settings",
            name + " is set, but is no setting" + (meant ? "; is it " + *meant + "?" : ""),
            "unset " + name
        );
    }
}

void check_space(Report& report, const std::filesystem::path& data) {
    struct statvfs space {};
    if (::statvfs(data.c_str(), &space) != 0) return;
    const std::uint64_t free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
    const std::string what = std::to_string(free / mebibyte) + " MiB are free for " + data.string();
    const std::string remedy = "free some, or move node.data to a larger disk";
    if (free < space_problem) {
        report.wrong("disk", what + ": a full disk stops the node", remedy);
    } else if (free < space_warning) {
        report.warn("disk", what, remedy);
    } else {
        report.good("disk", what);
    }
}

/// The median time of a few small synced writes; none when it cannot write.
std::optional<std::chrono::microseconds> sync_time(const std::filesystem::path& data) {
    const std::filesystem::path file = data / ("doctor-" + std::to_string(::getpid()));
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return std::nullopt;
    const std::string block(4'096, 'x');
    std::vector<std::chrono::microseconds> times;
    for (int i = 0; i < 9; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        if (::write(fd, block.data(), block.size()) < 0 || ::fdatasync(fd) != 0) break;
        times.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
            std::chrono::steady_clock::now() - begin
        ));
    }
    ::close(fd);
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    if (times.size() < 9) return std::nullopt;
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

void check_data(Report& report, const Config& config) {
    std::filesystem::path data = config.dir / config.data;
    if (!std::filesystem::exists(data)) {
        report.note("data", data.string() + " is not there yet; `creto run` makes it");
        data = config.dir;
    }
    check_space(report, data);
    const auto time = sync_time(data);
    if (!time) {
        report.wrong(
            "disk",
            data.string() + " cannot be written by this user",
            "give it to the user who runs the node: chown -R USER " + config.dir.string()
        );
        return;
    }
    const std::string what = "a synced write takes " + std::to_string(time->count() / 1'000) + "." +
                             std::to_string(time->count() / 100 % 10) + " ms";
    const std::string remedy = "every vote and write waits for one; use a local SSD";
    if (*time > sync_problem) {
        report.wrong("disk", what, remedy);
    } else if (*time > sync_warning) {
        report.warn("disk", what, remedy);
    } else {
        report.good("disk", what);
    }
}

/// Who this agent is; none when key or genesis do not say.
std::optional<AgentId> check_identity(Report& report, const Config& config) {
    const auto key = read_key(config.dir / config.key);
    if (!key) {
        report.wrong(
            "key", key.error().message, "see the message; a lost key cannot be made again"
        );
        return std::nullopt;
    }
    const AgentId agent = ed25519_public_key(*key);
    report.good("key", "agent " + agent_text(agent));
    const auto genesis = read_genesis(config.dir / config.genesis);
    if (!genesis) {
        report.wrong(
            "genesis", genesis.error().message, "get genesis.json from whoever started the network"
        );
        return agent;
    }
    const Roster roster{*genesis};
    const Member* member = roster.find(agent);
    report.good(
        "genesis",
        "network " + genesis->network + ", " + std::to_string(roster.size()) + " validators" +
            (member == nullptr ? "; this agent has no seat"
                               : "; this agent has seat " + std::to_string(member->seat.value()))
    );
    return agent;
}

void check_port(Report& report, const char* setting, const std::string& address) {
    const auto endpoint = parse_address(address);
    if (!endpoint) {
        report.wrong("ports", endpoint.error().message, std::string{"correct "} + setting);
        return;
    }
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor acceptor{io};
    boost::system::error_code error;
    acceptor.open(endpoint->protocol(), error);
    if (!error) acceptor.set_option(boost::asio::ip::tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor.bind(*endpoint, error);
    if (!error) acceptor.listen(1, error);
    if (!error) {
        report.good("ports", address + " is free");
        return;
    }
    report.wrong(
        "ports",
        address + " cannot be used: " + error.message(),
        std::string{"end what listens there, or choose another address as "} + setting
    );
}

/// Whom the node cannot reach, and whether that leaves a quorum.
void check_peers(Report& report, const Client& node, const JsonDoc& status) {
    std::string lost;
    if (const auto peers = node.command("peers", JsonDoc::object(), seconds{5})) {
        for (const JsonDoc& peer : (*peers)["peers"]) {
            if (peer["seat"].is_null() || peer["reachable"].get<bool>()) continue;
            lost += (lost.empty() ? "" : ", ") + peer["name"].get<std::string>();
            for (const JsonDoc& address : peer["addresses"])
                lost += " " + address.get<std::string>();
        }
    }
    const std::string what = status["reachable"].dump() + " of " + status["validators"].dump() +
                             " validators are reachable, " + status["quorum"].dump() + " decide";
    const std::string remedy =
        "see that these run and that nothing blocks the way to them: " +
        (lost.empty() ? "those that were never seen; check network.bootstrap" : lost);
    if (!status["has_quorum"].get<bool>()) {
        report.wrong("peers", what + ": nothing becomes final", remedy);
    } else if (status["reachable"] != status["validators"]) {
        report.warn("peers", what, remedy);
    } else {
        report.good("peers", what);
    }
    if (status["partitioned"].get<bool>()) {
        report.warn(
            "partition",
            "the node sees a partition; causal operations go on, and converge when it heals",
            "look at the network between the sites"
        );
    }
}

/// With work to do, heights must rise.
void check_lag(Report& report, const Client& node, const JsonDoc& status) {
    const auto waiting = [](const JsonDoc& s) {
        return s["pending_operations"].get<std::uint64_t>() +
               s["causal_backlog"].get<std::uint64_t>();
    };
    const std::uint64_t backlog = waiting(status);
    JsonDoc later = status;
    const auto until = std::chrono::steady_clock::now() + lag_patience;
    while (waiting(later) > 0 && later["finalized"] == status["finalized"] &&
           std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(milliseconds{100});
        auto again = node.command("status", JsonDoc::object(), seconds{5});
        if (!again) break;
        later = std::move(*again);
    }
    if (waiting(later) > 0 && later["finalized"] == status["finalized"]) {
        report.warn(
            "lag",
            std::to_string(backlog) + " operations and vertices wait, and height " +
                status["finalized"].dump() + " stayed for " + std::to_string(lag_patience.count()) +
                " s",
            "see the peers above; with a quorum, look at the node's log"
        );
    } else {
        report.good("lag", "height " + later["finalized"].dump() + ", nothing is held up");
    }
}

void check_running(Report& report, const Client& node, const JsonDoc& status) {
    if (!status["halted"].is_null()) {
        report.wrong(
            "node",
            "it no longer votes: " + status["halted"].get<std::string>(),
            "stop it and run `creto fsck` on its folder"
        );
    }
    check_peers(report, node, status);
    if (status["has_quorum"].get<bool>()) check_lag(report, node, status);
}

}  // namespace

int command_doctor(const std::filesystem::path& dir, const Output& output) {
    Report report;
    check_machine(report);
    check_variables(report);
    if (!std::filesystem::is_directory(dir) || !std::filesystem::exists(dir / "creto.toml")) {
        report.wrong(
            "folder",
            dir.string() + " is no node's folder: it has no creto.toml",
            "name one (creto doctor DIR), or make one: creto init " + dir.string()
        );
        return report.say(output);
    }
    const auto config = load_config(dir, creto_environment());
    if (!config) {
        report.wrong(
            "settings", config.error().message, "correct it; `creto config show` lists all"
        );
        return report.say(output);
    }
    report.good("settings", (dir / "creto.toml").string());
    const std::optional<AgentId> agent = check_identity(report, *config);
    check_data(report, *config);
    const Client node{config->admin_listen, config->admin_token};
    const auto status = node.command("status", JsonDoc::object(), seconds{5});
    if (status && (!agent || (*status)["agent"] == agent_text(*agent))) {
        report.good("node", "it runs, and answers on " + config->admin_listen);
        check_running(report, node, *status);
    } else if (status) {
        report.wrong(
            "ports",
            "another node answers on " + config->admin_listen + ": " +
                (*status)["name"].get<std::string>(),
            "choose another admin.listen for one of them"
        );
    } else if (status.error().code == ErrorCode::denied || status.error().code == ErrorCode::timeout) {
        report.wrong(
            "node", status.error().message, "check admin.token, or stop and start the node"
        );
    } else {
        report.note("node", "it does not run; start it: creto run " + dir.string());
        check_port(report, "network.listen", config->listen);
        check_port(report, "admin.listen", config->admin_listen);
    }
    return report.say(output);
}

}  // namespace creto
