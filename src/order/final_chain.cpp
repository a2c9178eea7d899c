#include "order/final_chain.hpp"

namespace creto::simplex {

namespace {

/// Leaves room for the finalisation and framing in limits::message_bytes_max.
constexpr std::size_t answer_bytes_max = limits::message_bytes_max - 64 * 1024;
constexpr std::size_t block_bytes_fixed = 256;
constexpr std::size_t range_bytes = 64;

/// Not that of an echo.
std::optional<Certificate> own_finalization(const StoredBlock& stored) {
    return stored.echo ? std::nullopt : stored.finalization;
}

/// Never less than what the block takes on the wire.
std::size_t wire_bytes(const Block& block) {
    return block_bytes_fixed + block.delta.size() * range_bytes;
}

}  // namespace

void FinalChain::remember(Entry entry) {
    CRETO_ASSERT(entry.stored.block.height == height_.next());
    height_ = entry.stored.block.height;
    recent_.push_back(std::move(entry));
    if (recent_.size() > limits::view_retention) recent_.pop_front();
}

KeyWrite FinalChain::append(Entry entry, CutPtr cut) {
    untaken_.push_back(
        {entry.stored.block, entry.id, std::move(cut), own_finalization(entry.stored)}
    );
    const std::uint64_t span = entry.stored.block.height.value() / archive_span;
    const bool first = !archived_ || *archived_ < span || entry.stored.block.next_roster;
    const bool archives = entry.stored.finalization && first;
    std::optional<Certificate> kept_back;
    if (archives) {
        archived_ = span;
    } else {
        kept_back = std::exchange(entry.stored.finalization, std::nullopt);
    }
    KeyWrite write = write_final(entry.stored);
    if (kept_back) entry.stored.finalization = std::move(kept_back);
    remember(std::move(entry));
    return write;
}

void FinalChain::restore(Entry entry) {
    untaken_.push_back({entry.stored.block, entry.id, nullptr, own_finalization(entry.stored)});
    if (entry.stored.finalization) archived_ = entry.stored.block.height.value() / archive_span;
    remember(std::move(entry));
}

void FinalChain::jump(Entry entry, CutPtr cut) {
    CRETO_ASSERT(untaken_.empty() && entry.stored.block.height > height_);
    recent_.clear();
    archived_.reset();
    height_ = entry.stored.block.height.prev();
    taken_cut_ = std::move(cut);
    remember(std::move(entry));
}

void FinalChain::prove_tip(const Certificate& finalization) {
    if (recent_.empty() || recent_.back().id != finalization.content.block) return;
    recent_.back().stored.finalization = finalization;
}

std::vector<FinalizedBlock> FinalChain::take() {
    std::vector<FinalizedBlock> out;
    while (!untaken_.empty() && out.size() < limits::blocks_per_message_max) {
        Untaken& next = untaken_.front();
        CutPtr after = std::move(next.cut);
        if (after == nullptr && next.block.delta.empty()) after = taken_cut_;
        if (after == nullptr) {
            Cut cut = *taken_cut_;
            creto::apply(cut, next.block.delta);
            after = std::make_shared<const Cut>(std::move(cut));
        }
        out.push_back(
            {std::move(next.block), next.id, after, taken_cut_, std::move(next.finalization)}
        );
        taken_cut_ = std::move(after);
        untaken_.pop_front();
    }
    return out;
}

Height FinalChain::recent_from() const {
    return recent_.empty() ? height_.next() : recent_.front().stored.block.height;
}

const FinalChain::Entry* FinalChain::recent(Height height) const {
    if (recent_.empty() || height < recent_from() || height > height_) return nullptr;
    return &recent_[height.value() - recent_from().value()];
}

std::optional<ChainAnswer> anchored(const std::vector<StoredBlock>& run, const BlockId& anchor) {
    if (run.empty() || run.back().block.id() != anchor) return std::nullopt;
    std::size_t bytes = 0;
    auto first = run.end();
    while (first != run.begin()) {
        bytes += wire_bytes(std::prev(first)->block);
        if (bytes > answer_bytes_max) break;
        --first;
    }
    ChainAnswer answer;
    for (; first != run.end(); ++first)
        answer.blocks.push_back(first->block);
    if (answer.blocks.empty()) return std::nullopt;
    return answer;
}

bool MarkProof::add(const StoredBlock& next) {
    named_ = named_ || next.block.executed == mark_;
    proof_.blocks.push_back(next.block);
    if (!named_ || !next.finalization) return false;
    if (next.echo) proof_.blocks.push_back(*next.echo);
    proof_.finalization = next.finalization;
    return true;
}

std::optional<ChainAnswer> provable(const std::vector<StoredBlock>& run) {
    std::size_t bytes = 0;
    std::optional<std::size_t> last;
    for (std::size_t i = 0; i < run.size() && i < limits::blocks_per_message_max; ++i) {
        bytes += wire_bytes(run[i].block);
        if (bytes > answer_bytes_max) break;
        if (run[i].finalization) last = i;
        if (run[i].block.next_roster) break;  // What comes after is another epoch's.
    }
    if (!last) return std::nullopt;
    ChainAnswer answer;
    for (std::size_t i = 0; i <= *last; ++i)
        answer.blocks.push_back(run[i].block);
    if (run[*last].echo) answer.blocks.push_back(*run[*last].echo);
    answer.finalization = *run[*last].finalization;
    return answer;
}

}  // namespace creto::simplex
