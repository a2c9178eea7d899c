#include "node/check_twins.hpp"

#include <algorithm>

namespace creto {

namespace {

bool has_twins(const Message& message) {
    return std::holds_alternative<Certificate>(message) ||
           std::holds_alternative<Proposal>(message) ||
           std::holds_alternative<PartialCertificate>(message);
}

/// All that signed the one are among those that signed the other.
bool is_part(const Bytes& one, const Bytes& other) {
    if (one.size() != other.size()) return false;
    for (std::size_t i = 0; i < one.size(); ++i)
        if ((one[i] & ~other[i]) != 0) return false;
    return true;
}

/// Once `first` is known, `second` says nothing new.
bool says(const Message& first, const Message& second) {
    if (first.index() != second.index()) return false;
    if (const auto* certificate = std::get_if<Certificate>(&first))
        return certificate->content == std::get<Certificate>(second).content;
    if (const auto* proposal = std::get_if<Proposal>(&first)) {
        const Proposal& other = std::get<Proposal>(second);
        return proposal->block.view == other.block.view && proposal->block == other.block;
    }
    if (const auto* partial = std::get_if<PartialCertificate>(&first)) {
        const Certificate& votes = partial->votes;
        const Certificate& others = std::get<PartialCertificate>(second).votes;
        return votes.content == others.content && is_part(others.signers, votes.signers);
    }
    return false;
}

}  // namespace

bool CheckTwins::wait(const AgentId& from, const MessagePtr& message, std::size_t bytes) {
    if (!has_twins(*message) || bytes_ + bytes > bytes_max) return false;
    const auto first = std::find_if(checked_.begin(), checked_.end(), [&](const Checked& checked) {
        return checked.behind.size() < waiting_max && says(*checked.message, *message);
    });
    if (first == checked_.end()) return false;
    first->behind.push_back({from, message, bytes});
    bytes_ += bytes;
    return true;
}

void CheckTwins::began(Ticket ticket, const MessagePtr& message) {
    if (checked_.size() < checks_max && has_twins(*message))
        checked_.push_back({ticket, message, {}});
}

std::vector<CheckTwins::Waiting> CheckTwins::ended(Ticket ticket) {
    const auto found = std::find_if(checked_.begin(), checked_.end(), [&](const Checked& checked) {
        return checked.ticket == ticket;
    });
    if (found == checked_.end()) return {};
    std::vector<Waiting> behind = std::move(found->behind);
    checked_.erase(found);
    for (const Waiting& waiting : behind)
        bytes_ -= waiting.bytes;
    return behind;
}

std::size_t CheckTwins::waiting() const {
    std::size_t sum = 0;
    for (const Checked& checked : checked_)
        sum += checked.behind.size();
    return sum;
}

}  // namespace creto
