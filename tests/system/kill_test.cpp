// kill -9 at random instants of a run under load, with an observer outside.
//
// Asks     Is anything acknowledged ever lost, anything signed twice, does a lane fork, do the nodes
//          part ways, is a folder damaged? The observer holds a seat of its own, so every vote reaches
//          it directly; clients remember what was acknowledged to them.
// Use      CRETO_KILLS=100 sets how often, CRETO_KILL_SEED=7 repeats the choices of a run (the
//          processes' own timing stays the machine's).
#include <signal.h>

#include <iostream>
#include <random>

#include "base/prng.hpp"
#include "system/observer.hpp"
#include "system/write_load.hpp"

namespace creto::system_test {
namespace {

constexpr std::size_t node_count = 4;
/// With the observer there are five seats: q = 4 is just the four that run.
constexpr auto recovery_patience = seconds{30};

/// The finalised blocks as each node tells them; the first to tell a height fixes it for all.
class LogBook {
public:
    explicit LogBook(RealCluster& cluster) : cluster_{cluster}, read_(cluster.size(), 0) {}

    /// Reads what node i finalised since the last time.
    void read(std::size_t i) {
        while (true) {
            const Json log = cluster_.ask(i, "log", {{"from", read_[i] + 1}, {"count", 256}});
            if (!ok(log) || log["blocks"].empty()) return;
            for (const Json& block : log["blocks"]) {
                const std::uint64_t height = block["height"];
                const std::string id = block["id"];
                const auto [held, fresh] = blocks_.emplace(height, id);
                EXPECT_EQ(held->second, id)
                    << cluster_.name(i) << " has another block at height " << height;
                views_[block["view"].get<std::uint64_t>()] = id;
                read_[i] = height;
            }
        }
    }
    /// After a restart a node must tell the same story again.
    void forget_place(std::size_t i, std::uint64_t back) { read_[i] -= std::min(read_[i], back); }
    [[nodiscard]] std::uint64_t height() const {
        return blocks_.empty() ? 0 : blocks_.rbegin()->first;
    }
    [[nodiscard]] const std::map<std::uint64_t, std::string>& by_view() const { return views_; }

private:
    RealCluster& cluster_;
    std::vector<std::uint64_t> read_;
    std::map<std::uint64_t, std::string> blocks_;
    std::map<std::uint64_t, std::string> views_;
};

class KillNine : public ClusterTest {
protected:
    void SetUp() override {
        const KeySeed key = random_key();
        observer_ = std::make_unique<Observer>(key);
        ASSERT_NO_FATAL_FAILURE(make(
            {.network = "kill",
             .nodes = seats(node_count),
             .foreign_seats = {{"observer", observer_->agent()}}}
        ));
        observer_->use_roster(cluster_->genesis());
        log_ = std::make_unique<LogBook>(*cluster_);
        load_ = std::make_unique<WriteLoad>(node_count);
        start(all_nodes());
    }
    void TearDown() override {
        if (load_) load_->stop();
        if (cluster_ && HasFailure()) {
            cluster_->keep_folders();
            explain();
        }
    }
    /// What each node and the observer say about a run that failed.
    void explain() {
        for (const std::size_t i : all_nodes()) {
            const Json s = cluster_->ask(i, "status", Json::object(), seconds{2});
            std::cout << cluster_->name(i) << ": view " << s.value("view", 0) << ", finalized "
                      << s.value("finalized", 0) << ", reachable " << s.value("reachable", 0)
                      << ", halted " << s.value("halted", Json{}).dump() << "\n";
        }
        for (const std::string& what : observer_->report().contradictions)
            std::cout << "observer: " << what << "\n";
    }

    static std::vector<std::size_t> all_nodes() { return {0, 1, 2, 3}; }

