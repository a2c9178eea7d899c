#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "model/effect.hpp"
#include "model/event.hpp"

namespace creto {
namespace {

KeySeed seed_of(std::uint32_t n) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(static_cast<std::uint8_t>(n));
    bytes[1] = static_cast<std::uint8_t>(bytes[1] ^ n >> 8U);
    return KeySeed{bytes};
}

/// A network of n seats whose keys are known.
struct Network {
    explicit Network(std::uint32_t n, QuorumMode mode = QuorumMode::byzantine) {
        for (std::uint32_t i = 0; i < n; ++i) {
            signers.push_back(scheme.signer(seed_of(i + 1)));
            genesis.members.push_back(
                {Seat{i}, signers.back()->public_key(), "agent-" + std::to_string(i)}
            );
        }
        genesis.network = "test";
        genesis.mode = mode;
    }
    Vote vote(std::uint32_t i, VoteContent content) {
        const Roster roster{genesis};
        return {
            content,
            Seat{i},
            signers[i]->sign(SignDomain::vote, roster.chain().value(), signing_bytes(content))};
    }
    TagScheme scheme;
    std::vector<std::unique_ptr<Signer>> signers;
    Genesis genesis;
};

Digest digest_of(const char* text) {
    return blake3(as_bytes(text));
}

VertexPtr vertex_of(Network& network, std::uint32_t seat, std::vector<Operation> operations) {
    VertexHeader header;
    header.lane = {Seat{seat}, Incarnation{}};
    header.sequence = Sequence{1};
    return SealedVertex::make(
        header, std::move(operations), Roster{network.genesis}.chain(), *network.signers[seat]
    );
}

Operation data_operation(const Network& network, std::uint32_t seat, std::size_t bytes) {
    Operation operation;
    operation.client = network.genesis.members[seat].key;
    operation.counter = 1;
    operation.expiry = Height{100};
    operation.body = DataOperation{Bytes(bytes, 0xAB)};
    return operation;
}

TEST(AgentText, IsALibp2pPeerId) {
    Network network{1, QuorumMode::crash};
    const AgentId agent = network.genesis.members[0].key;
    const std::string text = agent_text(agent);
    EXPECT_EQ(text.substr(0, 7), "12D3Koo");
    EXPECT_EQ(text.size(), 52U);
    EXPECT_EQ(parse_agent(text).value(), agent);
    EXPECT_FALSE(parse_agent(text.substr(1)).has_value());
    EXPECT_FALSE(parse_agent("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N").has_value());
}

TEST(Genesis, RefusesWhatCannotStart) {
    Network three{3};
    EXPECT_FALSE(validate(three.genesis).has_value());
    three.genesis.mode = QuorumMode::crash;
    EXPECT_TRUE(validate(three.genesis).has_value());
    Network twice{4};
    twice.genesis.members[1].key = twice.genesis.members[0].key;
    EXPECT_FALSE(validate(twice.genesis).has_value());
    Network unordered{4};
    std::swap(unordered.genesis.members[0], unordered.genesis.members[1]);
    EXPECT_FALSE(validate(unordered.genesis).has_value());
    Network most{limits::seats_max};
    EXPECT_TRUE(validate(most.genesis).has_value());
    Network over{limits::seats_max + 1};
    EXPECT_FALSE(validate(over.genesis).has_value());
}

TEST(Genesis, NamesTheChain) {
    Network a{4};
    Network b{4};
    b.genesis.network = "other";
    EXPECT_NE(Roster{a.genesis}.chain(), Roster{b.genesis}.chain());
    const auto read = decode_exact<Genesis>(encode_bytes(a.genesis));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, a.genesis);
}

// Votes in lists are what a genesis said that knew of nothing else: its bytes stay what they were.
TEST(Genesis, SaysHowVotesAreSigned) {
    Network a{4};
    const Bytes plain = encode_bytes(a.genesis);
    EXPECT_EQ(decode_exact<Genesis>(plain)->vote_form, VoteForm::list);
    EXPECT_EQ(Roster{a.genesis}.keys(), nullptr);
    a.genesis.vote_form = VoteForm::joined;
    const Bytes with = encode_bytes(a.genesis);
    EXPECT_EQ(with.size(), plain.size());
    EXPECT_EQ(decode_exact<Genesis>(with), a.genesis);
    const Roster roster{a.genesis};
    ASSERT_NE(roster.keys(), nullptr);
    EXPECT_EQ(roster.keys()->keys.size(), 4U);
    EXPECT_EQ(roster.in_epoch(Epoch{2}).vote_form(), VoteForm::joined);
}

