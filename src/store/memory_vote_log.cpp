#include "store/memory_vote_log.hpp"

#include <algorithm>

namespace creto {

MemoryVoteLog::MemoryVoteLog(std::uint64_t salt) : salt_{salt}, file_{vote_log::header(salt)} {}

const char* MemoryVoteLog::refusal(std::size_t bytes) const {
    if (failed_) return "an earlier append failed; start again";
    if (faults_.read_only) return "the disk is read-only";
    if (faults_.fail_appends > 0) return "the append failed";
    const bool fits =
        file_.size() <= faults_.capacity_bytes && bytes <= faults_.capacity_bytes - file_.size();
    return fits ? nullptr : "the disk is full";
}

Result<void> MemoryVoteLog::admit(std::size_t bytes) {
    const char* refused = refusal(bytes);
    if (refused == nullptr) return {};
    if (!std::exchange(failed_, true) && faults_.fail_appends > 0) --faults_.fail_appends;
    return fail(ErrorCode::io, std::string{"memory vote log: "} + refused);
}

void MemoryVoteLog::begin_anew(vote_log::NewLog log) {
    ++salt_;
    file_ = std::move(log.bytes);
    next_sequence_ = log.next_sequence;
    intact_ = true;
}

Result<void> MemoryVoteLog::append(const std::vector<Bytes>& records) {
    if (records.empty()) return {};
    if (!intact_) return compact(records);
    auto frame = vote_log::frame(salt_, next_sequence_, records);
    if (!frame) return tl::unexpected<Error>(frame.error());
    if (auto admitted = admit(frame->size()); !admitted) return admitted;
    voted_ = true;
    if (tear_at_) {
        frame->resize(std::min(*std::exchange(tear_at_, std::nullopt), frame->size()));
        failed_ = true;
    } else {
        ++next_sequence_;
    }
    file_.insert(file_.end(), frame->begin(), frame->end());
    if (!failed_) return {};
    return fail(ErrorCode::io, "memory vote log: power was lost in the middle of an append");
}

Result<VoteLogContents> MemoryVoteLog::read() const {
    if (file_.empty()) {
        VoteLogContents contents;
        contents.intact = intact_;
        if (!intact_) contents.damage = "the log is missing although this node has voted";
        return contents;
    }
    return vote_log::parse(file_).contents;
}

Result<void> MemoryVoteLog::compact(const std::vector<Bytes>& keep) {
    auto log = vote_log::begin(salt_ + 1, keep);
    if (!log) return tl::unexpected<Error>(log.error());
    // The new file stands beside the old one for a moment.
    if (auto admitted = admit(log->bytes.size()); !admitted) return admitted;
    if (!keep.empty()) voted_ = true;
    begin_anew(std::move(*log));
    return {};
}

void MemoryVoteLog::reopen() {
    failed_ = false;
    tear_at_.reset();
    if (file_.empty()) {
        if (voted_)
            intact_ = false;
        else
            begin_anew({vote_log::header(salt_ + 1)});
        return;
    }
    const vote_log::Parsed parsed = vote_log::parse(file_);
    intact_ = parsed.contents.intact;
    if (!intact_) return;
    salt_ = parsed.salt;
    next_sequence_ = parsed.next_sequence;
    file_.resize(parsed.valid_bytes);
}

void MemoryVoteLog::lose() {
    file_.clear();
    reopen();
}

void MemoryVoteLog::erase() {
    voted_ = false;
    lose();
}

bool MemoryVoteLog::flip(std::size_t byte) {
    if (byte >= file_.size()) return false;
    file_[byte] ^= 0x01U;
    return true;
}

void MemoryVoteLog::truncate(std::size_t bytes) {
    file_.resize(std::min(bytes, file_.size()));
}

}  // namespace creto
