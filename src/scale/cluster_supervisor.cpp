#include "scale/cluster_supervisor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include "scale/process.hpp"

namespace creto {

namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;
using Doc = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t request_bytes_max = 64ULL * 1024;
constexpr auto client_patience = seconds{5};
constexpr auto node_patience = seconds{5};

/// A descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int fd) : fd_{fd} {}
    ~Descriptor() { reset(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    void reset() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

private:
    int fd_;
};

/// The socket's path may be longer than a socket address can hold; through the folder's descriptor it
/// is short.
class SocketPath {
public:
    explicit SocketPath(const std::filesystem::path& dir)
        : dir_{::open(dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)} {}
    [[nodiscard]] std::string get() const {
        return "/proc/self/fd/" + std::to_string(dir_.get()) + "/control";
    }

private:
    Descriptor dir_;
};

Doc refusal(const Error& error) {
    return {
        {"ok", false}, {"error", {{"code", to_string(error.code)}, {"message", error.message}}}};
}

class Supervisor {
public:
    Supervisor(const ClusterPlan& plan, std::filesystem::path program)
        : plan_{plan},
          program_{std::move(program)},
          nodes_(plan.nodes.size()),
          acceptor_{io_},
          signals_{io_, SIGTERM, SIGINT, SIGHUP},
          children_{io_, SIGCHLD} {}

    Result<void> open() {
        auto shim = LinkShim::start(plan_.links());
        if (!shim) return tl::unexpected<Error>(shim.error());
        shim_ = std::move(*shim);
        if (auto listening = listen(); !listening) return listening;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (auto started = start(i); !started) return started;
        }
        signals_.async_wait([this](const boost::system::error_code& error, int /*n*/) {
            if (!error) io_.stop();
        });
        watch_children();
        accept();
        return {};
    }
    void run() { io_.run(); }
    /// SIGTERM to all; who is still there after a while is killed.
    void end_nodes() {
        for (Node& node : nodes_)
            node.process.signal(SIGTERM);
        const auto until = Clock::now() + node_patience;
        for (Node& node : nodes_) {
            const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
            if (node.process.running()) {
                node.process.terminate(std::max(left, milliseconds{0}));
            }
        }
    }

private:
    struct Node {
        Process process;
        std::optional<int> exit;  ///< How it ended, when it does not run.
    };
    struct Session {
        explicit Session(Local::socket s) : socket{std::move(s)}, timer{socket.get_executor()} {}
        Local::socket socket;
        asio::steady_timer timer;
        asio::streambuf input{request_bytes_max};
        std::string output;
    };

    Result<void> listen() {
        const SocketPath path{plan_.dir};
        std::filesystem::remove(plan_.dir / "control");
        boost::system::error_code error;
        acceptor_.open(Local{}, error);
        const mode_t before = ::umask(0177);
        if (!error) acceptor_.bind(Local::endpoint{path.get()}, error);
        ::umask(before);
        if (!error) acceptor_.listen(16, error);
        if (error) {
            return fail(ErrorCode::io, (plan_.dir / "control").string() + ": " + error.message());
        }
        return {};
    }

    Result<void> start(std::size_t i) {
        const std::filesystem::path folder = plan_.folder(i);
        auto process = Process::start(
            {program_.string(), "run", folder.string(), "--json"},
            folder / "stdout",
            folder / "stderr"
        );
        if (!process) return tl::unexpected<Error>(process.error());
        nodes_[i].process = std::move(*process);
        nodes_[i].exit.reset();
        return write_file(plan_.pid_file(i), std::to_string(nodes_[i].process.pid()) + "\n");
    }

    bool alive(std::size_t i) {
        Node& node = nodes_[i];
        if (node.process.pid() <= 0) return false;
        if (node.process.running()) return true;
        node.exit = node.process.wait(milliseconds{0});
        return false;
    }

    void watch_children() {
        children_.async_wait([this](const boost::system::error_code& error, int /*n*/) {
            if (error) return;
            for (std::size_t i = 0; i < nodes_.size(); ++i)
                static_cast<void>(alive(i));
            watch_children();
        });
    }

    void accept() {
        acceptor_.async_accept(
            [this](const boost::system::error_code& error, Local::socket socket) {
                if (error == asio::error::operation_aborted) return;
                if (!error) serve(std::make_shared<Session>(std::move(socket)));
                accept();
            }
        );
    }

    void serve(const std::shared_ptr<Session>& session) {
        session->timer.expires_after(client_patience);
        session->timer.async_wait([session](const boost::system::error_code& error) {
            boost::system::error_code ignored;
            if (!error) session->socket.close(ignored);
        });
        asio::async_read_until(
            session->socket,
            session->input,
            '\n',
            [this, session](const boost::system::error_code& error, std::size_t size) {
                session->timer.cancel();
                if (error) return;
                const auto data = session->input.data();
                const std::string line{
                    asio::buffers_begin(data),
                    asio::buffers_begin(data) + static_cast<std::ptrdiff_t>(size)};
                const Doc request = Doc::parse(line, nullptr, false);
                const Doc answer = answer_to(request);
                const bool last = request.is_object() && request.value("do", "") == "down";
                session->output = answer.dump() + "\n";
                session->timer.expires_after(client_patience);
                session->timer.async_wait([session](const boost::system::error_code& stopped) {
                    boost::system::error_code ignored;
                    if (!stopped) session->socket.close(ignored);
                });
                asio::async_write(
                    session->socket,
                    asio::buffer(session->output),
                    [this, session, last](const boost::system::error_code&, std::size_t) {
                        session->timer.cancel();
                        if (last) io_.stop();
                    }
                );
            }
        );
    }

    Doc answer_to(const Doc& request) {
        try {
            auto done = carry_out(request);
            if (done) return *done;
            return refusal(done.error());
        } catch (const nlohmann::json::exception& error) {
            return refusal({ErrorCode::invalid, std::string{"the request: "} + error.what()});
        }
    }

    Result<Doc> carry_out(const Doc& request) {
        const std::string what = request.at("do").get<std::string>();
        if (what == "status") return status();
        if (what == "down") {
            end_nodes();
            return status();
        }
        if (what == "heal") {
            shim_->heal();
            groups_.clear();
            return status();
        }
        if (what == "partition") return partition(request.at("groups"));
        if (what == "kill" || what == "start") {
            const auto i = request.at("node").get<std::size_t>();
            if (i >= nodes_.size()) return fail(ErrorCode::invalid, no_node(i));
            return what == "kill" ? kill(i) : start_again(i);
        }
        return fail(ErrorCode::invalid, "the supervisor cannot do \"" + what + "\"");
    }

    [[nodiscard]] std::string no_node(std::size_t i) const {
        return "there is no node " + std::to_string(i) + "; there are 0 to " +
               std::to_string(nodes_.size() - 1);
    }

    Result<Doc> kill(std::size_t i) {
        if (!alive(i)) {
            return fail(ErrorCode::conflict, "node " + std::to_string(i) + " does not run");
        }
        nodes_[i].process.kill();
        nodes_[i].exit = 128 + SIGKILL;
        return status();
    }

    Result<Doc> start_again(std::size_t i) {
        if (alive(i)) {
            return fail(ErrorCode::conflict, "node " + std::to_string(i) + " runs already");
        }
        if (auto started = start(i); !started) return tl::unexpected<Error>(started.error());
        return status();
    }

    Result<Doc> partition(const Doc& wish) {
        std::vector<bool> named(nodes_.size());
        std::vector<std::vector<std::uint32_t>> groups;
        for (const Doc& group : wish) {
            groups.emplace_back();
            for (const Doc& item : group) {
                const auto i = item.get<std::size_t>();
                if (i >= nodes_.size()) return fail(ErrorCode::invalid, no_node(i));
                if (named[i]) {
                    return fail(
                        ErrorCode::invalid, "node " + std::to_string(i) + " is named twice"
                    );
                }
                named[i] = true;
                groups.back().push_back(static_cast<std::uint32_t>(i));
            }
        }
        std::vector<std::uint32_t> rest;
        for (std::uint32_t i = 0; i < named.size(); ++i) {
            if (!named[i]) rest.push_back(i);
        }
        if (!rest.empty()) groups.push_back(std::move(rest));
        if (groups.size() < 2) {
            return fail(ErrorCode::invalid, "one group with every node in it cuts nothing");
        }
        shim_->cut(groups);
        groups_ = std::move(groups);
        return status();
    }

    Doc status() {
        Doc nodes = Doc::array();
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            const bool lives = alive(i);
            Doc node{{"index", i}, {"alive", lives}};
            node["pid"] = lives ? Doc(nodes_[i].process.pid()) : Doc(nullptr);
            if (!lives && nodes_[i].exit) node["exit"] = *nodes_[i].exit;
            nodes.push_back(std::move(node));
        }
        const LinkShim::Counters links = shim_->counters();
        return {
            {"ok", true},
            {"supervisor", ::getpid()},
            {"groups", groups_},
            {"link_connections", links.connections},
            {"link_bytes", links.bytes},
            {"nodes", std::move(nodes)}};
    }