// [ORD-T1.1] One view a term is what a genesis said that knew of no terms: its bytes stay what they were.
TEST(Genesis, SaysHowLongATermIs) {
    Network a{4};
    const Bytes plain = encode_bytes(a.genesis);
    a.genesis.term_views = 8;
    const Bytes with = encode_bytes(a.genesis);
    EXPECT_EQ(with.size(), plain.size() + 1);
    EXPECT_EQ(decode_exact<Genesis>(with)->term_views, 8U);
    EXPECT_EQ(decode_exact<Genesis>(plain)->term_views, 1U);
    Bytes said_twice = with;
    said_twice.back() = 1;
    EXPECT_FALSE(decode_exact<Genesis>(said_twice).has_value());
    EXPECT_TRUE(validate(a.genesis).has_value());
    for (const std::uint32_t wrong : {0U, 3U, 64U}) {
        a.genesis.term_views = wrong;
        EXPECT_FALSE(validate(a.genesis).has_value()) << wrong;
    }
}

// [ORD-M4.1] So are those of one that says nothing about checkpoints.
TEST(Genesis, SaysHowFarCheckpointsAreApart) {
    Network a{4};
    const Bytes plain = encode_bytes(a.genesis);
    a.genesis.checkpoint_blocks = 16;
    const Bytes with = encode_bytes(a.genesis);
    EXPECT_EQ(with.size(), plain.size() + 1);
    EXPECT_EQ(decode_exact<Genesis>(with).value(), a.genesis);
    EXPECT_EQ(decode_exact<Genesis>(plain)->checkpoint_blocks, limits::checkpoint_blocks);
    EXPECT_EQ(Roster{a.genesis}.checkpoint_blocks(), 16U);
    a.genesis.term_views = 8;
    EXPECT_EQ(decode_exact<Genesis>(encode_bytes(a.genesis)).value(), a.genesis);
    EXPECT_TRUE(validate(a.genesis).has_value());
    for (const std::uint32_t wrong :
         {0U, limits::checkpoint_blocks_min - 1, limits::checkpoint_blocks_max + 1}) {
        a.genesis.checkpoint_blocks = wrong;
        EXPECT_FALSE(validate(a.genesis).has_value()) << wrong;
    }
}

// So are those of one without operators.
// [SEAT-OPERATORS.1]
TEST(Genesis, SaysWhoseKeysMayChangeTheRoster) {
    Network a{4};
    a.genesis.epoch_blocks = 8;
    const Bytes plain = encode_bytes(a.genesis);
    EXPECT_EQ(decode_exact<Genesis>(plain).value(), a.genesis);
    const auto key = [](std::uint8_t n) {
        std::array<std::uint8_t, 32> bytes{};
        bytes[0] = n;
        bytes[31] = 9;
        return PublicKey{bytes};
    };
    for (std::uint8_t n = 1; n <= limits::operators_max; ++n)
        a.genesis.operators.push_back(key(n));
    a.genesis.operators_needed = 5;
    const Bytes with = encode_bytes(a.genesis);
    EXPECT_EQ(decode_exact<Genesis>(with).value(), a.genesis);
    EXPECT_TRUE(validate(a.genesis).has_value());
    EXPECT_EQ(Roster{a.genesis}.operators(), a.genesis.operators);
    EXPECT_EQ(Roster{a.genesis}.operators_needed(), 5U);
    const auto refused = [&](const auto& change) {
        Genesis bad = a.genesis;
        change(bad);
        const auto result = validate(bad);
        return result ? std::string{} : result.error().message;
    };
    EXPECT_NE(
        refused([&](Genesis& g) { g.operators.push_back(key(99)); }).find("9 operator keys"),
        std::string::npos
    );
    for (const std::uint32_t wrong : {0U, 9U})
        EXPECT_NE(
            refused([&](Genesis& g) { g.operators_needed = wrong; }).find("cannot be"),
            std::string::npos
        );
    EXPECT_NE(refused([](Genesis& g) { g.operators.clear(); }), "");
    EXPECT_NE(refused([](Genesis& g) { g.epoch_blocks = 0; }).find("epochs"), std::string::npos);
    EXPECT_NE(refused([](Genesis& g) { g.operators[1] = g.operators[0]; }), "");
    EXPECT_NE(refused([](Genesis& g) { g.operators[1] = g.members[0].key; }), "");
    Genesis over = a.genesis;
    over.operators.push_back(key(99));
    EXPECT_FALSE(decode_exact<Genesis>(encode_bytes(over)).has_value()) << "one over the limit";
}

