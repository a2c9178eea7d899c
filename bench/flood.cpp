// creto_bench_flood: what a caller of a real node feels while another agent floods it.
//
// Why      The simulator says what the protocol's turns do; sockets, the kernel and one processor too few
//          are seen only on real processes.
// Holds    Paired runs on one running cluster: without the flood and with it, in turn. The flooder is a
//          process of its own in a control group of its own: an honest handshake, then calls as
//          fast as they are taken, and a new connection whenever it is thrown out. Nothing of it runs
//          without the flood. Prints one JSON document; medians of the ratios of the pairs.
// Use      creto_bench_flood [--program build/release/creto] [--pairs 5] [--quota 500] [--seconds 5]
//          [--requests 100000] [--share 1024] [--nodes 4]
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <iostream>
#include <mutex>

#include <boost/asio/steady_timer.hpp>

#include "scale/scenario_support.hpp"

namespace creto {

namespace asio = boost::asio;
using scenario::Clock;
using scenario::need;
using scenario::Stop;
using Doc = scenario::Json;

namespace {

struct Settings {
    std::filesystem::path program = "build/release/creto";
    std::size_t pairs = 5;
    std::uint64_t quota = 500;
    std::uint64_t seconds = 5;
    std::uint64_t requests = 100'000;
    std::uint64_t share =
        1'024;  ///< cpu.shares of the flooder's group; a process outside has 1,024.
    std::size_t nodes = 4;
};

// --- the flooder: this program again, told to be one ---

/// Floods until all requests were answered or refused by a closed link, or the time is over.
class Flooder {
public:
    Flooder(std::string address, const AgentId& peer, std::uint64_t requests)
        : address_{std::move(address)}, peer_{peer}, requests_{requests}, timer_{io_} {
        std::array<std::uint8_t, KeySeed::size> secret{};
        fill_random(secret);
        TransportOptions options;
        options.key = KeySeed{secret};
        Transport::Callbacks callbacks;
        callbacks.on_peer_up = [this](const AgentId&, const std::string&, const std::string&) {
            ++links_;
            asio::post(io_, [this] { flood(); });
        };
        callbacks.on_peer_down = [this](const AgentId&) { redial(); };
        callbacks.on_message = [this](const AgentId&, Channel channel, const SharedBytes& bytes) {
            if (channel == Channel::call) on_answer(*bytes);
            return true;
        };
        callbacks.on_log = [this](const std::string&) { redial(); };
        transport_.emplace(io_, options, clock_, std::move(callbacks));
    }
    void run(std::chrono::seconds span) {
        transport_->dial(address_, peer_);
        io_.run_for(span);
        transport_->close();
        std::cout << Doc{{"sent", sent_},
                         {"served", served_},
                         {"refused", refused_},
                         {"links", links_}}
                         .dump()
                  << std::endl;
    }

private:
    void redial() {
        timer_.expires_after(std::chrono::milliseconds{10});
        timer_.async_wait([this](const boost::system::error_code& error) {
            if (!error) transport_->dial(address_, peer_);
        });
    }
    /// All that is left, and more for what a closed link has swallowed.
    void flood() {
        const std::uint64_t open = requests_ - std::min(requests_, served_ + refused_);
        for (std::uint64_t i = 0; i < open; ++i) {
            const CallStart call{
                .id = ++sent_, .tool = "add", .arguments = R"({"a":1,"b":2})", .timeout_ms = 1'000};
            transport_->send(peer_, Channel::call, encode_message(call));
        }
        transport_->flush();
    }
    void on_answer(const Bytes& bytes) {
        const auto message = decode_message(bytes);
        if (!message) return;
        const auto* answer = std::get_if<CallAnswer>(&*message);
        if (answer == nullptr) return;
        ++(answer->status == CallAnswer::Status::result ? served_ : refused_);
    }

    std::string address_;
    AgentId peer_;
    std::uint64_t requests_;
    asio::io_context io_;
    asio::steady_timer timer_;
    SteadyClock clock_;
    std::optional<Transport> transport_;
    std::uint64_t sent_ = 0;
    std::uint64_t served_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t links_ = 0;
};

/// A control group for processor time, gone when it is empty again.
class ControlGroup {
public:
    explicit ControlGroup(std::uint64_t share)
        : path_{"/sys/fs/cgroup/cpu/creto_flood_" + std::to_string(::getpid())} {
        std::error_code error;
        is_there_ = std::filesystem::create_directory(path_, error) && write("cpu.shares", share);
    }
    ~ControlGroup() {
        if (is_there_) ::rmdir(path_.c_str());
    }
    ControlGroup(const ControlGroup&) = delete;
    ControlGroup& operator=(const ControlGroup&) = delete;
    [[nodiscard]] bool is_there() const { return is_there_; }
    [[nodiscard]] bool take_in(pid_t pid) const {
        return is_there_ && write("cgroup.procs", static_cast<std::uint64_t>(pid));
    }

private:
    [[nodiscard]] bool write(const char* file, std::uint64_t value) const {
        std::ofstream out{path_ / file};
        out << value << std::flush;
        return out.good();
    }
    std::filesystem::path path_;
    bool is_there_ = false;
};

// --- what is measured ---

struct Measured {
    std::vector<double> calls_us;
    std::vector<double> writes_us;
    std::uint64_t failed = 0;
};

/// Calls of the flooded node and final writes, each at its instant whether or not others are done.
class OpenLoop {
public:
    OpenLoop(AgentClient& client, const AgentId& target) : client_{client}, target_{target} {}

