#include "sim/invariants.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "model/evidence.hpp"
#include "sim/third_party.hpp"

namespace creto {
namespace {

std::string describe(const VoteContent& content) {
    return std::string{to_string(content.kind)} + " of view " +
           std::to_string(content.view.value()) + " for block " + content.block.value().brief() +
           " on view " + std::to_string(content.parent_view.value());
}

/// Whatever form the log's records have, they hold the content of the vote as it is encoded.
bool holds(ByteView record, ByteView content) {
    return as_text(record).find(as_text(content)) != std::string_view::npos;
}

/// A seat that promises a floor in a later epoch never votes in this one again, so it need not know what
/// it said: a log that was rewritten while the vote was on its way holds that instead.
bool leaves_epoch(ByteView record, Epoch epoch) {
    constexpr std::uint8_t floor_kind = 2;
    Reader reader{record};
    return reader.u8() == floor_kind && reader.uvarint() > epoch.value() && reader.ok();
}

bool is_in_durable_log(const VoteContent& content, const SimDisk& disk, Instant now) {
    Writer writer;
    encode(writer, content);
    // A vote is sent soon after it was written, so the search starts at the end.
    const std::span<const Bytes> log = disk.durable_log(now);
    return std::any_of(log.rbegin(), log.rend(), [&](const Bytes& record) {
        return holds(record, writer.view()) || leaves_epoch(record, content.epoch);
    });
}

}  // namespace

Invariants::Invariants(
    const Genesis& genesis, const SignatureScheme& scheme, std::vector<std::optional<Seat>> seats
)
    : genesis_{genesis},
      roster_{genesis},
      scheme_{scheme},
      seats_{std::move(seats)},
      is_byzantine_(seats_.size()),
      is_lying_provider_(seats_.size()),
      tips_(seats_.size()),
      last_sent_(seats_.size()),
      last_told_(seats_.size()) {}

void Invariants::set_byzantine(NodeIndex node) {
    is_byzantine_.at(node.value()) = true;
}

void Invariants::on_restart(NodeIndex node) {
    Tip& tip = tips_[node.value()];
    tip.height = Height{};
    tip.is_fresh = true;
    last_sent_[node.value()] = {};
    last_told_[node.value()] = {};
}

void Invariants::violate(std::string checker, std::string text, NodeIndex node, Instant now) {
    if (!violation_) violation_ = Violation{std::move(checker), std::move(text), node, now};
}

void Invariants::differ(std::string checker, std::string text, NodeIndex node, Instant now) {
    if (!expects_split_) return violate(std::move(checker), std::move(text), node, now);
    if (!split_) split_ = Violation{std::move(checker), std::move(text), node, now};
}

void Invariants::on_finalized(NodeIndex node, const Finalized& finalized, Instant now) {
    if (violation_ || is_byzantine(node)) return;
    ++counts_.finalizations;
    const Height height = finalized.block.height;
    Tip& tip = tips_[node.value()];
    const auto what = [&height] { return "height " + std::to_string(height.value()); };
    const bool continues = tip.is_fresh ? height.value() >= 1 && height <= tip.height_max.next()
                                        : height == tip.height.next();
    if (!continues)
        return violate(
            "prefix",
            what() + " follows height " +
                std::to_string((tip.is_fresh ? tip.height_max : tip.height).value()),
            node,
            now
        );
    tip = {height, std::max(tip.height_max, height), false};

    if (finalized.block.epoch.value() != Epochs{genesis_.epoch_blocks}.of(height).value())
        return violate("epoch", what() + " is of another epoch", node, now);
    const auto index = static_cast<std::size_t>(height.value() - 1);
    if (expects_split_ && index > canon_.size()) return;  // On a branch of its own for a while.
    if (!names_its_block(finalized, index))
        return violate("prefix", what() + ": the id is not the block's", node, now);
    if (index > 0 && finalized.block.parent != canon_.at(index - 1).id)
        return differ("prefix", what() + ": the parent is not the block below", node, now);
    if (index == canon_.size()) {
        canon_.push_back({finalized.id, finalized.order_digest, finalized.state_root});
        recent_.push_back(finalized.block);
        if (recent_.size() > blocks_kept) recent_.pop_front();
        ++counts_.heights;
        return;
    }
    const Canon& canon = canon_.at(index);
    const auto differs = [&](const char* part, const Digest& mine, const Digest& first) {
        if (mine == first) return;
        differ(
            "agreement",
            what() + ": " + part + " " + mine.brief() + " here, " + first.brief() + " elsewhere",
            node,
            now
        );
    };
    differs("block", finalized.id.value(), canon.id.value());
    differs("order digest", finalized.order_digest, canon.order_digest);
    differs("state root", finalized.state_root, canon.state_root);
}

void Invariants::on_adopted(NodeIndex node, const Adopted& adopted, Instant now) {
    if (violation_ || is_byzantine(node)) return;
    const Height height = adopted.height;
    const std::string what = "the checkpoint at height " + std::to_string(height.value());
    Tip& tip = tips_[node.value()];
    if (!tip.is_fresh && height <= tip.height)
        return violate("prefix", what + " is not above what the node has", node, now);
    tip = {height, std::max(tip.height_max, height), false};
    // Whoever votes for a block that names its mark has executed it.
    if (height == Height{} || height.value() > canon_.size())
        return differ("agreement", what + " is of a height that nobody has executed", node, now);
    const Canon& canon = canon_.at(static_cast<std::size_t>(height.value() - 1));
    if (adopted.id != canon.id || adopted.order_digest != canon.order_digest ||
        adopted.state_root != canon.state_root)
        differ("agreement", what + " is not what others have there", node, now);
}

void Invariants::on_epoch(NodeIndex node, const EpochBegun& begun, Instant now) {
    if (violation_ || is_byzantine(node)) return;
    if (begun.own) seats_[node.value()] = begun.own;
    const Voters said{begun.voters, begun.dormant, begun.parameters};
    const auto [known, fresh] = voters_.emplace(begun.epoch, said);
    const std::string epoch = "epoch " + std::to_string(begun.epoch.value());
    if (!fresh && known->second != said)
        return violate(
            "roster", epoch + " has other voters or parameters here than elsewhere", node, now
        );
    const bool unasked =
        begun.epoch <= Epoch{2} && said != Voters{genesis_.members, 0, parameters_of(genesis_)};
    if (unasked)
        violate("roster", epoch + " has not the voters and parameters of the genesis", node, now);
}

const std::vector<Member>& Invariants::voters_in(Epoch epoch) const {
    const auto known = voters_.find(epoch);
    return known == voters_.end() ? genesis_.members : known->second.members;
}

std::uint32_t Invariants::dormant_in(Epoch epoch) const {
    const auto known = voters_.find(epoch);
    return known == voters_.end() ? 0 : known->second.dormant;
}

std::uint64_t Invariants::term_in(Epoch epoch) const {
    const auto known = voters_.find(epoch);
    return known == voters_.end() ? genesis_.term_views : known->second.parameters.term_views;
}

/// Whether the id is the hash of the block. The first node to finalise a height pays for the hash;
/// for a block that is equal, field by field, it is the same.
bool Invariants::names_its_block(const Finalized& finalized, std::size_t index) const {
    const std::size_t first = canon_.size() - recent_.size();
    if (index >= first && index < canon_.size() && recent_[index - first] == finalized.block)
        return finalized.id == canon_[index].id;
    return finalized.id == finalized.block.id();
}

void Invariants::on_sent(
    NodeIndex node, const WireMessage& message, const SimDisk& disk, Instant now
) {
    if (violation_ || is_byzantine(node)) return;
    if (last_sent_[node.value()].same(message)) return;
    last_sent_[node.value()] = message;
    const Result<Message>& decoded = message.decoded();
    if (!decoded) return violate("message", "not decodable: " + decoded.error().message, node, now);
    if (const auto* vote = std::get_if<Vote>(&*decoded)) {
        on_own_vote(node, *vote, disk, now);
    } else if (const auto* proposal = std::get_if<Proposal>(&*decoded)) {
        on_own_vote(node, proposal->leader_vote(), disk, now);
    } else if (const auto* certificate = std::get_if<Certificate>(&*decoded)) {
        on_certificate(node, *certificate, now);
    } else if (const auto* answer = std::get_if<ChainAnswer>(&*decoded)) {
        if (answer->finalization) on_certificate(node, *answer->finalization, now);
    } else if (const auto* status = std::get_if<OrderStatus>(&*decoded)) {
        on_status(node, *status, now);
    } else if (const auto* notice = std::get_if<EvidenceNotice>(&*decoded)) {
        on_evidence(node, notice->evidence, now);
    }
}

void Invariants::on_status(NodeIndex node, const OrderStatus& status, Instant now) {
    if (status.view == View{}) return;  // A question: nobody stands there.
    OrderStatus& last = last_told_[node.value()];
    const bool views_fall =
        status.epoch == last.epoch ? status.view < last.view : status.epoch < last.epoch;
    if (views_fall || status.finalized < last.finalized)
        return violate(
            "monotonic",
            "told view " + std::to_string(status.view.value()) + " and height " +
                std::to_string(status.finalized.value()) + " after view " +
                std::to_string(last.view.value()) + " and height " +
                std::to_string(last.finalized.value()),
            node,
            now
        );
    last = status;
}

void Invariants::on_evidence(NodeIndex node, const Evidence& evidence, Instant now) {
    const auto accused = judge_proof(encode_bytes(evidence), genesis_, scheme_);
    if (!accused) return violate("proof", accused.error().message, node, now);
    proven_.insert(*accused);
    const auto& members = roster_.members();
    for (std::uint32_t i = 0; i < members.size(); ++i) {
        // Nodes with a seat come first, in the order of the roster.
        const bool lied =
            is_byzantine(NodeIndex{i}) ||
            (is_lying_provider_[i] && std::holds_alternative<AnswerConflict>(evidence));
        if (members[i].key == *accused && !lied)
            violate("evidence", "accuses node " + std::to_string(i) + ", an honest one", node, now);
    }
}

void Invariants::on_own_vote(NodeIndex node, const Vote& vote, const SimDisk& disk, Instant now) {
    // A node may hand on what others signed; that says nothing about its own key.
    if (vote.seat != seats_[node.value()]) return;
    const VoteContent& content = vote.content;
    if (content.kind == VoteKind::bury) {
        // No vote about a view, but a claim about many: it has to be true.
        if (!is_buried_rightly(content))
            violate("justification", describe(content) + ", but a view in it lives", node, now);
        return;
    }
    const std::vector<Member>& voters = voters_in(content.epoch);
    const auto voter = std::find_if(voters.begin(), voters.end(), [&](const Member& member) {
        return member.seat == vote.seat;
    });
    if (voter == voters.end())
        return violate("roster", describe(content) + " in an epoch without a vote", node, now);
    std::vector<SignedVotes>& of_view = votes_[{content.epoch, content.view}];
    if (of_view.empty()) of_view.resize(voters.size());
    SignedVotes& all = of_view[static_cast<std::size_t>(voter - voters.begin())];
    auto& said = all.said.at(static_cast<std::size_t>(content.kind));
    if (said == content) return;
    if (said)
        return violate(
            "single-vote", describe(*said) + ", and then " + describe(content), node, now
        );
    const Epoch newest = voters_.empty() ? Epoch{1} : voters_.rbegin()->first;
    if (content.epoch == Epoch{} || content.epoch > newest)
        return violate("epoch", describe(content) + " is of another epoch", node, now);
    if (!is_in_durable_log(content, disk, now))
        return violate(
            "durable-vote", describe(content) + " was sent before it was durable", node, now
        );
    said = content;
    ++counts_.votes;
    if (content.kind == VoteKind::notarize && !is_justified(content))
        differ("justification", describe(content) + ", but a view between may be final", node, now);
    const auto& finalize = all.said[static_cast<std::size_t>(VoteKind::finalize)];
    const auto& nullify = all.said[static_cast<std::size_t>(VoteKind::nullify)];
    if (finalize && nullify)
        return violate("single-vote", describe(*finalize) + ", and a nullify too", node, now);
    forget_old_views();
}

void Invariants::on_certificate(NodeIndex node, const Certificate& certificate, Instant now) {
    const VoteContent& content = certificate.content;
    if (content.view.value() == 0) return;  // Genesis is final by definition.
    ++counts_.certificates;
    const Epoch newest = voters_.empty() ? Epoch{1} : voters_.rbegin()->first;
    if (content.epoch == Epoch{} || content.epoch > newest)
        return violate("epoch", "a certificate of another epoch", node, now);
    if (!signatures_hold(certificate))
        return violate("certificate", "unsound: " + describe(content), node, now);
    if (content.kind == VoteKind::bury) {
        if (!is_buried_rightly(content))
            violate("justification", describe(content) + ", but a view in it lives", node, now);
        return;
    }
    ViewOutcome& outcome = outcomes_[{content.epoch, content.view}];
    const auto one_block = [&](std::optional<BlockId>& known) {
        if (known && *known != content.block) {
            differ(
                "one-outcome",
                describe(content) + ", and another for " + known->value().brief(),
                node,
                now
            );
        }
        known = content.block;
    };
    switch (content.kind) {
        case VoteKind::notarize:
            one_block(outcome.notarized);
            break;
        case VoteKind::finalize:
            one_block(outcome.notarized);
            one_block(outcome.finalized);
            break;
        case VoteKind::nullify:
            counts_.nullified_views += outcome.is_nullified ? 0 : 1;
            outcome.is_nullified = true;
            break;
        case VoteKind::bury:
            break;
    }
    if (outcome.finalized && outcome.is_nullified)
        differ("one-outcome", describe(content) + ": finalised and nullified", node, now);
}

/// The view was nullified by enough seats, liars counted as if they had.
bool Invariants::is_given_up(const ViewKey& key) const {
    const auto outcome = outcomes_.find(key);
    if (outcome != outcomes_.end() && outcome->second.is_nullified) return true;
    auto against =
        static_cast<std::uint32_t>(std::count(is_byzantine_.begin(), is_byzantine_.end(), true));
    const auto votes = votes_.find(key);
    if (votes != votes_.end()) {
        for (const SignedVotes& all : votes->second)
            against += all.said[static_cast<std::size_t>(VoteKind::nullify)] ? 1 : 0;
    }
    return is_quorum(against, key.first);
}

/// Every view between the parent's and its own was given up, or an earlier one of its term was; and
/// inside a term there is none between. Only for views that are remembered.
bool Invariants::is_justified(const VoteContent& content) const {
    const std::uint64_t term = term_in(content.epoch);
    if (content.kind == VoteKind::notarize && content.view.value() % term != 1 % term)
        return content.parent_view.next() == content.view;
    constexpr std::uint64_t looked_at_max = 1'000;
    const std::uint64_t last = content.view.value();
    std::uint64_t oldest = last > looked_at_max ? last - looked_at_max : 1;
    oldest += (term - (oldest - 1) % term) % term;  // No half terms.
    const std::uint64_t first = std::max(content.parent_view.value() + 1, oldest);
    for (std::uint64_t view = first; view < last; ++view) {
        std::uint64_t from = view;
        while (!is_given_up({content.epoch, View{from}})) {
            if (from % term == 1 % term) return false;  // The first of its term.
            --from;
        }
    }
    return true;
}

/// Every view after the base up to the last was nullified by enough seats.
bool Invariants::is_buried_rightly(const VoteContent& content) const {
    VoteContent next = content;
    next.view = content.view.next();
    return is_justified(next);
}

bool Invariants::signatures_hold(const Certificate& certificate) const {
    const std::vector<Member>& members = voters_in(certificate.content.epoch);
    if (certificate.signers.size() != (members.size() + 7) / 8) return false;
    const Bytes bytes = signed_vote(roster_.chain(), certificate.content);
    std::size_t next = 0;
    if (roster_.vote_form() == VoteForm::joined) {
        KeyList keys{hash(HashDomain::trace, encode_bytes(certificate.content.epoch)), {}};
        for (const Member& member : members)
            keys.keys.push_back(member.key);
        if (certificate.signatures.size() != 1 ||
            !scheme_.verify_joined(keys, certificate.signers, bytes, certificate.signatures[0]))
            return false;
        next = certificate.count();
        return is_enough(certificate, next);
    }
    for (std::uint32_t i = 0; i < certificate.signers.size() * 8; ++i) {
        if (!certificate.signed_by(i)) continue;
        if (i >= members.size() || next == certificate.signatures.size()) return false;
        if (!scheme_.verify(members[i].key, bytes, certificate.signatures[next++])) return false;
    }
    if (next != certificate.signatures.size()) return false;
    return is_enough(certificate, next);
}

bool Invariants::is_enough(const Certificate& certificate, std::size_t signers) const {
    const std::vector<Member>& members = voters_in(certificate.content.epoch);
    // A third or more contains one who does not lie; where nobody lies, anyone does.
    const std::size_t all = members.size() + dormant_in(certificate.content.epoch);
    if (certificate.content.kind == VoteKind::bury)
        return signers > 0 && (roster_.mode() == QuorumMode::crash || 3 * signers >= all);
    return is_quorum(static_cast<std::uint32_t>(signers), certificate.content.epoch);
}

/// More than two thirds, and so many that what two quorums share is a third of all seats, the dormant ones
/// included; or more than half: said without the division that the model uses.
bool Invariants::is_quorum(std::uint32_t count, Epoch epoch) const {
    const auto n = static_cast<std::uint32_t>(voters_in(epoch).size());
    if (roster_.mode() == QuorumMode::crash) return 2 * count > n;
    return 3 * count > 2 * n && 2 * count > n && 3 * (2 * count - n) >= n + dormant_in(epoch);
}

void Invariants::forget_old_views() {
    while (votes_.size() > views_kept)
        votes_.erase(votes_.begin());
    while (outcomes_.size() > views_kept)
        outcomes_.erase(outcomes_.begin());
}

}  // namespace creto