TEST(Operation, AChangeOfTheRosterHasOneForm) {
    const PublicKey key{std::array<std::uint8_t, 32>{7}};
    RosterOperation add{RosterOperation::Action::add, Seat{}, key, "delta", Signature{}, {}};
    const auto wrong = [](const RosterOperation& change) {
        Operation operation;
        operation.body = change;
        const auto form = well_formed(operation);
        return form ? std::string{} : form.error().message;
    };
    EXPECT_EQ(wrong(add), "");
    RosterOperation replace{RosterOperation::Action::replace, Seat{1}, key, {}, Signature{}, {}};
    EXPECT_EQ(wrong(replace), "");
    replace.name = "epsilon";
    EXPECT_EQ(wrong(replace), "") << "it may bring a name of its own";
    RosterOperation remove{RosterOperation::Action::remove, Seat{1}, {}, {}, {}, {}};
    EXPECT_EQ(wrong(remove), "");
    remove.name = "x";
    EXPECT_EQ(wrong(remove), "roster: a name belongs to giving a seat");
    remove = {RosterOperation::Action::remove, Seat{1}, {}, {}, Signature{}, {}};
    EXPECT_EQ(wrong(remove), "roster: what an action does not use is empty");
    // [SEAT-POSSESSION.1]
    RosterOperation bare = add;
    bare.possession.reset();
    EXPECT_EQ(wrong(bare), "roster: the key that is to have a seat has not signed for it");
    RosterOperation approved = add;
    approved.approvals = {{0, {}}, {2, {}}};
    EXPECT_EQ(wrong(approved), "");
    Operation operation;
    operation.body = approved;
    EXPECT_EQ(decode_exact<Operation>(encode_bytes(operation)).value(), operation);
    for (const std::uint8_t who : {2, 1, 8}) {
        RosterOperation bad = approved;
        bad.approvals.push_back({who, {}});
        EXPECT_EQ(wrong(bad), "roster: approvals are not in order, one a key") << int{who};
    }
    EXPECT_NE(possession_bytes(key, "a"), possession_bytes(key, "b"));
    RosterOperation other = add;
    other.possession = Signature{std::array<std::uint8_t, 64>{1}};
    EXPECT_EQ(approval_bytes(add), approval_bytes(other)) << "what is wanted, not who signed";
}

TEST(Roster, FindsByNumberAndKey) {
    Network network{7};
    const Roster roster{network.genesis};
    EXPECT_EQ(roster.quorum().q, 5U);
    EXPECT_EQ(roster.index_of(Seat{6}), 6U);
    EXPECT_EQ(roster.index_of(Seat{7}), std::nullopt);
    EXPECT_EQ(roster.find(network.signers[3]->public_key())->seat, Seat{3});
    EXPECT_EQ(roster.find(PublicKey{}), nullptr);
}

TEST(Certificate, NeedsAQuorumOfDistinctSeatsAndNoSpareBits) {
    Network network{7};
    const Roster roster{network.genesis};
    const VoteContent content{
        VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("block")}};
    std::vector<Vote> votes;
    for (const std::uint32_t i : {6U, 0U, 2U, 4U, 1U})
        votes.push_back(network.vote(i, content));
    const Certificate good = make_certificate(votes, roster);
    EXPECT_TRUE(well_formed(good, roster).has_value());
    EXPECT_TRUE(good.signed_by(6) && !good.signed_by(3));
    EXPECT_EQ(decode_exact<Certificate>(encode_bytes(good)).value(), good);

    Certificate short_one = good;
    short_one.signers[0] &= 0xFEU;
    EXPECT_FALSE(well_formed(short_one, roster).has_value());
    short_one.signatures.pop_back();
    EXPECT_FALSE(well_formed(short_one, roster).has_value());
    Certificate spare = good;
    spare.signers[0] |= 0x80U;
    spare.signatures.emplace_back();
    EXPECT_FALSE(well_formed(spare, roster).has_value());
    Certificate wide = good;
    wide.signers.push_back(0);
    EXPECT_FALSE(well_formed(wide, roster).has_value());
}

