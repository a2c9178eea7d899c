// creto_bench_load: what clusters of real processes do under load, measured by clients outside them.
//
// Why      The layers' benchmarks show parts; a user sees the whole: network, disk, scheduler included.
// Holds    Every figure is taken `runs` times on one running cluster; all runs are printed, as JSON.
//          A run that loses or mistakes an answer ends the program. What the machine did besides
//          (cores taken by processes that are not ours) stands beside each figure.
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <mutex>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "codec/writer.hpp"
#include "runtime/address.hpp"
#include "scale/scenario_support.hpp"
#include "tools/builtins.hpp"
#include "tools/registry.hpp"

namespace creto {

namespace http = boost::beast::http;
using scenario::Clock;
using Doc = scenario::Json;
using scenario::need;
using scenario::seconds_since;
using scenario::Stop;

namespace {

struct Settings {
    std::filesystem::path program;
    std::filesystem::path dir;
    std::size_t runs = 5;
    bool smoke = false;
    std::string only;
    std::size_t nodes = 0;  ///< 0: four and seven.

    /// A smoke run does a twentieth: it shows that all of it works.
    [[nodiscard]] std::size_t times(std::size_t full) const {
        return smoke ? std::max<std::size_t>(full / 20, 8) : full;
    }
};

// --- what the machine did besides ---

/// Seconds of CPU that all processes used, over all cores.
double machine_cpu_s() {
    std::ifstream in{"/proc/stat"};
    std::string word;
    double user = 0;
    double nice = 0;
    double system = 0;
    in >> word >> user >> nice >> system;
    return (user + nice + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double process_cpu_s(std::uint32_t pid) {
    std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
    std::string text;
    std::getline(in, text);
    std::istringstream rest{text.substr(std::min(text.size(), text.rfind(')') + 1))};
    std::string skipped;
    double user = 0;
    double system = 0;
    for (int i = 0; i < 11; ++i)
        rest >> skipped;
    rest >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

class Noise {
public:
    explicit Noise(std::vector<std::uint32_t> pids) : pids_{std::move(pids)} {
        nodes_ = cpu_of_nodes();
        others_ = others();
    }
    /// Cores that processes other than ours used since the start.
    [[nodiscard]] double cores() const { return (others() - others_) / seconds_since(start_); }
    /// Seconds of CPU that the nodes used since the start.
    [[nodiscard]] double nodes_cpu_s() const { return cpu_of_nodes() - nodes_; }

private:
    [[nodiscard]] double cpu_of_nodes() const {
        double sum = 0;
        for (const std::uint32_t pid : pids_)
            sum += process_cpu_s(pid);
        return sum;
    }
    [[nodiscard]] double others() const {
        const auto self = static_cast<std::uint32_t>(::getpid());
        return machine_cpu_s() - cpu_of_nodes() - process_cpu_s(self);
    }
    std::vector<std::uint32_t> pids_;
    Clock::time_point start_ = Clock::now();
    double nodes_ = 0;
    double others_ = 0;
};

// --- figures ---

class Figures {
public:
    void add(const std::string& name, const char* unit, double value, double others) {
        Doc& entry = all_[name];
        entry["unit"] = unit;
        entry["values"].push_back(value);
        entry["others"].push_back(others);
        std::cerr << "  " << name << ": " << scenario::number(value, " ", 3) << unit << "  (others "
                  << scenario::number(others, " cores") << ")\n";
    }
    void add_latency(const std::string& name, const std::vector<double>& us, double others) {
        add(name + "_p50", "us", percentile(us, 50), others);
        add(name + "_p95", "us", percentile(us, 95), others);
    }
    [[nodiscard]] const Doc& json() const { return all_; }

private:
    Doc all_ = Doc::object();
};

std::unique_ptr<RealCluster> start(const Settings& settings, std::size_t nodes) {
    auto made = need(RealCluster::make(
        {.network = "bench",
         .mode = QuorumMode::byzantine,
         .nodes = scenario::agents(nodes),
         .program = settings.program,
         .dir = settings.dir / ("cluster" + std::to_string(nodes)),
         .calls_per_s = 10'000'000,
         .calls_burst = 10'000'000,
         .profile = local_profile(),
         .direct = true}
    ));
    need(made->start_all());
    scenario::await_mesh(*made, scenario::all_of(*made));
    return made;
}

// --- a client of the admin port that keeps its connection ---

class Connection {
public:
    explicit Connection(const std::string& address) : stream_{io_} {
        stream_.connect(need(parse_address(address)));
        stream_.socket().set_option(boost::asio::ip::tcp::no_delay{true});
    }
    void post(
        const std::string& path, const std::string& body, const char* type = "application/json"
    ) {
        http::request<http::string_body> request{http::verb::post, path, 11};
        request.set(http::field::host, "127.0.0.1");
        request.set(http::field::content_type, type);
        request.body() = body;
        request.prepare_payload();
        http::write(stream_, request);
        http::response<http::string_body> response;
        http::read(stream_, buffer_, response);
        if (response.result() != http::status::ok) throw Stop{path + ": " + response.body()};
    }

private:
    boost::asio::io_context io_;
    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
};

// --- calls ---

/// Two threads that are there already, as a server's are, and share 100 calls when told to.
class LocalCallers {
public:
    explicit LocalCallers(const RegistrySnapshot& tools) : tools_{tools} {
        for (int t = 0; t < 2; ++t)
            threads_.emplace_back([this] { run(); });
    }
    ~LocalCallers() {
        {
            const std::lock_guard lock{mutex_};
            round_ = -1;
        }
        wake_.notify_all();
        for (std::thread& thread : threads_)
            thread.join();
    }
    LocalCallers(const LocalCallers&) = delete;
    LocalCallers& operator=(const LocalCallers&) = delete;

    /// The time from the word to the last of 100 results, in microseconds.
    double hundred_us() {
        const auto begin = Clock::now();
        {
            const std::lock_guard lock{mutex_};
            ++round_;
            working_ = threads_.size();
        }
        wake_.notify_all();
        std::unique_lock lock{mutex_};
        done_.wait(lock, [this] { return working_ == 0; });
        const double us = seconds_since(begin) * 1e6;
        if (wrong_ > 0) throw Stop{"a local call went wrong"};
        return us;
    }

private:
    void run() {
        int seen = 0;
        while (true) {
            {
                std::unique_lock lock{mutex_};
                wake_.wait(lock, [&] { return round_ != seen; });
                if (round_ < 0) return;
                seen = round_;
            }
            std::size_t wrong = 0;
            for (int i = 0; i < 50; ++i) {
                const auto result = call_local(tools_, "add", R"({"a":1,"b":2})", {});
                if (!result || *result != "3") ++wrong;
            }
            const std::lock_guard lock{mutex_};
            wrong_ += wrong;
            if (--working_ == 0) done_.notify_one();
        }
    }

    const RegistrySnapshot& tools_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    int round_ = 0;
    std::size_t working_ = 0;
    std::size_t wrong_ = 0;
    std::vector<std::thread> threads_;
};

AgentClient::Load checked_load(
    AgentClient& client, const CallTool& call, std::size_t total, std::size_t window
) {
    auto load = client.load(call, "3", total, window);
    if (load.results != total || load.wrong > 0) throw Stop{"remote calls were lost or wrong"};
    return load;
}

std::uint64_t served(RealCluster& nodes, std::size_t i) {
    return scenario::status(nodes, i)["counters"]["calls_served"].get<std::uint64_t>();
}

void measure_calls(const Settings& settings, Figures& out, const std::string& suffix) {
    const Registry registry = builtin_registry();
    const auto tools = registry.snapshot();
    LocalCallers callers{*tools};
    (void)callers.hundred_us();
    auto nodes = start(settings, 4);
    auto client =
        need(AgentClient::connect(nodes->genesis(), "caller", {nodes->direct_address(1)}));
    const CallTool call{.tool = "add", .arguments = R"({"a":1,"b":2})", .agent = nodes->agent(1)};
    (void)checked_load(*client, call, settings.times(2'000), 64);
    for (std::size_t run = 0; run < settings.runs; ++run) {
        const std::uint64_t before = served(*nodes, 1);
        const Noise noise{nodes->pids()};
        const double local = callers.hundred_us();
        const auto hundred = checked_load(*client, call, 100, 100);
        const auto one = checked_load(*client, call, settings.times(3'000), 1);
        const auto many = checked_load(*client, call, settings.times(60'000), 64);
        const double others = noise.cores();
        // The node itself counted every call: none was answered on this side of the network.
        const std::uint64_t all = hundred.results + one.results + many.results;
        if (served(*nodes, 1) - before < all) throw Stop{"calls did not reach their node"};
        out.add("local_100" + suffix, "us", local, others);
        out.add("remote_100" + suffix, "us", hundred.seconds * 1e6, others);
        out.add_latency("remote_c1" + suffix, one.latencies_us, others);
        out.add(
            "remote_c64" + suffix,
            "calls/s",
            static_cast<double>(many.results) / many.seconds,
            others
        );
        out.add_latency("remote_c64" + suffix, many.latencies_us, others);
    }
}

/// The same with clients and nodes on one core, as the peers' pinned table does.
void measure_calls_pinned(const Settings& settings, Figures& out) {
    cpu_set_t before;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    ::sched_getaffinity(0, sizeof before, &before);
    ::sched_setaffinity(0, sizeof one, &one);
    measure_calls(settings, out, "_pinned");
    ::sched_setaffinity(0, sizeof before, &before);
}

/// Latencies in microseconds of verified calls, each of which must reach its quorum.
std::vector<double> verified_calls(AgentClient& client, std::size_t total, std::size_t window) {
    const CallVerified call{.tool = "add", .arguments = R"({"a":1,"b":2})", .record = false};
    auto load = client.load(call, "3", total, window);
    if (load.results != total || load.wrong > 0)
        throw Stop{"a verified call failed: " + load.error};
    return load.latencies_us;
}

void measure_verified(const Settings& settings, Figures& out) {
    auto nodes = start(settings, 7);
    std::vector<std::string> addresses;
    for (std::size_t i = 0; i < nodes->size(); ++i)
        addresses.push_back(nodes->direct_address(i));
    auto client = need(AgentClient::connect(nodes->genesis(), "caller", addresses));
    const CallTool call{.tool = "add", .arguments = R"({"a":1,"b":2})", .agent = nodes->agent(1)};
    (void)verified_calls(*client, settings.times(200), 1);
    for (std::size_t run = 0; run < settings.runs; ++run) {
        for (const std::size_t window : {1U, 8U}) {
            const Noise noise{nodes->pids()};
            const auto remote = checked_load(*client, call, settings.times(1'500), window);
            const auto verified = verified_calls(*client, settings.times(800), window);
            const double others = noise.cores();
            const std::string c = "_c" + std::to_string(window);
            out.add_latency("seven_remote" + c, remote.latencies_us, others);
            out.add_latency("verified" + c, verified, others);
            out.add(
                "verified_ratio" + c,
                "x",
                percentile(verified, 95) / percentile(remote.latencies_us, 95),
                others
            );
        }
    }
}

// --- final writes ---

/// What one sync of the same disk takes meanwhile: an append of 4 KiB and fdatasync.
std::vector<double> syncs_us(const std::filesystem::path& dir, std::size_t total) {
    const std::filesystem::path file = dir / "sync.probe";
    const int fd = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) throw Stop{"cannot write " + file.string()};
    const std::array<char, 4096> page{};
    std::vector<double> us;
    for (std::size_t i = 0; i < total; ++i) {
        const auto begin = Clock::now();
        const bool good = ::write(fd, page.data(), page.size()) == 4096 && ::fdatasync(fd) == 0;
        us.push_back(seconds_since(begin) * 1e6);
        if (!good) {
            us.clear();
            break;
        }
    }
    ::close(fd);
    std::filesystem::remove(file);
    if (us.empty()) throw Stop{"cannot sync " + file.string()};
    return us;
}

/// One write at a time, at each node in turn.
void measure_writes(const Settings& settings, Figures& out, std::size_t n) {
    auto nodes = start(settings, n);
    std::vector<std::unique_ptr<Connection>> connections;
    for (std::size_t i = 0; i < n; ++i)
        connections.push_back(std::make_unique<Connection>(nodes->admin_address(i)));
    std::size_t next = 0;
    const auto write = [&] {
        const Doc body{
            {"key", "final/k" + std::to_string(next % 1'000)}, {"value", std::string(64, 'v')}};
        const auto begin = Clock::now();
        connections[next++ % n]->post("/v1/write", body.dump());
        return seconds_since(begin) * 1e6;
    };
    for (std::size_t i = 0; i < 2 * n; ++i)
        (void)write();
    for (std::size_t run = 0; run < settings.runs; ++run) {
        const Noise noise{nodes->pids()};
        std::vector<double> us;
        for (std::size_t i = 0; i < settings.times(200); ++i)
            us.push_back(write());
        const double others = noise.cores();
        out.add_latency("write_n" + std::to_string(n), us, others);
        const auto syncs = syncs_us(settings.dir, settings.times(200));
        out.add_latency("sync_n" + std::to_string(n), syncs, others);
    }
}

// --- a node at rest ---

double process_memory_mb(std::uint32_t pid) {
    std::ifstream in{"/proc/" + std::to_string(pid) + "/statm"};
    double total = 0;
    double resident = 0;
    in >> total >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) * 1e-6;
}

/// Four nodes that nobody asks for anything: what one of them takes.
void measure_rest(const Settings& settings, Figures& out) {
    auto nodes = start(settings, 4);
    std::this_thread::sleep_for(std::chrono::seconds{settings.smoke ? 0 : 5});
    for (std::size_t run = 0; run < std::min<std::size_t>(settings.runs, 3); ++run) {
        const Noise noise{nodes->pids()};
        const auto begin = Clock::now();
        std::this_thread::sleep_for(std::chrono::seconds{settings.smoke ? 1 : 10});
        const double cores = noise.nodes_cpu_s() / seconds_since(begin);
        const double others = noise.cores();
        double memory = 0;
        for (const std::uint32_t pid : nodes->pids())
            memory = std::max(memory, process_memory_mb(pid));
        out.add("rest_cpu", "%", cores * 100 / static_cast<double>(nodes->size()), others);
        out.add("rest_memory", "MB", memory, others);
    }
}

// --- final operations in batches ---

struct BatchLoad {
    std::size_t batch = 500;         ///< Operations under one acknowledgement.
    std::size_t streams_a_node = 4;  ///< Connections to each node, one batch under way on each.
    std::size_t payload = 256;
};

/// Keeps every stream busy; counts what became final after the first second.
void measure_batches(const Settings& settings, Figures& out, std::size_t n, const BatchLoad& load) {
    auto nodes = start(settings, n);
    Writer payloads;
    for (std::size_t i = 0; i < load.batch; ++i)
        payloads.bytes(Bytes(load.payload, static_cast<std::uint8_t>(i)));
    const std::string body{as_text(payloads.view())};

    std::atomic<bool> counting{false};
    std::atomic<bool> ended{false};
    std::mutex mutex;
    std::vector<double> us;
    std::string failed;
    std::vector<std::thread> streams;
    for (std::size_t s = 0; s < n * load.streams_a_node; ++s) {
        streams.emplace_back([&, address = nodes->admin_address(s % n)] {
            try {
                Connection connection{address};
                while (!ended) {
                    const auto begin = Clock::now();
                    connection.post("/v1/submit-batch", body, "application/octet-stream");
                    const double took = seconds_since(begin) * 1e6;
                    const std::lock_guard lock{mutex};
                    if (counting) us.push_back(took);
                }
            } catch (const std::exception& e) {
                const std::lock_guard lock{mutex};
                failed = e.what();
            }
        });
    }
    std::this_thread::sleep_for(std::chrono::seconds{1});
    counting = true;
    for (std::size_t run = 0; run < settings.runs; ++run) {
        const Noise noise{nodes->pids()};
        const auto begin = Clock::now();
        std::this_thread::sleep_for(std::chrono::seconds{settings.smoke ? 1 : 4});
        std::vector<double> done;
        {
            const std::lock_guard lock{mutex};
            done.swap(us);
        }
        const std::string name = "batches_n" + std::to_string(n);
        const double others = noise.cores();
        const auto operations = static_cast<double>(done.size() * load.batch);
        out.add(name, "operations/s", operations / seconds_since(begin), others);
        const double cpu_us = noise.nodes_cpu_s() * 1e6 / static_cast<double>(n);
        out.add(name + "_cpu", "us", cpu_us / std::max(operations, 1.0), others);
        out.add_latency(name, done, others);
    }
    ended = true;
    for (std::thread& stream : streams)
        stream.join();
    if (!failed.empty()) throw Stop{failed};
}

std::size_t number_from(const char* name, std::size_t fallback) {
    const char* given = std::getenv(name);
    return given != nullptr ? std::stoul(given) : fallback;
}

int usage() {
    std::cerr
        << "usage: creto_bench_load PROGRAM DIR [--smoke] [--runs N] [--nodes 4|7] [--only "
           "calls|pinned|verified|rest|writes|batches]\n"
           "PROGRAM is the creto binary; DIR takes the nodes' folders (a real disk, not tmpfs).\n"
           "BATCH and STREAMS in the environment change the batches' shape.\n";
    return 2;
}

int load_main(int argc, char** argv) {
    Settings settings;
    if (argc < 3) return usage();
    settings.program = argv[1];
    settings.dir = argv[2];
    for (int i = 3; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--smoke") {
            settings.smoke = true;
            settings.runs = 1;
        } else if (word == "--runs" && i + 1 < argc) {
            settings.runs = std::stoul(argv[++i]);
        } else if (word == "--nodes" && i + 1 < argc) {
            settings.nodes = std::stoul(argv[++i]);
        } else if (word == "--only" && i + 1 < argc) {
            settings.only = argv[++i];
        } else {
            return usage();
        }
    }
    const auto wanted = [&](const char* part) {
        return settings.only.empty() || settings.only == part;
    };
    const BatchLoad batches{
        .batch = number_from("BATCH", 500), .streams_a_node = number_from("STREAMS", 4)};
    Figures out;
    if (wanted("calls")) measure_calls(settings, out, "");
    if (wanted("pinned") && !settings.smoke) measure_calls_pinned(settings, out);
    if (wanted("verified")) measure_verified(settings, out);
    if (wanted("rest")) measure_rest(settings, out);
    for (const std::size_t n : {4U, 7U}) {
        if (settings.nodes != 0 && settings.nodes != n) continue;
        if (wanted("writes")) measure_writes(settings, out, n);
        if (wanted("batches")) measure_batches(settings, out, n, batches);
    }
    std::cout << out.json().dump(1) << "\n";
    return 0;
}

}  // namespace

}  // namespace creto

int main(int argc, char** argv) {
    try {
        return creto::load_main(argc, argv);
    } catch (const std::exception& e) {
        std::cerr << "creto_bench_load: " << e.what() << "\n";
        return 1;
    }
}
