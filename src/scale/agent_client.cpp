#include "scale/agent_client.hpp"

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>

#include "scale/real_cluster.hpp"

namespace creto {

Result<std::unique_ptr<AgentClient>> AgentClient::connect(
    const Genesis& genesis, const std::string& name, const std::vector<std::string>& addresses
) {
    std::unique_ptr<AgentClient> client{new AgentClient};
    NodeHostOptions options;
    options.node.genesis = genesis;
    options.node.name = name;
    options.node.bootstrap = addresses;
    std::array<std::uint8_t, KeySeed::size> secret{};
    fill_random(secret);
    options.transport.key = KeySeed{secret};
    options.transport.listen = "/ip4/127.0.0.1/tcp/0";
    auto host = NodeHost::open(std::move(options), client->store_, client->votes_, client->log_);
    if (!host) return tl::unexpected<Error>(host.error());
    client->host_ = std::move(*host);
    client->thread_ = std::thread{[h = client->host_.get()] { h->run(); }};
    const bool there = RealCluster::wait_until(
        [&] {
            const ReplyBody reply = client->ask(AskPeers{});
            const auto* peers = std::get_if<PeersReply>(&reply);
            if (peers == nullptr) return false;
            const auto known =
                std::count_if(peers->peers.begin(), peers->peers.end(), [](const PeerView& p) {
                    return p.connected && !p.tools.empty();
                });
            return static_cast<std::size_t>(known) >= addresses.size();
        },
        std::chrono::seconds{10}
    );
    if (!there) return fail(ErrorCode::timeout, "client " + name + " could not reach the nodes");
    return client;
}

AgentClient::~AgentClient() {
    if (host_) host_->stop();
    if (thread_.joinable()) thread_.join();
}

ReplyBody AgentClient::ask(CommandBody command) {
    auto promise = std::make_shared<std::promise<ReplyBody>>();
    auto reply = promise->get_future();
    host_->command(std::move(command), [promise](ReplyBody body) {
        promise->set_value(std::move(body));
    });
    return reply.get();
}

AgentClient::Load AgentClient::load(
    const CommandBody& call, const std::string& expected, std::size_t total, std::size_t window
) {
    struct Shared {
        std::mutex mutex;
        std::condition_variable done;
        Load load;
        std::size_t started = 0;
        std::size_t ended = 0;
    } shared;
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    std::function<void()> start = [&] {
        const auto sent = Clock::now();
        host_->command(call, [&, sent](const ReplyBody& reply) {
            const double us =
                std::chrono::duration<double, std::micro>(Clock::now() - sent).count();
            bool more = false;
            {
                const std::lock_guard lock{shared.mutex};
                const auto* plain = std::get_if<CallReply>(&reply);
                const auto* verified = std::get_if<VerifiedReply>(&reply);
                if (plain != nullptr || verified != nullptr) {
                    ++shared.load.results;
                    const std::string& said = plain != nullptr ? plain->result : verified->result;
                    if (said != expected) ++shared.load.wrong;
                    shared.load.latencies_us.push_back(us);
                } else {
                    const auto* error = std::get_if<Error>(&reply);
                    const bool limited = error != nullptr && error->code == ErrorCode::limit;
                    if (error != nullptr) shared.load.error = error->message;
                    ++(limited ? shared.load.rate_limited : shared.load.failed);
                }
                more = shared.started < total;
                if (more) ++shared.started;
            }
            if (more) start();
            const std::lock_guard lock{shared.mutex};
            if (++shared.ended == total) shared.done.notify_all();
        });
    };
    const std::size_t first = std::min(window, total);
    {
        const std::lock_guard lock{shared.mutex};
        shared.started = first;
    }
    for (std::size_t i = 0; i < first; ++i)
        start();
    std::unique_lock lock{shared.mutex};
    shared.done.wait(lock, [&] { return shared.ended == total; });
    shared.load.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return shared.load;
}

double percentile(std::vector<double> values, double p) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const auto index =
        static_cast<std::size_t>(p / 100 * static_cast<double>(values.size() - 1) + 0.5);
    return values[std::min(index, values.size() - 1)];
}

}  // namespace creto
