// What hostile agents say over a real authenticated connection, one with a seat and one without.
//
// Asks     Does every message that no correct agent sends cost its sender the connection and nobody
//          else anything; is what is late, early or said twice without effect; is what contradicts
//          itself proven, once, against the right agent?
// Seats    Three nodes and the liar: N = 4, q = 3, t = 1, so the three live by their own agreement.
#include <iostream>

#include "model/leader.hpp"
#include "system/raw_peer.hpp"
#include "system/support.hpp"
#include "system/words.hpp"

namespace creto::system_test {
namespace {

constexpr std::size_t target = 0;
constexpr std::size_t bystander = 1;
constexpr auto hostile_patience = seconds{15};

class Hostile : public ClusterTest {
protected:
    void SetUp() override {
        ASSERT_NO_FATAL_FAILURE(make_and_start(
            {.network = "hostile",
             .nodes = seats(3),
             .foreign_seats = {{"liar", ed25519_public_key(liar_key_)}}}
        ));
        await_mesh();
        ASSERT_TRUE(final_write("final/kept", "before"));
        const auto hear = [this](const AgentId& from, const SharedBytes& message) {
            const std::lock_guard lock{heard_mutex_};
            if (from == cluster_->agent(target)) heard_.push_back(*message);
        };
        liar_ = std::make_unique<RawPeer>(liar_key_, hear);
        stranger_ = std::make_unique<RawPeer>(random_key());
    }
    void TearDown() override {
        liar_.reset();
        stranger_.reset();
        ClusterTest::TearDown();
    }