    Measured run(std::chrono::seconds span) {
        constexpr auto call_every = std::chrono::microseconds{2'500};
        constexpr int write_every = 20;
        const auto begin = Clock::now();
        std::uint64_t sent = 0;
        for (int i = 0; Clock::now() < begin + span; ++i) {
            std::this_thread::sleep_until(begin + i * call_every);
            send(
                CallTool{.tool = "add", .arguments = R"({"a":20,"b":22})", .agent = target_}, true
            );
            ++sent;
            if (i % write_every != 0) continue;
            KeyOperation operation;
            operation.action = KeyOperation::Action::add;
            operation.key = "final/flood";
            operation.amount = 1;
            send(Submit{operation, Reading::final, Duration::from_s(10)}, false);
            ++sent;
        }
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, std::chrono::seconds{15}, [&] { return answered_ == sent; }))
            throw Stop{"some requests were never answered"};
        answered_ = 0;
        return std::exchange(measured_, {});
    }

private:
    void send(CommandBody body, bool is_call) {
        const auto at = Clock::now();
        client_.send(std::move(body), [this, at, is_call](const ReplyBody& reply) {
            const double us = std::chrono::duration<double, std::micro>(Clock::now() - at).count();
            const std::lock_guard lock{mutex_};
            if (const auto* error = std::get_if<Error>(&reply)) {
                ++measured_.failed;
                std::cerr << "failed: " << error->message << "\n";
            } else {
                (is_call ? measured_.calls_us : measured_.writes_us).push_back(us);
            }
            ++answered_;
            changed_.notify_all();
        });
    }