    void start(const std::vector<std::size_t>& which) {
        for (const std::size_t i : which) {
            auto launched = cluster_->launch(i);
            ASSERT_TRUE(launched) << launched.error().message;
        }
        for (const std::size_t i : which) {
            auto ready = cluster_->await_ready(i);
            ASSERT_TRUE(ready) << ready.error().message;
            observer_->peer().connect(cluster_->direct_address(i), cluster_->agent(i));
            load_->set_address(i, cluster_->admin_address(i));
        }
    }
    /// All signals first: that is as near to one instant as a machine comes.
    void kill(const std::vector<std::size_t>& which) {
        for (const std::size_t i : which)
            ::kill(cluster_->pid(i), SIGKILL);
        for (const std::size_t i : which) {
            cluster_->kill(i);
            load_->set_address(i, {});
        }
    }
    /// Mostly one node, sometimes two or all.
    static std::vector<std::size_t> victims(Prng& prng) {
        std::vector<std::size_t> all = all_nodes();
        const std::uint64_t lot = prng.below(10);
        const std::size_t count = lot < 6 ? 1 : lot < 8 ? 2 : all.size();
        while (all.size() > count)
            all.erase(all.begin() + static_cast<std::ptrdiff_t>(prng.below(all.size())));
        return all;
    }
    void await_agreement();
    void expect_kept();
    void expect_observer_content();
    void expect_clean_folders();

