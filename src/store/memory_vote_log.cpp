#include "store/memory_vote_log.hpp"

#include <algorithm>

namespace creto {

MemoryVoteLog::MemoryVoteLog(std::uint64_t salt) : salt_{salt}, file_{vote_log::header(salt)} {}

Result<void> MemoryVoteLog::admit(std::size_t bytes) {
    if (failed_) {
        return fail(ErrorCode::io, "memory vote log: an earlier append failed; start again");
    }
    if (faults_.read_only) return fail(ErrorCode::io, "memory vote log: the disk is read-only");
    if (faults_.fail_appends > 0) {
        --faults_.fail_appends;
        return fail(ErrorCode::io, "memory vote log: the append failed");
    }
    if (file_.size() > faults_.capacity_bytes || bytes > faults_.capacity_bytes - file_.size()) {
        return fail(ErrorCode::io, "memory vote log: the disk is full");
    }
    return {};
}

void MemoryVoteLog::begin_anew() {
    ++salt_;
    next_sequence_ = 1;
    file_ = vote_log::header(salt_);
    intact_ = true;
}

Result<void> MemoryVoteLog::append(const std::vector<Bytes>& records) {
    if (records.empty()) return {};
    auto frame = vote_log::frame(salt_, next_sequence_, records);
    if (!frame) return tl::unexpected<Error>(frame.error());
    if (auto admitted = admit(frame->size()); !admitted) {
        failed_ = true;
        return admitted;
    }
    if (!intact_) {
        begin_anew();
        frame = vote_log::frame(salt_, next_sequence_, records);
    }
    voted_ = true;
    if (tear_at_) {
        frame->resize(std::min(*std::exchange(tear_at_, std::nullopt), frame->size()));
        file_.insert(file_.end(), frame->begin(), frame->end());
        failed_ = true;
        return fail(ErrorCode::io, "memory vote log: power was lost in the middle of an append");
    }
    file_.insert(file_.end(), frame->begin(), frame->end());
    ++next_sequence_;
    return {};
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
    Bytes frame;
    if (!keep.empty()) {
        auto made = vote_log::frame(salt_ + 1, 1, keep);
        if (!made) return tl::unexpected<Error>(made.error());
        frame = std::move(*made);
    }
    if (auto admitted = admit(frame.size()); !admitted) return admitted;
    begin_anew();
    file_.insert(file_.end(), frame.begin(), frame.end());
    if (!keep.empty()) {
        next_sequence_ = 2;
        voted_ = true;
    }
    return {};
}

void MemoryVoteLog::reopen() {
    failed_ = false;
    tear_at_.reset();
    if (file_.empty()) {
        if (voted_)
            intact_ = false;
        else
            begin_anew();
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