    void await_mesh() {
        const bool whole = eventually(
            [&] {
                for (std::size_t i = 0; i < cluster_->size(); ++i) {
                    if (cluster_->ask(i, "status").value("reachable", 0) != 3) return false;
                }
                return true;
            },
            hostile_patience
        );
        ASSERT_TRUE(whole) << "the nodes do not find each other";
    }
    [[nodiscard]] Words words(const RawPeer& peer) const {
        return Words{cluster_->genesis(), peer.key(), Seat{3}};
    }
    [[nodiscard]] Json status() { return cluster_->ask(target, "status"); }
    [[nodiscard]] std::uint64_t counter(const char* name) {
        return status()["counters"].value(name, std::uint64_t{0});
    }
    [[nodiscard]] View view() { return View{status()["view"].get<std::uint64_t>()}; }
    void connect(RawPeer& peer) {
        peer.connect(cluster_->direct_address(target), cluster_->agent(target));
        ASSERT_TRUE(peer.connected(cluster_->agent(target), hostile_patience));
    }
    void say(RawPeer& peer, const Message& message) {
        peer.send(cluster_->agent(target), channel_of(message), *encode_message(message));
    }
    /// Says it on a fresh connection and expects to be shown the door.
    void expect_dropped(
        RawPeer& peer, Channel channel, const Bytes& bytes, const std::string& what
    ) {
        connect(peer);
        peer.send(cluster_->agent(target), channel, bytes);
        EXPECT_TRUE(peer.disconnected(cluster_->agent(target), hostile_patience))
            << what << " did not cost the connection";
    }
    std::vector<Bytes> heard_so_far() {
        const std::lock_guard lock{heard_mutex_};
        return heard_;
    }
    std::size_t heard_count() {
        const std::lock_guard lock{heard_mutex_};
        return heard_.size();
    }
    bool final_write(const std::string& key, const std::string& value) {
        const Json reply = cluster_->ask(
            bystander, "write", {{"key", key}, {"value", value}, {"timeout_ms", 10'000}}
        );
        if (!ok(reply)) ADD_FAILURE() << key << ": " << reply.dump();
        return ok(reply);
    }
    /// A healthy client of another node calls the target's tools, and writes become final.
    void expect_served(const std::string& when) {
        SCOPED_TRACE(when);
        ASSERT_TRUE(cluster_->running(target)) << "the node ended";
        // When both ends of a link dialled at once, one of the two connections goes, and a call on it
        // is answered "unavailable": the client asks again.
        Json called;
        eventually(
            [&] {
                called = cluster_->ask(
                    bystander,
                    "call",
                    {{"tool", "add"},
                     {"arguments", {{"a", 20}, {"b", 22}}},
                     {"agent", agent_text(cluster_->agent(target))}}
                );
                return ok(called) || called["error"].value("code", "") != "unavailable";
            },
            hostile_patience
        );
        EXPECT_EQ(called.value("result", ""), "42") << called.dump();
        const std::string key = "final/served" + std::to_string(served_++);
        EXPECT_TRUE(final_write(key, when));
        const bool seen = eventually(
            [&] {
                const Json read = cluster_->ask(target, "read", {{"key", key}});
                return ok(read) && read["values"] == Json::array({when});
            },
            hostile_patience
        );
        EXPECT_TRUE(seen) << "the target does not follow";
        const Json kept = cluster_->ask(target, "read", {{"key", "final/kept"}});
        EXPECT_EQ(kept["values"], Json::array({"before"}));
        EXPECT_TRUE(status()["halted"].is_null()) << status()["halted"];
    }

    KeySeed liar_key_ = random_key();
    std::mutex heard_mutex_;
    std::vector<Bytes> heard_;  ///< What the target said to the liar.
    std::unique_ptr<RawPeer> liar_;
    std::unique_ptr<RawPeer> stranger_;
    std::uint64_t served_ = 0;
};

TEST_F(Hostile, MalformedMessagesCostTheirSenderTheConnection) {
    std::uint64_t said = 0;
    for (RawPeer* peer : {liar_.get(), stranger_.get()}) {
        const Words good = words(*peer);
        for (const Words::Named& word : good.all(view())) {
            const Channel channel = channel_of(word.message);
            const Bytes bytes = *encode_message(word.message);
            Bytes cut = bytes;
            cut.pop_back();
            expect_dropped(*peer, channel, cut, word.name + " cut short");
            Bytes longer = bytes;
            longer.push_back(0);
            expect_dropped(*peer, channel, longer, word.name + " with a byte behind");
            const Channel wrong = channel == Channel::call ? Channel::order : Channel::call;
            expect_dropped(*peer, wrong, bytes, word.name + " on the wrong stream");
            said += 2;
            if (HasFailure()) return;
        }
        for (const Bytes& bytes : {Bytes{}, Bytes{200}, Bytes{255, 255, 255}, Bytes(5'000, 0xAA)}) {
            expect_dropped(*peer, Channel::data, bytes, "no message at all");
            ++said;
        }
        expect_served("after malformed messages");
    }
    EXPECT_GE(counter("messages_malformed"), said);
}

/// A list that is encoded by hand: the encoders of model/ write any count, the decoders do not take it.
Bytes over(const Message& message) {
    return *encode_message(message);
}

std::vector<Words::Named> one_over_each_limit(const Words& good) {
    std::vector<Words::Named> out;
    const LaneId lane{Seat{3}, Incarnation{}};
    const auto lanes = [&](std::size_t count) {
        std::vector<VertexRef> tips;
        for (std::size_t i = 0; i < count; ++i)
            tips.push_back({{Seat{3}, Incarnation{static_cast<std::uint32_t>(i)}}, Sequence{1}, {}}
            );
        return tips;
    };
    VertexBatch batch;
    batch.vertices.assign(limits::vertices_per_message_max + 1, good.vertex(Sequence{1}));
    out.push_back({"vertices of a batch", batch});
    out.push_back({"lanes of a summary", LaneSummary{{}, lanes(limits::lanes_per_message_max + 1)}}
    );
    VertexRequest request;
    request.ranges.assign(
        limits::lanes_per_message_max + 1, LaneRange{lane, Sequence{1}, Sequence{1}, {}}
    );
    out.push_back({"ranges of a request", request});
    out.push_back({"blocks asked for", ChainRequest{Height{1}, limits::blocks_per_message_max + 1}}
    );
    ChainAnswer chain = good.chain_answer(View{1});
    chain.blocks.assign(limits::blocks_per_message_max + 1, chain.blocks[0]);
    out.push_back({"blocks of an answer", chain});
    RecordBatch records;
    records.records.assign(limits::records_per_message_max + 1, good.record(1, "many"));
    out.push_back({"records of a batch", records});
    RecordSummary versions;
    for (std::uint32_t i = 0; i <= limits::agents_max; ++i) {
        std::array<std::uint8_t, 32> key{};
        key[0] = static_cast<std::uint8_t>(i >> 16U);
        key[1] = static_cast<std::uint8_t>(i >> 8U);
        key[2] = static_cast<std::uint8_t>(i);
        versions.versions.push_back({AgentId{key}, 1});
    }
    out.push_back({"agents of a summary", versions});
    const auto record = [&](const std::string& what,
                            const std::function<void(AgentRecord&)>& make) {
        AgentRecord spoiled = good.record(3, "over");
        make(spoiled);
        spoiled.signature = good.sign(SignDomain::agent_record, signing_bytes(spoiled));
        out.push_back({what, RecordBatch{{spoiled}}});
    };
    record("bytes of a name", [](AgentRecord& r) {
        r.name.assign(limits::name_bytes_max + 1, 'n');
    });
    record("addresses of an agent", [](AgentRecord& r) {
        r.addresses.assign(limits::addresses_max + 1, "/ip4/127.0.0.1/tcp/9");
    });
    record("bytes of an address", [](AgentRecord& r) {
        r.addresses = {std::string(limits::address_bytes_max + 1, 'a')};
    });
    record("tools of an agent", [](AgentRecord& r) {
        for (std::size_t i = 0; i <= limits::contracts_per_agent_max; ++i)
            r.tools.push_back({.name = "tool" + std::to_string(10'000 + i)});
    });
    record("bytes of a contract", [](AgentRecord& r) {
        r.tools.push_back(
            {.name = "tool", .definition = std::string(limits::contract_bytes_max + 1, ' ')}
        );
    });
    record("bytes of a record", [](AgentRecord& r) {
        const std::size_t tools = limits::record_bytes_max / limits::contract_bytes_max;
        for (std::size_t i = 0; i < tools; ++i) {
            r.tools.push_back(
                {.name = "tool" + std::to_string(i),
                 .definition = std::string(limits::contract_bytes_max, ' ')}
            );
        }
    });
    const auto operation = [&](const std::string& what, OperationBody body) {
        out.push_back({what, OperationSubmit{good.operation(9, std::move(body))}});
    };
    operation("bytes of a payload", DataOperation{Bytes(limits::operation_bytes_max + 1, 1)});
    operation("bytes of an operation", DataOperation{Bytes(limits::operation_bytes_max, 1)});
    operation(
        "bytes of a key",
        KeyOperation{.key = "final/" + std::string(limits::key_bytes_max - 5, 'k')}
    );
    CrdtOperation crdt{.key = "causal/over"};
    for (std::uint64_t i = 0; i <= limits::dots_max; ++i)
        crdt.observed.push_back({lane, Sequence{i + 1}});
    operation("observed values", crdt);
    operation(
        "fields of a path",
        CrdtOperation{
            .key = "causal/over",
            .path = std::vector<std::string>(limits::path_fields_max + 1, "field")}
    );
    operation(
        "bytes of a field",
        CrdtOperation{.key = "causal/over", .path = {std::string(limits::field_bytes_max + 1, 'f')}}
    );
    OfferOperation offer;
    offer.contracts.resize(limits::contracts_per_agent_max + 1);
    operation("contracts of an offer", offer);
    OperationOutcome outcome{.reason = std::string(1'025, 'r')};
    out.push_back({"bytes of a reason", outcome});
    CallStart call = good.call(9, false);
    call.arguments.assign(limits::arguments_bytes_max + 1, ' ');
    out.push_back({"bytes of arguments", call});
    call = good.call(9, false);
    call.tool.assign(limits::name_bytes_max + 1, 't');
    out.push_back({"bytes of a tool's name", call});
    call = good.call(9, false);
    call.timeout_ms = 86'400'001;
    out.push_back({"a deadline", call});
    call = good.call(9, true);
    call.verified->request.panel.assign(limits::panel_max + 1, AgentId{});
    out.push_back({"members of a panel", call});
    CallAnswer answer{.id = 9, .text = std::string(limits::result_bytes_max + 1, ' ')};
    out.push_back({"bytes of a result", answer});
    out.push_back({"a wait", CallAnswer{.id = 9, .retry_after_ms = 86'400'001}});
    return out;
}

TEST_F(Hostile, OneOverALimitCostsTheConnection) {
    for (RawPeer* peer : {liar_.get(), stranger_.get()}) {
        for (const Words::Named& word : one_over_each_limit(words(*peer))) {
            expect_dropped(*peer, channel_of(word.message), over(word.message), word.name);
            if (HasFailure()) return;
        }
        // A frame that is too long never becomes a message.
        expect_dropped(
            *peer, Channel::data, Bytes(limits::message_bytes_max + 1, 1), "bytes of a message"
        );
        expect_served("after oversized messages");
    }
}

TEST_F(Hostile, WrongSignaturesCostTheConnection) {
    for (RawPeer* peer : {liar_.get(), stranger_.get()}) {
        std::uint64_t wrong = counter("signatures_wrong");
        for (const Words::Named& word : words(*peer).wrongly_signed(View{view().value() + 8})) {
            expect_dropped(
                *peer, channel_of(word.message), *encode_message(word.message), word.name
            );
            EXPECT_EQ(counter("signatures_wrong"), ++wrong) << word.name;
            if (HasFailure()) return;
        }
        expect_served("after wrong signatures");
    }
    EXPECT_EQ(counter("evidence"), 0U) << "a wrong signature proves nothing against anybody";
}

TEST_F(Hostile, WhatIsSaidAgainHasNoFurtherEffect) {
    connect(*liar_);
    connect(*stranger_);
    const KeyOperation add{
        .action = KeyOperation::Action::add, .key = "final/replayed", .amount = 1};
    const OperationSubmit submit{words(*stranger_).operation(1, add)};
    for (int i = 0; i < 100; ++i)
        say(*stranger_, submit);
    // The same through another node: it too is the same operation.
    stranger_->connect(cluster_->direct_address(bystander), cluster_->agent(bystander));
    ASSERT_TRUE(stranger_->connected(cluster_->agent(bystander), hostile_patience));
    stranger_->send(cluster_->agent(bystander), Channel::data, *encode_message(submit));
    const bool applied = eventually(
        [&] {
            return cluster_->ask(target, "read", {{"key", "final/replayed"}}).value("found", false);
        },
        hostile_patience
    );
    EXPECT_TRUE(applied) << "an operation of an agent without a seat was not carried";
    expect_served("while votes and vertices are heard");

    // Everything that the target said to us, back to it, from below and from above.
    std::vector<Bytes> heard;
    const AgentId& agent = cluster_->agent(target);
    ASSERT_TRUE(eventually([&] { return heard_count() > 50; }, hostile_patience));
    heard = heard_so_far();
    const std::uint64_t height = status()["finalized"];
    std::uint64_t sent = 0;
    for (int round = 0; round < 3; ++round) {
        for (const Bytes& bytes : heard) {
            auto message = decode_message(bytes);
            ASSERT_TRUE(message) << message.error().message;
            // An answer that was not asked for is an answer all the same.
            liar_->send(agent, channel_of(*message), bytes);
            ++sent;
        }
        std::reverse(heard.begin(), heard.end());
    }
    expect_served("after " + std::to_string(sent) + " messages said again");
    EXPECT_TRUE(liar_->connected(agent, milliseconds{0})) << "a repetition is no offence";
    EXPECT_GT(status()["finalized"].get<std::uint64_t>(), height);
    EXPECT_EQ(counter("evidence"), 0U);
    for (std::size_t i = 0; i < cluster_->size(); ++i) {
        const bool once = eventually(
            [&] {
                const Json read = cluster_->ask(i, "read", {{"key", "final/replayed"}});
                return ok(read) && read["values"] == Json::array({"1"});
            },
            hostile_patience
        );
        EXPECT_TRUE(once) << cluster_->name(i) << ": applied "
                          << cluster_->ask(i, "read", {{"key", "final/replayed"}}).dump();
    }
}

/// What has not happened yet, and never will: views, heights, places and versions far ahead.
std::vector<Message> from_the_future(const Words& good, const AgentId& victim, View now) {
    std::vector<Message> out;
    for (const std::uint64_t ahead :
         {std::uint64_t{1},
          limits::view_window,
          limits::view_window + 1,
          ~std::uint64_t{0} - now.value()}) {
        const View view{now.value() + ahead};
        out.emplace_back(good.vote(VoteKind::nullify, view));
        out.emplace_back(good.vote(VoteKind::notarize, view));
        out.emplace_back(OrderStatus{Epoch{1}, view, view, Height{ahead}});
        out.emplace_back(CertificateRequest{Epoch{1}, view, VoteKind::finalize});
        out.emplace_back(ChainRequest{Height{ahead}, limits::blocks_per_message_max});
    }
    out.emplace_back(OrderStatus{Epoch{~0U}, View{1}, View{1}, Height{1}});
    out.emplace_back(VertexBatch{{good.vertex(Sequence{1ULL << 40U})}});
    // Lanes that nobody has, and everybody's lanes far beyond their tips.
    for (const Sequence last : {Sequence{1ULL << 40U}, Sequence{~0ULL}}) {
        LaneSummary summary{.finalized = Height{~0ULL}};
        VertexRequest request;
        for (std::uint32_t i = 0; i < limits::lanes_per_message_max; ++i) {
            const LaneId lane{Seat{i / 256}, Incarnation{i % 256}};
            summary.tips.push_back({lane, last, VertexId{blake3(as_bytes("ahead"))}});
            request.ranges.push_back({lane, Sequence{1}, last, VertexId{}});
        }
        out.emplace_back(summary);
        out.emplace_back(request);
    }
    RecordSummary versions;
    versions.versions = {{victim, ~0ULL}};
    out.emplace_back(versions);
    out.emplace_back(RecordBatch{{good.record(~0ULL, "eternal")}});
    out.emplace_back(Probe{~0ULL, true});
    Operation late = good.operation(~0ULL, DataOperation{to_bytes("late")});
    late.expiry = Height{~0ULL};
    late.signature = good.sign(SignDomain::operation, signing_bytes(late));
    out.emplace_back(OperationSubmit{late});
    out.emplace_back(CallCancel{~0ULL});
    return out;
}

TEST_F(Hostile, WhatIsFarAheadStopsNobody) {
    for (RawPeer* peer : {liar_.get(), stranger_.get()}) {
        for (int round = 0; round < 5; ++round) {
            for (const Message& message :
                 from_the_future(words(*peer), cluster_->agent(target), view())) {
                if (!peer->connected(cluster_->agent(target), milliseconds{0})) connect(*peer);
                say(*peer, message);
            }
        }
        expect_served("after messages from the future");
    }
    // A node that starts anew asks around how far its own lane has come. One liar may not stop it.
    cluster_->kill(target);
    auto started = cluster_->start(target);
    ASSERT_TRUE(started) << started.error().message;
    await_mesh();
    connect(*liar_);
    for (int round = 0; round < 20; ++round) {
        for (const Message& message :
             from_the_future(words(*liar_), cluster_->agent(target), View{1})) {
            if (!liar_->connected(cluster_->agent(target), milliseconds{0})) connect(*liar_);
            say(*liar_, message);
        }
    }
    expect_served("after a restart among such messages");
    const Json own = cluster_->ask(
        target, "write", {{"key", "final/own"}, {"value", "lane"}, {"timeout_ms", 10'000}}
    );
    EXPECT_TRUE(ok(own)) << "its own lane stopped: " << own.dump();
}

TEST_F(Hostile, ContradictionsAreProvenAgainstTheirAuthorAlone) {
    connect(*liar_);
    const Words lies = words(*liar_);
    const View ahead{view().value() + 30};
    say(*liar_, lies.vote(VoteKind::notarize, ahead, "one"));
    say(*liar_, lies.vote(VoteKind::notarize, ahead, "other"));
    say(*liar_, lies.vote(VoteKind::finalize, View{ahead.value() + 1}));
    say(*liar_, lies.vote(VoteKind::nullify, View{ahead.value() + 1}));
    say(*liar_, VertexBatch{{lies.vertex(Sequence{1}, 1)}});
    say(*liar_, VertexBatch{{lies.vertex(Sequence{1}, 2)}});
    const auto excluded = [&](std::size_t i) {
        std::vector<std::string> out;
        const Json reply = cluster_->ask(i, "reputation");
        for (const Json& agent : reply["agents"]) {
            if (agent["excluded"] == true) out.push_back(agent["agent"]);
        }
        return out;
    };
    const std::vector<std::string> liar_alone{agent_text(liar_->agent())};
    for (std::size_t i = 0; i < cluster_->size(); ++i) {
        EXPECT_TRUE(eventually([&] { return excluded(i) == liar_alone; }, hostile_patience))
            << cluster_->name(i) << " does not know the liar";
    }
    EXPECT_GE(counter("evidence"), 2U) << "votes and the lane are different lies";
    // Two records of one version, two answers to nothing: no proof, and no harm.
    say(*liar_, RecordBatch{{lies.record(7, "one")}});
    say(*liar_, RecordBatch{{lies.record(7, "other")}});
    say(*liar_, CallAnswer{.id = 1, .text = "1"});
    say(*liar_, CallAnswer{.id = 1, .text = "2"});
    expect_served("after contradictions");
    for (std::size_t i = 0; i < cluster_->size(); ++i)
        EXPECT_EQ(excluded(i), liar_alone);
}

}  // namespace
}  // namespace creto::system_test
