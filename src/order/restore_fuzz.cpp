// The disk of a seat that worked, changed as the input says: ordering starts from it, or says what is
// corrupt, and never crashes. What starts tells nothing that contradicts the votes in its log.
#include <algorithm>
#include <map>
#include <set>

#include "base/testing/fuzz_input.hpp"
#include "order/keys.hpp"
#include "order/ordering.hpp"
#include "order/testing/blocks.hpp"
#include "order/testing/fake_disk.hpp"
#include "order/testing/seats.hpp"
#include "order/vote_log.hpp"

namespace {

using namespace creto;           // NOLINT(google-build-using-namespace): one program, one use
using namespace creto::simplex;  // NOLINT(google-build-using-namespace)
using creto::testing::damage;
using creto::testing::FuzzInput;
using creto::testing::require;
using simplex::testing::block_on;
using simplex::testing::FakeDisk;
using simplex::testing::FakeLanes;
using simplex::testing::Seats;
using simplex::testing::tip_of;

struct Disk {
    FakeDisk::Data store;
    std::vector<Bytes> votes;
};

/// Six final blocks, the block of view 8 notarized after a dead view, and one more proposal.
class Past {
public:
    explicit Past(const Seats& seats) : seats_{seats} {
        tip_.id = genesis_block_id(seats.roster.chain());
        for (std::uint64_t view = 1; view <= 6; ++view) {
            const Block block = next(view);
            StoredBlock stored{block, std::nullopt, Height{view + view % 2}};
            if (view % 2 == 0)
                stored.finalization = seats.certificate(block.content(VoteKind::finalize));
            put(write_final(stored));
            tip_ = tip_of(tip_, block);
        }
        put(write_certificate(
            seats.certificate({VoteKind::finalize, Epoch{1}, tip_.view, View{5}, tip_.id})
        ));
        disk.votes.push_back(encode_vote_record(VoteFloor{Epoch{1}, View{4}}));
        vote({VoteKind::finalize, Epoch{1}, tip_.view, View{5}, tip_.id});
        put(write_certificate(seats.nullification(7)));
        vote(Seats::nullify(7));
        const Block eighth = propose(8);
        put(write_certificate(seats.certificate(eighth.content(VoteKind::notarize))));
        vote(eighth.content(VoteKind::notarize));
        vote(eighth.content(VoteKind::finalize));
        tip_ = tip_of(tip_, eighth);
        vote(propose(9).content(VoteKind::notarize));
        const VoteContent burial{VoteKind::bury, Epoch{1}, View{128}, View{64}, {}};
        put(write_certificate(seats.certificate(burial, 0, 1)));
    }
    Disk disk;

private:
    [[nodiscard]] Block next(std::uint64_t view) const { return block_on(tip_, view, view % 3); }
    Block propose(std::uint64_t view) {
        const Block block = next(view);
        put(write_pending(
            block.id(), {block, seats_.vote(0, block.content(VoteKind::notarize)).signature}
        ));
        return block;
    }
    void put(const KeyWrite& write) { disk.store[{write.column, write.key}] = **write.value; }
    void vote(const VoteContent& content) {
        disk.votes.push_back(encode_vote_record(seats_.vote(0, content)));
    }

    const Seats& seats_;
    BranchTip tip_ = simplex::testing::genesis_tip();
};

VoteContent draw_content(FuzzInput& draws) {
    VoteContent content;
    content.kind = static_cast<VoteKind>(draws.below(4));
    content.epoch = Epoch{1};
    content.view = View{draws.below(140)};
    content.parent_view = View{draws.below(70)};
    const bool is_named = content.kind == VoteKind::notarize || content.kind == VoteKind::finalize;
    if (is_named) content.block = simplex::testing::block_id(draws.below(2) == 0 ? "a" : "b");
    return content;
}

/// One thing that a disk or somebody's hand may do.
void change(Disk& disk, const Seats& seats, FuzzInput& draws) {
    const auto row = [&] {
        auto at = disk.store.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(draws.below(disk.store.size())));
        return at;
    };
    const std::size_t what = draws.below(7);
    if (what <= 3 && disk.store.empty()) return;
    if (what == 0) damage(row()->second, draws);
    if (what == 1) disk.store.erase(row());
    if (what == 2) {
        const auto from = row();
        row()->second = from->second;
    }
    if (what == 3) {
        const auto at = row();
        auto key = at->first;
        damage(key.second, draws);
        disk.store[key] = at->second;
    }
    if (what == 4) {
        const VoteContent content = draw_content(draws);
        disk.store[{
            Column::certificates, certificate_key(content.epoch, content.view, content.kind)}] =
            encode_bytes(seats.certificate(content, 0, draws.below(2) == 0 ? 1 : ~0U));
    }
    if (what == 5 && !disk.votes.empty()) {
        Bytes& record = disk.votes[draws.below(disk.votes.size())];
        if (draws.below(2) == 0)
            damage(record, draws);
        else
            std::swap(record, disk.votes.back());
    }
    if (what == 6) disk.votes.push_back(encode_vote_record(seats.vote(0, draw_content(draws))));
}