    const ClusterPlan& plan_;
    std::filesystem::path program_;
    std::unique_ptr<LinkShim> shim_;
    std::vector<Node> nodes_;
    std::vector<std::vector<std::uint32_t>> groups_;
    asio::io_context io_;
    Local::acceptor acceptor_;
    asio::signal_set signals_;
    asio::signal_set children_;
};

/// The pid that the lock file names; 0 when it names none.
pid_t pid_in(const std::filesystem::path& file) {
    const auto text = read_file(file, 64);
    return text ? static_cast<pid_t>(std::strtol(text->c_str(), nullptr, 10)) : 0;
}

/// The process runs this node: a pid may belong to somebody else by now.
bool runs_node(pid_t pid, const std::filesystem::path& folder) {
    if (pid <= 0) return false;
    const auto line = read_file("/proc/" + std::to_string(pid) + "/cmdline", 64U << 10U);
    return line && line->find("run" + std::string(1, '\0') + folder.string()) != std::string::npos;
}

std::string last_line(const std::filesystem::path& file) {
    auto text = read_file(file, 16U << 20U);
    if (!text) return "it said nothing";
    while (!text->empty() && text->back() == '\n')
        text->pop_back();
    const std::size_t begin = text->rfind('\n');
    return begin == std::string::npos ? *text : text->substr(begin + 1);
}

}  // namespace