TEST(Votes, ConflictExactlyWhenNoCorrectSeatSignsBoth) {
    const VoteContent a{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
    VoteContent b = a;
    b.block = BlockId{digest_of("b")};
    VoteContent other_parent = a;
    other_parent.parent_view = View{1};
    VoteContent finalize = a;
    finalize.kind = VoteKind::finalize;
    const VoteContent nullify{VoteKind::nullify, Epoch{1}, View{3}, View{}, BlockId{}};
    VoteContent later = b;
    later.view = View{4};
    EXPECT_TRUE(conflict(a, b));
    EXPECT_TRUE(conflict(a, other_parent));
    EXPECT_TRUE(conflict(finalize, nullify));
    EXPECT_TRUE(conflict(nullify, finalize));
    EXPECT_TRUE(conflict(b, finalize));
    EXPECT_FALSE(conflict(a, a));
    EXPECT_FALSE(conflict(a, finalize));
    EXPECT_FALSE(conflict(a, nullify));
    EXPECT_FALSE(conflict(a, later));
}

TEST(Vertex, RoundTripsAndBindsItsOperations) {
    Network network{4};
    const VertexPtr vertex = vertex_of(network, 2, {data_operation(network, 2, 100)});
    const auto read = SealedVertex::decode(vertex->bytes());
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ((*read)->id(), vertex->id());
    EXPECT_EQ((*read)->operations(), vertex->operations());
    Bytes changed = vertex->bytes();
    changed.back() ^= 1U;
    EXPECT_FALSE(SealedVertex::decode(changed).has_value());
    changed = vertex->bytes();
    changed.push_back(0);
    EXPECT_FALSE(SealedVertex::decode(changed).has_value());
    for (std::size_t size = 0; size < vertex->bytes().size(); ++size) {
        EXPECT_FALSE(SealedVertex::decode(ByteView{vertex->bytes()}.first(size)).has_value());
    }
}

TEST(Vertex, AnOperationOneByteOverIsRefused) {
    Network network{4};
    // Client, counter, expiry, kind, length and signature flag take 39 bytes around the payload.
    const std::size_t fits = limits::operation_bytes_max - 39;
    EXPECT_TRUE(
        SealedVertex::decode(vertex_of(network, 0, {data_operation(network, 0, fits)})->bytes())
            .has_value()
    );
    EXPECT_FALSE(
        SealedVertex::decode(vertex_of(network, 0, {data_operation(network, 0, fits + 1)})->bytes())
            .has_value()
    );
}

TEST(Burial, NamesOneOfTheAlignedStretches) {
    const auto can = [](std::uint64_t base, std::uint64_t last) {
        return can_be_buried(View{base}, View{last});
    };
    EXPECT_TRUE(can(0, 64) && can(64, 128) && can(0, 4'096) && can(4'096, 8'192));
    EXPECT_TRUE(can(0, 262'144));
    EXPECT_FALSE(can(0, 0) || can(64, 0) || can(0, 63) || can(0, 65) || can(1, 65));
    EXPECT_FALSE(can(0, 128) || can(64, 4'160) || can(0, ~0ULL));
}

// Failure 37: two equal votes counted as a proof, and parts of a proof could be forged.
TEST(Evidence, AcceptsAContradictionAndNothingElse) {
    Network network{4};
    const Roster roster{network.genesis};
    const VoteContent a{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
    VoteContent b = a;
    b.block = BlockId{digest_of("b")};
    const Evidence lie = VoteConflict{network.vote(1, a), network.vote(1, b)};
    EXPECT_EQ(culprit(lie, roster).value(), network.genesis.members[1].key);
    EXPECT_TRUE(CheckPass::verify(network.scheme, signatures_of(lie, roster)).has_value());
    const Evidence two_seats = VoteConflict{network.vote(1, a), network.vote(2, b)};
    EXPECT_FALSE(culprit(two_seats, roster).has_value());
    const Evidence equal = VoteConflict{network.vote(1, a), network.vote(1, a)};
    EXPECT_FALSE(culprit(equal, roster).has_value());
    Vote forged = network.vote(2, b);
    forged.seat = Seat{1};
    const Evidence frame = VoteConflict{network.vote(1, a), forged};
    EXPECT_FALSE(CheckPass::verify(network.scheme, signatures_of(frame, roster)).has_value());
    EXPECT_EQ(decode_exact<Evidence>(encode_bytes(lie)).value(), lie);
}

TEST(Receipt, DecidesAtTheBarAndNamesWhoDissented) {
    QuorumReceipt receipt;
    std::vector<AgentId> panel;
    for (std::uint8_t i = 1; i <= 7; ++i)
        panel.emplace_back(digest_of("x").bytes());
    for (std::uint8_t i = 0; i < 7; ++i) {
        std::array<std::uint8_t, 32> key{};
        key[0] = i;
        panel[i] = AgentId{key};
    }
    receipt.request.panel = panel;
    receipt.request.bar = panel_bar(7);
    EXPECT_EQ(receipt.request.bar, 5U);
    const ChainId chain{digest_of("chain")};
    for (std::uint8_t i = 0; i < 7; ++i) {
        receipt.answers.push_back(
            {receipt.request.id(chain),
             panel[i],
             AnswerKind::result,
             digest_of(i < 2 ? "3000" : "300"),
             {}}
        );
    }
    ASSERT_TRUE(well_formed(receipt, chain).has_value());
    const auto decision = decide(receipt);
    ASSERT_TRUE(decision.has_value());
    EXPECT_EQ(decision->agreeing, 5U);
    EXPECT_EQ(decision->dissenting, (std::vector<AgentId>{panel[0], panel[1]}));
    // [CALL-RULE.1] Where a rule decides, another digest is no dissent.
    QuorumReceipt by_rule = receipt;
    by_rule.request.by_rule = true;
    EXPECT_NE(by_rule.request.id(chain), receipt.request.id(chain)) << "it is signed";
    EXPECT_EQ(decode_exact<QuorumReceipt>(encode_bytes(by_rule)).value(), by_rule);
    EXPECT_EQ(decide(by_rule)->agreeing, 5U);
    EXPECT_TRUE(decide(by_rule)->dissenting.empty());
    receipt.answers[2].result = digest_of("3000");
    EXPECT_FALSE(decide(receipt).has_value());
    receipt.request.bar = 3;  // not a majority: two results could both pass
    EXPECT_FALSE(well_formed(receipt, chain).has_value());
}

/// One lane of one vertex, and a state of two parts.
Checkpoint checkpoint_of(Network& network) {
    const VertexPtr tip = vertex_of(network, 0, {data_operation(network, 0, 10)});
    Checkpoint made;
    made.cut.set(tip->header().lane, {tip->header().sequence, tip->id()});
    made.tips = {tip->header()};
    made.block = {.epoch = Epoch{1}, .view = View{9}, .parent_view = View{8}, .height = Height{8}};
    made.block.cut_root = made.cut.root();
    made.mark = {Height{8}, digest_of("root"), digest_of("order")};
    made.state_bytes = limits::checkpoint_part_bytes + 1;
    made.parts = {digest_of("first"), digest_of("second")};
    return made;
}

TEST(Checkpoint, FitsTogetherOrIsRefused) {
    Network network{4};
    const Checkpoint good = checkpoint_of(network);
    EXPECT_TRUE(well_formed(good).has_value()) << well_formed(good).error().message;
    EXPECT_EQ(decode_exact<Checkpoint>(encode_bytes(good)).value(), good);
    const auto refused = [&](auto change) {
        Checkpoint bad = good;
        change(bad);
        return !well_formed(bad).has_value();
    };
    EXPECT_TRUE(refused([](Checkpoint& c) { c.mark.height = Height{7}; }));
    EXPECT_TRUE(refused([](Checkpoint& c) { c.cut.set(c.cut.begin()->first, {Sequence{2}, {}}); }));
    EXPECT_TRUE(refused([](Checkpoint& c) { c.tips.clear(); }));
    EXPECT_TRUE(refused([](Checkpoint& c) { c.tips[0].depth = 7; })) << "its depth is in its id";
    EXPECT_TRUE(refused([](Checkpoint& c) { c.parts.pop_back(); }));
    EXPECT_TRUE(refused([](Checkpoint& c) { c.state_bytes = 2 * limits::checkpoint_part_bytes + 1; }
    ));
    EXPECT_TRUE(refused([](Checkpoint& c) {
        c.state_bytes = ~std::uint64_t{0};
        c.parts.clear();
    }));
    EXPECT_TRUE(refused([](Checkpoint& c) { c.state_bytes = 0; }));
    const Bytes state(good.state_bytes, 7);
    EXPECT_EQ(checkpoint_part(state, 0).size(), limits::checkpoint_part_bytes);
    EXPECT_EQ(checkpoint_part(state, 1).size(), 1U);
}

TEST(Message, RoundTripsAndRefusesEveryTruncation) {
    Network network{4};
    const Roster roster{network.genesis};
    const VoteContent content{
        VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
    Block block{.epoch = Epoch{1}, .view = View{3}, .parent_view = View{2}, .height = Height{2}};
    block.delta = {{{Seat{1}, {}}, Sequence{1}, Sequence{4}, VertexId{digest_of("tip")}}};
    const std::vector<Message> messages{
        network.vote(1, content),
        Proposal{block, {}},
        VertexBatch{{vertex_of(network, 0, {data_operation(network, 0, 10)})}},
        LaneSummary{Height{3}, {{{Seat{1}, {}}, Sequence{1}, VertexId{digest_of("t")}}}, true},
        CallStart{7, "add", {}, R"({"a":1})", 1000, SignedCall{}},
        CallAnswer{7, CallAnswer::Status::rate_limited, "slow down", 20, Answer{}},
        CallStart{.id = 7, .tool = "add", .credit = limits::stream_credit_max},
        CallAnswer{.id = 7, .text = "3", .pieces_lost = 300},
        CallPiece{7, 2, 1, {Piece::Kind::text, "so far"}},
        CallPiece{7, 3, 1, {Piece::Kind::json, "[1,2]"}},
        CallPiece{7, 4, 1, {Piece::Kind::progress, "counting", 300, 5'000}},
        CallCredit{7, 4'096},
        Probe{1, true},
        OfferedCheckpoint{checkpoint_of(network), {{block}, std::nullopt}},
        CheckpointRequest{Height{8}, 3, limits::checkpoint_parts_asked},
        CheckpointPart{Height{8}, 1, {1, 2, 3}},
        Ping{2, 300, {{{network.genesis.members[1].key, 9}}, {{}}}},
        Ping{2, std::nullopt, {}},
        PingAnswer{3, {{}, {{network.genesis.members[2].key, 300, {}}}}},
        PingRequest{4, network.genesis.members[3].key, 1},
        PingReport{5, Alive{}},
        PingReport{6, std::nullopt},
    };
    for (const Message& message : messages) {
        const SharedBytes bytes = encode_message(message);
        const auto read = decode_message(*bytes);
        ASSERT_TRUE(read.has_value()) << kind_name(message) << ": " << read.error().message;
        EXPECT_EQ(*encode_message(*read), *bytes) << kind_name(message);
        for (std::size_t size = 0; size < bytes->size(); ++size) {
            EXPECT_FALSE(decode_message(ByteView{*bytes}.first(size)).has_value())
                << kind_name(message) << " cut at " << size;
        }
    }
}

TEST(Message, ARequestForMoreOfACheckpointThanOneMayAskIsRefused) {
    const auto taken = [](const Message& message) {
        return decode_message(*encode_message(message)).has_value();
    };
    constexpr auto last = static_cast<std::uint32_t>(limits::checkpoint_parts_max - 1);
    EXPECT_TRUE(taken(CheckpointRequest{Height{8}, last, limits::checkpoint_parts_asked}));
    EXPECT_FALSE(taken(CheckpointRequest{Height{8}, last + 1, 1}));
    EXPECT_FALSE(taken(CheckpointRequest{Height{8}, 0, limits::checkpoint_parts_asked + 1}));
    EXPECT_FALSE(taken(CheckpointRequest{Height{8}, 0, 0}));
    EXPECT_TRUE(taken(CheckpointPart{Height{8}, last, Bytes(limits::checkpoint_part_bytes)}));
    EXPECT_FALSE(taken(CheckpointPart{Height{8}, last, Bytes(limits::checkpoint_part_bytes + 1)}));
    EXPECT_FALSE(taken(CheckpointPart{Height{8}, last + 1, {}}));
}

// [CALL-STREAM.2]
TEST(Message, OneByteMoreThanAPieceOrACreditMayHaveIsRefused) {
    const auto taken = [](const Message& message) {
        return decode_message(*encode_message(message)).has_value();
    };
    const auto piece = [](Piece::Kind kind, std::size_t bytes) {
        return CallPiece{1, 1, 0, {kind, std::string(bytes, 'x')}};
    };
    for (const auto kind : {Piece::Kind::text, Piece::Kind::json, Piece::Kind::progress}) {
        EXPECT_TRUE(taken(piece(kind, limits::piece_bytes_max)));
        EXPECT_FALSE(taken(piece(kind, limits::piece_bytes_max + 1)));
    }
    constexpr std::uint32_t most = limits::stream_credit_max;
    EXPECT_TRUE(taken(CallCredit{1, most}));
    EXPECT_FALSE(taken(CallCredit{1, most + 1}));
    EXPECT_FALSE(taken(CallStart{.id = 1, .tool = "add", .credit = most + 1}));
    Bytes unknown = *encode_message(CallPiece{1, 1, 0, {Piece::Kind::progress, "x", 1, 2}});
    unknown[4] = 3;  // Behind the kind of message and three numbers.
    EXPECT_FALSE(decode_message(unknown).has_value()) << "no such kind of piece";
}

TEST(Message, OneByteOverTheLimitIsRefused) {
    const Bytes over(limits::message_bytes_max + 1, 0);
    const auto read = decode_message(over);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, ErrorCode::limit);
}

TEST(Message, RandomBytesNeverCrash) {
    Prng prng{11};
    for (int i = 0; i < 20'000; ++i) {
        Bytes bytes(prng.below(200));
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(prng.next());
        if (!bytes.empty()) bytes[0] = static_cast<std::uint8_t>(prng.below(28));
        if (const auto read = decode_message(bytes)) {
            EXPECT_EQ(*encode_message(*read), bytes);
        }
    }
}

TEST(WireMessage, IsReadFromItsBytesOnceForAllCopies) {
    const WireMessage told = encode_message(Probe{7, true});
    const WireMessage copy = told;
    EXPECT_EQ(&told.decoded(), &copy.decoded());
    EXPECT_EQ(std::get<Probe>(*copy.decoded()), (Probe{7, true}));
    EXPECT_EQ(told.message().get(), copy.message().get());
    EXPECT_TRUE(told.same(copy));

    // The bytes decide, whoever made them; and they outlive the handle.
    const SharedBytes bytes = told;
    const WireMessage other{bytes};
    EXPECT_FALSE(told.same(other));
    EXPECT_EQ(*other, *told);
    EXPECT_NE(&other.decoded(), &told.decoded());
    SharedBytes kept;
    std::shared_ptr<const Message> said;
    {
        const WireMessage brief = encode_message(Probe{8, false});
        kept = brief;
        ASSERT_TRUE(brief.decoded());
        said = brief.message();
    }
    EXPECT_EQ(std::get<Probe>(*decode_message(*kept)).nonce, 8U);
    EXPECT_EQ(std::get<Probe>(*said).nonce, 8U);

    const WireMessage garbage{Bytes{0xFF, 1, 2}};
    EXPECT_FALSE(garbage.decoded());
    const SharedBytes none = WireMessage{};
    EXPECT_EQ(none, nullptr);
}

TEST(Effects, TakeTheirListBack) {
    Effects effects;
    effects.add(WakeAt{Instant::max()});
    std::vector<Effect> list = effects.take();
    const Effect* const memory = list.data();
    effects.reuse(std::move(list));
    EXPECT_TRUE(effects.list().empty());
    effects.add(WakeAt{Instant::max()});
    EXPECT_EQ(effects.list().data(), memory);
}

}  // namespace
}  // namespace creto