/// What this seat has said, as its log tells; nothing new at or below the floor.
class Said {
public:
    explicit Said(const std::vector<Bytes>& votes) {
        for (const Bytes& record : votes)
            add(record);
    }
    /// A record of this life.
    void add_new(const Bytes& record) {
        const auto read = decode_vote_record(record);
        require(read.has_value());
        if (const auto* vote = std::get_if<Vote>(&*read)) {
            const VoteContent& content = vote->content;
            require(content.view > floor_ && content.kind != VoteKind::bury);
            require(!said_.contains({content.view, content.kind}));
            const bool gives_up = content.kind == VoteKind::nullify;
            const VoteKind other = gives_up ? VoteKind::finalize : VoteKind::nullify;
            require(!said_.contains({content.view, other}));
        }
        add(record);
    }
    [[nodiscard]] bool has(const VoteContent& content) const {
        const auto found = said_.find({content.view, content.kind});
        return found != said_.end() && found->second.contains(content);
    }

private:
    void add(const Bytes& record) {
        const auto read = decode_vote_record(record);
        if (!read) return;
        if (const auto* floor = std::get_if<VoteFloor>(&*read)) {
            floor_ = std::max(floor_, floor->view);
            return;
        }
        const VoteContent& content = std::get<Vote>(*read).content;
        said_[{content.view, content.kind}].insert(content);
    }

    View floor_;
    std::map<std::pair<View, VoteKind>, std::set<VoteContent>> said_;
};

class Life {
public:
    Life(const Seats& seats, Disk disk) : seats_{seats}, said_{disk.votes} {
        disk_.load_store(disk.store);
        disk_.votes.records = std::move(disk.votes);
        lanes_.held[{seats.seat(0), {}}] = Sequence{20};
    }
    /// False: refused.
    bool run(FuzzInput& draws) {
        disk_.votes.intact = draws.below(4) != 0;
        Height handed;
        const auto restored = ordering_.restore(disk_, disk_.votes, [&](const auto& blocks) {
            for (const FinalizedBlock& block : blocks) {
                require(block.block.height == handed.next());
                handed = block.block.height;
            }
            return Result<void>{};
        });
        if (!restored) {
            require(restored.error().code == ErrorCode::corrupt);
            require(!restored.error().message.empty());
            return false;
        }
        require(ordering_.finalized_height() == handed);
        ordering_.start(now_, effects_);
        settle();
        for (simplex::testing::Index i = 1; i < seats_.roster.size(); ++i)
            ordering_.on_peer_up(seats_.agent(i), now_, effects_);
        ordering_.on_data(now_, effects_);
        settle();
        for (int i = 0; i < 12 && ordering_.next_wake() != Instant::max(); ++i) {
            now_ = std::max(now_, ordering_.next_wake());
            ordering_.on_time(now_, effects_);
            settle();
        }
        return !ordering_.halted();
    }

private:
    /// Everything that is to be written is written at once.
    void settle() {
        for (auto list = effects_.take(); !list.empty(); list = effects_.take()) {
            for (Effect& effect : list) {
                if (const auto* persist = std::get_if<Persist>(&effect)) {
                    disk_.apply(*persist);
                    for (const Bytes& record : persist->votes)
                        said_.add_new(record);
                    ordering_.on_persisted(persist->ticket, now_, effects_);
                } else if (const auto* load = std::get_if<Load>(&effect)) {
                    Loaded loaded{load->ticket, {}};
                    for (const Bytes& key : load->keys)
                        loaded.values.push_back(disk_.get(load->column, key).value());
                    ordering_.on_loaded(loaded, now_, effects_);
                } else if (const auto* send = std::get_if<Send>(&effect)) {
                    check(*send);
                }
            }
        }
    }
    void check(const Send& send) const {
        const auto message = decode_message(*send.message);
        require(message.has_value());
        const Seat own = seats_.seat(0);
        if (const auto* vote = std::get_if<Vote>(&*message)) {
            const bool is_told = vote->seat != own || vote->content.kind == VoteKind::bury;
            require(is_told || said_.has(vote->content));
        }
        if (const auto* proposal = std::get_if<Proposal>(&*message)) {
            const Block& block = proposal->block;
            require(block.proposer != own || said_.has(block.content(VoteKind::notarize)));
        }
    }

    const Seats& seats_;
    Said said_;
    FakeDisk disk_;
    FakeLanes lanes_;
    SilentLog log_;
    Effects effects_;
    Instant now_ = Instant::from_ns(1);
    Ordering ordering_{seats_.roster, seats_.seat(0), *seats_.signers[0], lanes_, {}, log_};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Seats seats{4};
    static const Past past{seats};
    FuzzInput draws{ByteView{data, size}};
    Disk disk = past.disk;
    for (std::size_t changes = draws.below(6); changes > 0; --changes)
        change(disk, seats, draws);
    const bool is_whole = disk.store == past.disk.store && disk.votes == past.disk.votes;
    Life life{seats, std::move(disk)};
    const bool starts = life.run(draws);
    require(starts || !is_whole);
    return 0;
}