Result<void> supervise(
    const ClusterPlan& plan,
    const std::filesystem::path& program,
    const std::function<void()>& ready
) {
    const Descriptor lock{::open(plan.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail(ErrorCode::conflict, plan.dir.string() + " has a supervisor already");
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock.get(), 0) != 0 ||
        ::write(lock.get(), pid.data(), pid.size()) != static_cast<ssize_t>(pid.size())) {
        return fail(ErrorCode::io, plan.lock().string() + ": " + std::strerror(errno));
    }
    Supervisor supervisor{plan, program};
    auto opened = supervisor.open();
    if (opened) {
        ready();
        supervisor.run();
    }
    supervisor.end_nodes();
    std::error_code ignored;
    std::filesystem::remove(plan.dir / "control", ignored);
    std::filesystem::remove(plan.lock(), ignored);
    return opened;
}

Result<pid_t> start_supervisor(const ClusterPlan& plan, const std::filesystem::path& program) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
        return fail(ErrorCode::io, std::string{"pipe: "} + std::strerror(errno));
    }
    const Descriptor in{pipe[0]};
    Descriptor out{pipe[1]};
    const Descriptor log{
        ::open(plan.log().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
    const Descriptor null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    if (log.get() < 0) {
        return fail(ErrorCode::io, plan.log().string() + ": " + std::strerror(errno));
    }
    const std::string binary = program.string();
    const std::string dir = plan.dir.string();
    const pid_t pid = ::fork();
    if (pid < 0) return fail(ErrorCode::io, std::string{"fork: "} + std::strerror(errno));
    if (pid == 0) {
        // A session of its own: neither Ctrl-C nor the end of the terminal reaches it.
        ::setsid();
        ::dup2(null.get(), 0);
        ::dup2(out.get(), 1);
        ::dup2(log.get(), 2);
        ::execl(
            binary.c_str(), binary.c_str(), "cluster", "supervise", "--dir", dir.c_str(), nullptr
        );
        ::_exit(127);
    }
    out.reset();
    // The supervisor says one line when it is ready; the end of the stream without it is its end.
    std::string said;
    std::array<char, 256> buffer{};
    while (said.find('\n') == std::string::npos) {
        const ssize_t size = ::read(in.get(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) {
            return fail(
                ErrorCode::unavailable, "the cluster did not start: " + last_line(plan.log())
            );
        }
        said.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return pid;
}

Result<Doc> ask_supervisor(const ClusterPlan& plan, const Doc& request, milliseconds timeout) {
    const SocketPath path{plan.dir};
    asio::io_context io;
    Local::socket socket{io};
    boost::system::error_code error;
    socket.connect(Local::endpoint{path.get()}, error);
    const auto unavailable = [&](const std::string& why) {
        return fail(
            ErrorCode::unavailable,
            "the supervisor of " + plan.dir.string() + " does not answer: " + why
        );
    };
    if (error) return unavailable(error.message());
    const std::string line = request.dump() + "\n";
    asio::streambuf input{16U << 20U};
    bool is_done = false;
    asio::steady_timer timer{io, timeout};
    timer.async_wait([&](const boost::system::error_code& stopped) {
        boost::system::error_code ignored;
        if (!stopped) socket.close(ignored);
    });
    asio::async_write(
        socket,
        asio::buffer(line),
        [&](const boost::system::error_code& unsent, std::size_t /*n*/) {
            if (unsent) return;
            asio::async_read_until(
                socket,
                input,
                '\n',
                [&](const boost::system::error_code& unread, std::size_t /*n*/) {
                    is_done = !unread;
                    timer.cancel();
                }
            );
        }
    );
    io.run();
    if (!is_done) return unavailable("no answer in time");
    const auto data = input.data();
    Doc doc = Doc::parse(asio::buffers_begin(data), asio::buffers_end(data), nullptr, false);
    if (!doc.is_object()) return unavailable("its answer is no JSON document");
    if (doc.value("ok", false)) return doc;
    const std::string code = doc["error"].value("code", "");
    return fail(
        code == "conflict" ? ErrorCode::conflict
        : code == "io"     ? ErrorCode::io
                           : ErrorCode::invalid,
        doc["error"].value("message", "")
    );
}

SupervisorState supervisor_state(const ClusterPlan& plan) {
    const Descriptor lock{::open(plan.lock().c_str(), O_RDWR | O_CLOEXEC)};
    if (lock.get() < 0) return {};
    const pid_t pid = pid_in(plan.lock());
    const bool is_held = ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0;
    return {is_held ? ClusterState::up : ClusterState::left, pid};
}

std::size_t recover_cluster(const ClusterPlan& plan) {
    std::size_t ended = 0;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const pid_t pid = pid_in(plan.pid_file(i));
        if (!runs_node(pid, plan.folder(i))) continue;
        ++ended;
        ::kill(pid, SIGKILL);
        const auto until = Clock::now() + node_patience;
        while (runs_node(pid, plan.folder(i)) && Clock::now() < until)
            std::this_thread::sleep_for(milliseconds{5});
    }
    std::error_code ignored;
    std::filesystem::remove(plan.dir / "control", ignored);
    std::filesystem::remove(plan.lock(), ignored);
    return ended;
}

}  // namespace creto