    std::unique_ptr<Observer> observer_;
    std::unique_ptr<LogBook> log_;
    std::unique_ptr<WriteLoad> load_;
};

/// One snapshot in which all nodes have the same height, order and state, and nobody halted.
void KillNine::await_agreement() {
    std::string last;
    const bool agreed = eventually(
        [&] {
            Json first;
            for (const std::size_t i : all_nodes()) {
                const Json s = cluster_->ask(i, "status");
                if (!ok(s)) return false;
                last = s.dump();
                EXPECT_TRUE(s["halted"].is_null()) << cluster_->name(i) << ": " << s["halted"];
                if (HasFailure()) return true;
                const Json mark{s["finalized"], s["order_digest"], s["state_root"]};
                if (s["pending_operations"] != 0) return false;
                if (i == 0) first = mark;
                if (mark != first) return false;
            }
            return true;
        },
        recovery_patience
    );
    EXPECT_TRUE(agreed) << "the nodes do not come to one log; the last said " << last;
    for (const std::size_t i : all_nodes()) {
        log_->forget_place(i, 1'000);
        log_->read(i);
    }
}

void KillNine::expect_kept() {
    const WriteLoad::Kept& kept = load_->kept();
    std::size_t lost = 0;
    std::size_t turn = 0;
    for (const auto& [key, value] : kept.values) {
        // The state roots are equal: any node will do, so each is asked in turn.
        const Json reply = cluster_->ask(turn++ % node_count, "read", {{"key", key}});
        const bool there = ok(reply) && reply["values"] == Json::array({value});
        if (there) continue;
        if (++lost <= 5) ADD_FAILURE() << key << " was acknowledged and is " << reply.dump();
    }
    EXPECT_EQ(lost, 0U) << "of " << kept.values.size() << " acknowledged final writes";
    for (const auto& [key, counted] : kept.counters) {
        for (const std::size_t i : all_nodes()) {
            const Json reply = cluster_->ask(i, "read", {{"key", key}});
            ASSERT_TRUE(ok(reply)) << reply.dump();
            const std::int64_t value = reply.contains("counter")
                                           ? reply["counter"].get<std::int64_t>()
                                           : std::stoll(reply["values"].at(0).get<std::string>());
            EXPECT_GE(value, counted.acknowledged) << key << ": an acknowledged add is lost";
            EXPECT_LE(value, counted.attempted) << key << ": an add was applied twice";
        }
    }
}

void KillNine::expect_observer_content() {
    const Observer::Report seen = observer_->report();
    for (const std::string& what : seen.contradictions)
        ADD_FAILURE() << what;
    EXPECT_GT(seen.votes, 0U) << "the observer saw no vote: it proves nothing";
    EXPECT_GT(seen.vertices, 0U);
    // The network goes on by itself, with a block at each heartbeat: what became final since the nodes
    // were compared is in their logs by now, or soon.
    EXPECT_TRUE(eventually(
        [&] {
            for (const std::size_t i : all_nodes())
                log_->read(i);
            const auto is_held = [&](const auto& final) {
                return log_->by_view().contains(final.first.value());
            };
            return std::all_of(seen.final_views.begin(), seen.final_views.end(), is_held);
        },
        recovery_patience
    )) << "what was final is not in the log:";
    for (const auto& [view, block] : seen.final_views) {
        const auto held = log_->by_view().find(view.value());
        if (held == log_->by_view().end()) {
            ADD_FAILURE() << "view " << view.value() << " was final and is not in the log";
        } else {
            EXPECT_EQ(held->second, block.value().hex()) << "view " << view.value();
        }
    }
    for (const std::size_t i : all_nodes()) {
        const Json status = cluster_->ask(i, "status");
        EXPECT_EQ(status["counters"].value("evidence", 0), 0) << "a node accuses somebody";
    }
}

void KillNine::expect_clean_folders() {
    for (const std::size_t i : all_nodes()) {
        EXPECT_TRUE(cluster_->terminate(i)) << "SIGTERM did not end " << cluster_->name(i);
        const Said said = creto({"fsck", cluster_->folder(i).string(), "--json"});
        EXPECT_EQ(said.exit, 0) << said.out << said.err;
        EXPECT_EQ(said.json()["ok"], true) << said.out;
    }
}

TEST_F(KillNine, LosesNothingAcknowledgedAndSignsNothingTwice) {
    const std::uint64_t kills = number_from("CRETO_KILLS", 30);
    const std::uint64_t seed = number_from("CRETO_KILL_SEED", std::random_device{}());
    std::cout << "CRETO_KILL_SEED=" << seed << " CRETO_KILLS=" << kills << std::endl;
    RecordProperty("seed", std::to_string(seed));
    Prng prng{seed};
    std::uint64_t processes = 0;
    double longest_s = 0;
    for (std::uint64_t round = 0; round < kills && !HasFailure(); ++round) {
        const std::uint64_t before = load_->final_acknowledged();
        const auto back = std::chrono::steady_clock::now();
        // Under load: the last kill's victims take part again.
        ASSERT_TRUE(
            eventually([&] { return load_->final_acknowledged() >= before + 4; }, recovery_patience)
        ) << "no write became final after kill "
          << round;
        longest_s = std::max(
            longest_s,
            std::chrono::duration<double>(std::chrono::steady_clock::now() - back).count()
        );
        for (const std::size_t i : all_nodes())
            log_->read(i);
        std::this_thread::sleep_for(milliseconds{prng.below(300)});
        const std::vector<std::size_t> dead = victims(prng);
        kill(dead);
        processes += dead.size();
        std::this_thread::sleep_for(milliseconds{prng.below(150)});
        if (prng.below(5) == 0) {
            // And once more, in the middle of the restart.
            for (const std::size_t i : dead)
                ASSERT_TRUE(cluster_->launch(i));
            std::this_thread::sleep_for(milliseconds{prng.below(250)});
            kill(dead);
            processes += dead.size();
            ++round;
        }
        start(dead);
    }
    load_->stop();
    await_agreement();
    expect_kept();
    expect_observer_content();
    const Observer::Report seen = observer_->report();
    expect_clean_folders();
    std::cout << kills << " kills of " << processes << " processes; acknowledged "
              << load_->final_acknowledged() << " final and " << load_->causal_acknowledged()
              << " causal writes; the observer saw " << seen.votes << " votes, " << seen.vertices
              << " vertices, " << seen.final_views.size() << " finalisations; " << log_->height()
              << " blocks; longest recovery " << longest_s << " s" << std::endl;
}

}  // namespace
}  // namespace creto::system_test
