// The real side: a cluster of processes, and clients that keep their connections.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "calibrate/figures.hpp"
#include "runtime/address.hpp"
#include "scale/scenario_support.hpp"

namespace creto::calibrate {

namespace http = boost::beast::http;
using scenario::Clock;
using scenario::need;
using scenario::seconds_since;
using scenario::Stop;

namespace {

class Connection {
public:
    explicit Connection(const std::string& address) : stream_{io_} {
        stream_.connect(need(parse_address(address)));
        stream_.socket().set_option(boost::asio::ip::tcp::no_delay{true});
    }
    void submit(const std::string& body) {
        http::request<http::string_body> request{http::verb::post, "/v1/submit", 11};
        request.set(http::field::host, "127.0.0.1");
        request.set(http::field::content_type, "application/json");
        request.body() = body;
        request.prepare_payload();
        http::write(stream_, request);
        http::response<http::string_body> response;
        http::read(stream_, buffer_, response);
        if (response.result() != http::status::ok) throw Stop{"submit: " + response.body()};
    }

private:
    boost::asio::io_context io_;
    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
};

std::unique_ptr<RealCluster> start(std::uint32_t nodes, const std::filesystem::path& dir) {
    RealClusterOptions options{
        .network = "calibrate",
        .program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "creto",
        .dir = dir / ("cluster" + std::to_string(nodes)),
        .profile = {}};
    for (std::uint32_t i = 0; i < nodes; ++i)
        options.nodes.push_back({.name = "node" + std::to_string(i)});
    auto made = need(RealCluster::make(std::move(options)));
    need(made->start_all());
    const bool whole = RealCluster::wait_until(
        [&] {
            for (std::size_t i = 0; i < made->size(); ++i) {
                const auto status = scenario::status(*made, i);
                if (!scenario::ok(status) || status["reachable"] != nodes) return false;
            }
            return true;
        },
        std::chrono::seconds{60}
    );
    if (!whole) throw Stop{"the nodes did not find each other within 60 s"};
    return made;
}

/// `threads` clients, each with a connection to one node; `body(thread, connection)` until it ends.
template <class Body>
void with_clients(RealCluster& cluster, std::size_t threads, Body body) {
    std::vector<std::thread> all;
    std::mutex mutex;
    std::string failed;
    for (std::size_t t = 0; t < threads; ++t) {
        all.emplace_back([&, t] {
            try {
                Connection connection{cluster.admin_address(t % cluster.size())};
                body(t, connection);
            } catch (const std::exception& error) {
                const std::lock_guard lock{mutex};
                failed = error.what();
            }
        });
    }
    for (std::thread& thread : all)
        thread.join();
    if (!failed.empty()) throw Stop{failed};
}

/// Latencies in milliseconds, from the instants at which the writes were meant to be sent.
std::vector<double> open_loop(RealCluster& cluster, const Loads& loads, const std::string& body) {
    const auto total = static_cast<std::size_t>(loads.rate * loads.seconds);
    const std::size_t threads = std::max<std::size_t>(16, cluster.size());
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::vector<double> out;
    const auto begin = Clock::now() + std::chrono::milliseconds{500};
    with_clients(cluster, threads, [&](std::size_t /*thread*/, Connection& connection) {
        for (std::size_t i = next++; i < total; i = next++) {
            const auto intended =
                begin + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(static_cast<double>(i) / loads.rate)
                        );
            std::this_thread::sleep_until(intended);
            connection.submit(body);
            const double ms = seconds_since(intended) * 1'000;
            const std::lock_guard lock{mutex};
            out.push_back(ms);
        }
    });
    std::sort(out.begin(), out.end());
    return out;
}

double closed_loop(RealCluster& cluster, const Loads& loads, const std::string& body) {
    constexpr double warm_s = 1;
    std::atomic<std::uint64_t> counted{0};
    const auto begin = Clock::now();
    with_clients(cluster, loads.window, [&](std::size_t /*thread*/, Connection& connection) {
        while (seconds_since(begin) < warm_s + loads.saturated_seconds) {
            connection.submit(body);
            const double at = seconds_since(begin);
            if (at >= warm_s && at < warm_s + loads.saturated_seconds) ++counted;
        }
    });
    return static_cast<double>(counted) / loads.saturated_seconds;
}

}  // namespace

Figures measure_real(std::uint32_t nodes, const Loads& loads, const std::filesystem::path& dir) {
    const auto cluster = start(nodes, dir);
    const std::string body = scenario::Json{{"payload", std::string(loads.payload, 'c')}}.dump();
    Loads warm = loads;
    warm.seconds = 1;
    (void)open_loop(*cluster, warm, body);
    const std::vector<double> ms = open_loop(*cluster, loads, body);
    Figures out;
    out.p50_ms = ms.at(ms.size() / 2);
    out.p99_ms = ms.at(ms.size() * 99 / 100);
    out.saturation = closed_loop(*cluster, loads, body);
    return out;
}

double measure_sync_us(const std::filesystem::path& dir) {
    const std::filesystem::path file = dir / "sync.probe";
    const int fd = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) throw Stop{"cannot write " + file.string()};
    const std::array<char, 4096> page{};
    std::vector<double> us;
    for (std::size_t i = 0; i < 300; ++i) {
        const auto begin = Clock::now();
        const bool good = ::write(fd, page.data(), page.size()) == 4096 && ::fdatasync(fd) == 0;
        us.push_back(seconds_since(begin) * 1e6);
        if (!good) throw Stop{"cannot sync " + file.string()};
    }
    ::close(fd);
    std::filesystem::remove(file);
    std::sort(us.begin(), us.end());
    return us[us.size() / 2];
}

}  // namespace creto::calibrate