    AgentClient& client_;
    AgentId target_;
    std::mutex mutex_;
    std::condition_variable changed_;
    Measured measured_;
    std::uint64_t answered_ = 0;
};

Doc summary(const Measured& measured) {
    return {
        {"calls", measured.calls_us.size()},
        {"call_p50_us", percentile(measured.calls_us, 50)},
        {"call_p99_us", percentile(measured.calls_us, 99)},
        {"writes", measured.writes_us.size()},
        {"write_p50_us", percentile(measured.writes_us, 50)},
        {"write_p99_us", percentile(measured.writes_us, 99)},
        {"failed", measured.failed}};
}

Doc flooded_run(
    const Settings& settings, const RealCluster& cluster, OpenLoop& loop, const ControlGroup& group
) {
    const std::filesystem::path said = cluster.folder(0).parent_path() / "flooder.json";
    auto flooder = need(Process::start(
        {std::filesystem::read_symlink("/proc/self/exe").string(),
         "--as-flooder",
         cluster.direct_address(0),
         agent_text(cluster.agent(0)),
         std::to_string(settings.requests),
         std::to_string(settings.seconds)},
        said,
        said.string() + ".err"
    ));
    const bool apart = group.take_in(flooder.pid());
    Doc run = summary(loop.run(std::chrono::seconds{settings.seconds}));
    if (!flooder.wait(std::chrono::seconds{10})) throw Stop{"the flooder does not end"};
    run["flooder"] = Doc::parse(need(read_file(said, 4'096)));
    run["in_its_own_control_group"] = apart;
    return run;
}

double load_of_machine() {
    double load = 0;
    std::ifstream{"/proc/loadavg"} >> load;
    return load;
}

void run(const Settings& settings) {
    const auto dir =
        std::filesystem::temp_directory_path() / ("creto_flood_" + std::to_string(::getpid()));
    auto cluster = need(RealCluster::make(
        {.network = "flood",
         .mode = QuorumMode::byzantine,
         .nodes = scenario::agents(settings.nodes),
         .program = settings.program,
         .dir = dir,
         .calls_per_s = settings.quota,
         .calls_burst = std::max<std::uint64_t>(1, settings.quota),
         .profile = local_profile(),
         .direct = true}
    ));
    need(cluster->start_all());
    scenario::await_mesh(*cluster, scenario::all_of(*cluster));
    std::vector<std::string> addresses;
    for (std::size_t i = 0; i < cluster->size(); ++i)
        addresses.push_back(cluster->direct_address(i));
    auto client = need(AgentClient::connect(cluster->genesis(), "caller", addresses));
    OpenLoop loop{*client, cluster->agent(0)};
    const ControlGroup group{settings.share};
    (void)loop.run(std::chrono::seconds{2});
    Doc pairs = Doc::array();
    std::map<std::string, std::vector<double>> ratios;
    for (std::size_t i = 0; i < settings.pairs; ++i) {
        // The flooder's key is new in each run; what the last one owes does not count for it.
        const auto quiet = [&] {
            return summary(loop.run(std::chrono::seconds{settings.seconds}));
        };
        const double load = load_of_machine();
        Doc pair;
        if (i % 2 == 0) pair["quiet"] = quiet();
        pair["flooded"] = flooded_run(settings, *cluster, loop, group);
        if (i % 2 != 0) pair["quiet"] = quiet();
        pair["machine_load"] = load;
        for (const char* key : {"call_p50_us", "call_p99_us", "write_p50_us", "write_p99_us"})
            ratios[key].push_back(
                pair["flooded"][key].get<double>() / pair["quiet"][key].get<double>()
            );
        std::cerr << pair.dump() << std::endl;
        pairs.push_back(std::move(pair));
    }
    Doc medians = Doc::object();
    for (const auto& [key, values] : ratios)
        medians[key] = percentile(values, 50);
    const Doc status = cluster->ask(0, "status");
    Doc out{
        {"requests", settings.requests},
        {"quota", settings.quota},
        {"nodes", settings.nodes},
        {"seconds", settings.seconds},
        {"flooders_share", settings.share},
        {"median_ratios", medians},
        {"ok", medians["call_p50_us"] <= 1.15 && medians["call_p99_us"] <= 1.5},
        {"counters", status["counters"]},
        {"pairs", std::move(pairs)}};
    std::cout << out.dump(2) << std::endl;
    client.reset();
    cluster.reset();
    std::filesystem::remove_all(dir);
}

int main_of(const std::vector<std::string>& words) {
    if (words.size() == 5 && words[0] == "--as-flooder") {
        Flooder{words[1], need(parse_agent(words[2])), std::stoull(words[3])}.run(
            std::chrono::seconds{std::stoul(words[4])}
        );
        return 0;
    }
    Settings settings;
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
        const std::string& name = words[i];
        const std::string& value = words[i + 1];
        if (name == "--program") {
            settings.program = value;
        } else if (name == "--pairs") {
            settings.pairs = std::stoul(value);
        } else if (name == "--quota") {
            settings.quota = std::stoull(value);
        } else if (name == "--seconds") {
            settings.seconds = std::stoull(value);
        } else if (name == "--requests") {
            settings.requests = std::stoull(value);
        } else if (name == "--share") {
            settings.share = std::stoull(value);
        } else if (name == "--nodes") {
            settings.nodes = std::stoul(value);
        } else {
            std::cerr << "unknown: " << name << "\n";
            return 2;
        }
    }
    run(settings);
    return 0;
}

}  // namespace

}  // namespace creto

int main(int argc, char** argv) {
    try {
        return creto::main_of({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
